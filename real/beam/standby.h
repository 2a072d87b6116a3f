// The actor's end of the standby protocol (README.md): a BEAM that has booted waits until its node is to be there.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "models/dist/framing.h"
#include "models/host/host.h"

namespace distlab::beam {

class Standby final : private StreamHandler {
 public:
  struct Handlers {  // from the loop
    std::function<void()> booted;
    std::function<void(const std::string& why)> broken;
  };
  // Listens on a loopback port, for one BEAM.
  Standby(Host& host, Handlers handlers);
  ~Standby() override;

  bool listening() const { return listener_ != nullptr; }
  Endpoint local() const { return listener_->local(); }  // only if listening
  void start(const std::string& node);                   // once it has booted: net_kernel starts

 private:
  void accept(std::unique_ptr<ByteStream> stream);
  void on_data(Bytes data) override;
  void on_closed(NetError why) override;

  Handlers handlers_;
  std::unique_ptr<TcpListener> listener_;
  std::unique_ptr<ByteStream> stream_;
  dist::FrameDecoder frames_{dist::HeaderSize::four, dist::FrameDecoder::no_limit, 1024};
  bool started_ = false;
};

}  // namespace distlab::beam
