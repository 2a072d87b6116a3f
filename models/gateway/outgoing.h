// A stream of our BEAM that waits for its tunnel.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/carrier/carrier.h"
#include "models/gateway/pipes.h"

namespace distlab::gateway {

class Outgoing final : public StreamHandler {
 public:
  struct Handlers {
    // From the loop, once, and not from inside a call; the Outgoing may be destroyed there. After `dialled` its
    // streams and what has come early can be taken; after `failed` its own stream.
    std::function<void()> dialled;
    std::function<void(const carrier::DialError&)> failed;
    std::function<void()> gone;  // the BEAM has given up
  };
  Outgoing(Host& host, std::unique_ptr<ByteStream> stream, std::vector<uint8_t> early)
      : stream_(std::move(stream)), early_(std::move(early)), end_(host) {
    stream_->set_handler(*this);
  }

  void dial(carrier::Carrier& carrier, const std::string& peer, Handlers handlers) {
    handlers_ = std::move(handlers);
    dial_ = carrier.dial(
        peer, [] {},
        [this](tl::expected<std::unique_ptr<ByteStream>, carrier::DialError> outcome) {
          if (!outcome) return finish([this, error = outcome.error()] { handlers_.failed(error); });
          remote_ = std::move(*outcome);
          finish([this] { handlers_.dialled(); });
        });
  }

  void on_data(Bytes data) override {
    early_.insert(early_.end(), data.begin(), data.end());
    if (early_.size() >= max_early) stream_->set_reading(false);
  }
  void on_closed(NetError) override {
    finish([this] { handlers_.gone(); });
  }

  ByteStream& stream() { return *stream_; }
  void join(Pipes& pipes) { pipes.join(std::move(stream_), std::move(remote_), std::move(early_)); }

 private:
  void finish(std::function<void()> tell) {
    if (!over_) end_.start(Duration::zero(), std::move(tell));
    over_ = true;
  }

  std::unique_ptr<ByteStream> stream_, remote_;
  std::vector<uint8_t> early_;
  std::unique_ptr<carrier::Dial> dial_;
  Handlers handlers_;
  bool over_ = false;
  Timer end_;
};

}  // namespace distlab::gateway
