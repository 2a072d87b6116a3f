// The socket pair between distribution and its bridge: what a gen_tcp connection over 127.0.0.1 is, in
// memory. One end is the ByteStream that a node's connection gets; the other is the bridge's.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "models/host/host.h"

namespace distlab::tunnel {

class Loopback {
 public:
  // What the bridge is told, from the host's loop.
  struct Listener {
    std::function<void()> on_readable;  // there is something to read, or the other end has closed
    std::function<void()> on_writable;  // after write() took less than it was given
  };

  // `capacity`: bytes on their way, in each direction.
  Loopback(Host& host, size_t capacity);
  ~Loopback();  // closes
  Loopback(const Loopback&) = delete;
  Loopback& operator=(const Loopback&) = delete;

  // The end of distribution; reading is off. To be taken once. It may outlive the Loopback.
  std::unique_ptr<ByteStream> take_stream();

  void set_listener(Listener listener);
  std::vector<uint8_t> read(size_t most);
  bool finished() const;  // the other end has closed, and all is read
  size_t write(Bytes data);
  void close();  // the other end gets what was written, then `closed`

 private:
  struct State;
  class Stream;
  std::shared_ptr<State> state_;
};

}  // namespace distlab::tunnel
