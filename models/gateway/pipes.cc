#include "models/gateway/pipes.h"

#include <utility>

namespace distlab::gateway {

// A connection to a port of this machine, for a stream that has come from a peer.
class Pipes::LocalDial final : public StreamHandler {
 public:
  LocalDial(Pipes& pipes, uint64_t id, std::unique_ptr<ByteStream> stream, Endpoint local)
      : pipes_(pipes), id_(id), remote_(std::move(stream)), end_(pipes.host_) {
    remote_->set_reading(false);
    local_ = pipes_.host_.connect_tcp(local, *this);
  }

  void on_connected() override {
    end_.start(Duration::zero(), [this] {
      pipes_.join(std::move(remote_), std::move(local_));
      pipes_.dials_.erase(id_);
    });
    local_->set_reading(false);
  }
  void on_data(Bytes) override {}  // reading is off
  void on_closed(NetError) override {
    end_.start(Duration::zero(), [this] { pipes_.dials_.erase(id_); });
  }

 private:
  Pipes& pipes_;
  const uint64_t id_;
  std::unique_ptr<ByteStream> remote_, local_;
  Timer end_;
};

Pipes::Pipes(Host& host) : host_(host) {}
Pipes::~Pipes() = default;

void Pipes::clear() {
  dials_.clear();
  pipes_.clear();
}

void Pipes::join(std::unique_ptr<ByteStream> first, std::unique_ptr<ByteStream> second, std::vector<uint8_t> early) {
  const uint64_t id = ++last_;
  pipes_[id] = std::make_unique<Pipe>(host_, std::move(first), std::move(second), std::move(early),
                                      [this, id] { pipes_.erase(id); });
}

void Pipes::join_to(std::unique_ptr<ByteStream> stream, Endpoint local) {
  const uint64_t id = ++last_;
  dials_[id] = std::make_unique<LocalDial>(*this, id, std::move(stream), local);
}

}  // namespace distlab::gateway
