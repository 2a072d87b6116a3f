// The connection with a BEAM that measures for us (real/beam/distlab_bench): orders out, answers in.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "models/etf/term.h"
#include "models/host/time.h"
#include "real/lab/fd.h"

namespace distlab::bench {

// Asked often while something is waited for; the error ends the waiting.
using Patience = std::function<lab::Result<void>()>;

// Blocks: whoever measures has nothing else to do, and is to cost nothing meanwhile.
class BeamLink {
 public:
  static lab::Result<BeamLink> listen();  // on a free port of 127.0.0.1

  std::string address() const;  // "127.0.0.1:PORT"
  // Until the BEAM has connected and said hello.
  lab::Result<void> await(Duration limit, const Patience& patience);
  // {error, Text} is an error, too.
  lab::Result<etf::Term> ask(const etf::Term& order, Duration limit, const Patience& patience);

 private:
  lab::Result<void> readable(int fd, Time until, const Patience& patience);
  lab::Result<std::vector<uint8_t>> read(size_t size, Time until, const Patience& patience);
  lab::Result<etf::Term> next(Time until, const Patience& patience);

  lab::Fd listener_, connection_;
};

}  // namespace distlab::bench
