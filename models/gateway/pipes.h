// The pipes of a gateway, and the dials that may become some.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/carrier/carrier.h"
#include "models/gateway/pipe.h"

namespace distlab::gateway {

// Bytes a BEAM may say before its peer can hear it: a handshake says less, and then waits.
inline constexpr size_t max_early = 64 * 1024;

class Pipes {
 public:
  explicit Pipes(Host& host);
  ~Pipes();
  Pipes(const Pipes&) = delete;
  Pipes& operator=(const Pipes&) = delete;

  // Takes both ends; the first has said `early` already.
  void join(std::unique_ptr<ByteStream> first, std::unique_ptr<ByteStream> second, std::vector<uint8_t> early = {});
  // Connects to a port of this machine and joins; closes the stream if nobody listens there.
  void join_to(std::unique_ptr<ByteStream> stream, Endpoint local);

  size_t count() const { return pipes_.size(); }
  void clear();  // closes all

 private:
  class LocalDial;

  Host& host_;
  uint64_t last_ = 0;
  std::map<uint64_t, std::unique_ptr<Pipe>> pipes_;
  std::map<uint64_t, std::unique_ptr<LocalDial>> dials_;
};

}  // namespace distlab::gateway
