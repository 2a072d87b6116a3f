#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "models/host/host.h"
#include "real/asio_host.h"
#include "real/bench/host_options.h"
#include "real/bench/peer_process.h"

namespace distlab::bench {
namespace {

constexpr Duration patience = std::chrono::milliseconds{50};  // with datagrams under way

class Echo final : public UdpHandler {
 public:
  void on_datagram(Endpoint remote, Bytes datagram) override { socket->send_to(remote, datagram); }
  std::unique_ptr<UdpSocket> socket;
};

class Sender final : private UdpHandler {
 public:
  Sender(Host& host, PeerCounts& counts, const PeerSettings& settings)
      : counts_(counts), settings_(settings), datagram_(settings.bytes), timer_(host) {
    socket_ = host.open_udp({any_address, 0}, *this).value();
  }
  void start() {
    refill();
    watch(0);
  }

 private:
  void on_datagram(Endpoint, Bytes datagram) override {
    uint64_t number = 0;
    if (datagram.size() != settings_.bytes) return;
    std::memcpy(&number, datagram.data(), sizeof number);
    if (number < first_) return;  // given up
    ++counts_.received;
    --under_way_;
    refill();
  }
  void refill() {
    for (; under_way_ < settings_.window; ++under_way_, ++next_) {
      std::memcpy(datagram_.data(), &next_, sizeof next_);
      socket_->send_to({loopback_address, static_cast<uint16_t>(counts_.port.load())}, datagram_);
    }
  }
  // When nothing comes any more, what is under way is lost.
  void watch(uint64_t before) {
    if (const uint64_t now = counts_.received; now == before) {
      counts_.missing += under_way_;
      under_way_ = 0;
      first_ = next_;
      refill();
    }
    timer_.start(patience, [this, seen = counts_.received.load()] { watch(seen); });
  }

  PeerCounts& counts_;
  const PeerSettings settings_;
  std::vector<uint8_t> datagram_;
  std::unique_ptr<UdpSocket> socket_;
  uint64_t first_ = 0, next_ = 0, under_way_ = 0;
  Timer timer_;
};

}  // namespace

int run_udp_forwarder(Board& board) {
  real::AsioLoop loop;
  real::AsioHost host(loop, host_options("forwarder"));
  Echo echo;
  auto socket = host.open_udp({any_address, 0}, echo);
  if (!socket) return 1;
  echo.socket = std::move(*socket);
  board.peer.port = echo.socket->local().port;
  loop.run();
  return 0;
}

int run_udp_sender(Board& board, const PeerSettings& settings) {
  real::AsioLoop loop;
  real::AsioHost host(loop, host_options("sender"));
  Sender sender(host, board.peer, settings);
  sender.start();
  loop.run();
  return 0;
}

}  // namespace distlab::bench
