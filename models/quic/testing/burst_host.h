// A host whose datagrams come in bursts: what arrives within a time is handed over together, as by a kernel that is
// asked seldom. All else is the inner host's.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/host/host.h"

namespace distlab::quic::testing {

class BurstHost final : public Host {
 public:
  BurstHost(Host& inner, Duration gathering) : inner_(inner), gathering_(gathering) {}

  size_t bursts = 0, largest = 0;  // how many there were, and the most datagrams in one

  Time now() const override { return inner_.now(); }
  TimerId start_timer(Duration delay, std::function<void()> fn) override {
    return inner_.start_timer(delay, std::move(fn));
  }
  void cancel_timer(TimerId id) override { inner_.cancel_timer(id); }
  RandomStream& random(std::string_view stream_name) override { return inner_.random(stream_name); }
  void fill_secret(std::span<uint8_t> out) override { inner_.fill_secret(out); }
  tl::expected<std::unique_ptr<UdpSocket>, NetError> open_udp(Endpoint local, UdpHandler& handler) override {
    auto gatherer = std::make_unique<Gatherer>(*this, handler);
    auto socket = inner_.open_udp(local, *gatherer);
    if (!socket) return tl::unexpected(socket.error());
    gatherer->socket = std::move(*socket);
    return gatherer;
  }
  tl::expected<std::unique_ptr<TcpListener>, NetError> listen_tcp(Endpoint local, AcceptHandler accept) override {
    return inner_.listen_tcp(local, std::move(accept));
  }
  std::unique_ptr<ByteStream> connect_tcp(Endpoint remote, StreamHandler& handler) override {
    return inner_.connect_tcp(remote, handler);
  }
  void lookup(std::string_view host_name, LookupHandler done) override { inner_.lookup(host_name, std::move(done)); }
  void record(Event event) override { inner_.record(std::move(event)); }
  bool wants(std::string_view kind) const override { return inner_.wants(kind); }
  const std::string& name() const override { return inner_.name(); }

 private:
  struct Gatherer final : UdpSocket, UdpHandler {
    Gatherer(BurstHost& host, UdpHandler& handler) : host_(host), handler_(handler), timer_(host.inner_) {}
    bool send_to(Endpoint remote, Bytes datagram) override { return socket->send_to(remote, datagram); }
    Endpoint local() const override { return socket->local(); }
    void on_datagram(Endpoint remote, Bytes datagram) override {
      waiting_.emplace_back(remote, std::vector<uint8_t>(datagram.begin(), datagram.end()));
      if (!timer_.running()) timer_.start(host_.gathering_, [this] { hand_over(); });
    }
    void hand_over() {
      ++host_.bursts;
      host_.largest = std::max(host_.largest, waiting_.size());
      const auto alive = std::weak_ptr<int>(alive_);  // a handler may destroy its socket
      handler_.on_burst();
      for (const auto& [remote, datagram] : std::exchange(waiting_, {})) {
        handler_.on_datagram(remote, datagram);
        if (alive.expired()) return;
      }
      handler_.on_burst_end();
    }

    std::unique_ptr<UdpSocket> socket;

   private:
    BurstHost& host_;
    UdpHandler& handler_;
    std::vector<std::pair<Endpoint, std::vector<uint8_t>>> waiting_;
    Timer timer_;
    std::shared_ptr<int> alive_ = std::make_shared<int>(0);
  };

  Host& inner_;
  const Duration gathering_;
};

}  // namespace distlab::quic::testing
