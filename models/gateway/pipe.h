// Two connected streams made one: what comes out of one goes into the other, at the pace of the slower.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "models/host/host.h"

namespace distlab::gateway {

class Pipe {
 public:
  // Both streams are connected and have no handler yet. `early` has come out of the first one already.
  // `over` is told once, from the loop and never from inside a call, when nothing passes any more; the pipe
  // may be destroyed there. Destroying it earlier closes both ends.
  Pipe(Host& host, std::unique_ptr<ByteStream> first, std::unique_ptr<ByteStream> second, std::vector<uint8_t> early,
       std::function<void()> over);
  ~Pipe();
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

 private:
  class End;

  void pass(End& from, Bytes data);
  void drain(End& from);
  void ended(End& from, NetError why);
  void finish();

  std::array<std::unique_ptr<End>, 2> ends_;
  std::function<void()> over_;
  Timer end_;
};

}  // namespace distlab::gateway
