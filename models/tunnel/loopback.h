// The loopback connection between dist_util and the bridge of a tunnel: two byte streams in memory, of
// one process with itself.
//
// It behaves as a TCP connection over 127.0.0.1 does: ordered, bounded, FIN after all data, RST when one
// end is closed with data unread. A connection of the host's own TCP would do as well; this one costs a
// timer for each burst, and no packets in a simulated network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "models/host/host.h"

namespace distlab::tunnel {

// Measured on Linux 6 with default buffers and nobody reading: gen_tcp:send takes 3.89 MB of 1000-byte
// messages before it blocks, which is nearly sndbuf (3.94 MB there) and recbuf together.
struct LoopbackSettings {
  size_t send_buffer = 3'800'000;   // bytes one end may write ahead of what the other has received
  size_t receive_buffer = 131'072;  // and of what it has read
  size_t bridge_read = 1460;        // the most one on_data of the bridge's end carries: one recv(S, 0)
};

class LoopbackEnd final : public ByteStream {
 public:
  ~LoopbackEnd() override;
  void set_handler(StreamHandler& handler) override;
  size_t write(Bytes data) override;
  void set_reading(bool on) override;
  void close() override;
  void abort() override;
  Endpoint local() const override;
  Endpoint remote() const override;

  size_t unread() const;      // bytes the peer has written and this end has not been given
  uint64_t received() const;  // bytes the peer has written since the start

 private:
  friend struct LoopbackPair;
  class Connection;
  LoopbackEnd(std::shared_ptr<Connection> connection, size_t side);

  std::shared_ptr<Connection> connection_;
  const size_t side_;
};

// The host must outlive both ends.
struct LoopbackPair {
  LoopbackPair(Host& host, const LoopbackSettings& settings);

  std::unique_ptr<LoopbackEnd> dist;
  std::unique_ptr<LoopbackEnd> bridge;
};

}  // namespace distlab::tunnel
