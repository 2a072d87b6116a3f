// A carrier for tests: TCP to one port of the machine that the host part of a node name resolves to.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "models/carrier/carrier.h"
#include "models/host/host.h"

namespace distlab::gateway::testing {

class PlainCarrier final : public carrier::Carrier {
 public:
  static constexpr uint16_t port = 9100;
  explicit PlainCarrier(Host& host) : host_(host) {}

  void listen(const std::string&, Accepted accepted, Listening done) override {
    auto listener = host_.listen_tcp({any_address, port}, [accepted](std::unique_ptr<ByteStream> stream) {
      stream->set_reading(false);
      accepted(std::move(stream));
    });
    if (!listener) return done(tl::unexpected(listener.error()));
    listener_ = std::move(*listener);
    done(4);
  }

  std::unique_ptr<carrier::Dial> dial(const std::string& node_name, std::function<void()>, Dialled done) override {
    return std::make_unique<PlainDial>(host_, node_name.substr(node_name.find('@') + 1), std::move(done));
  }

 private:
  class PlainDial final : public carrier::Dial, private StreamHandler {
   public:
    PlainDial(Host& host, const std::string& peer, Dialled done) : done_(std::move(done)) {
      host.lookup(peer, [this, &host, alive = std::weak_ptr<int>(alive_)](auto found) {
        if (alive.expired()) return;
        if (!found) return fail("address", found.error());
        stream_ = host.connect_tcp({found->front(), port}, *this);
      });
    }

   private:
    void on_connected() override {
      stream_->set_reading(false);
      done_(std::move(stream_));
    }
    void on_data(Bytes) override {}
    void on_closed(NetError why) override { fail("connect", why); }
    void fail(std::string step, NetError why) { done_(tl::unexpected(carrier::DialError{why, std::move(step)})); }

    Dialled done_;
    std::unique_ptr<ByteStream> stream_;
    std::shared_ptr<int> alive_ = std::make_shared<int>(0);
  };

  Host& host_;
  std::unique_ptr<TcpListener> listener_;
};

}  // namespace distlab::gateway::testing
