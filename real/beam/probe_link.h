// The actor's end of the probe protocol (README.md): tells the probe in the BEAM what to do, and takes what it has
// seen. What comes is decoded as if it were hostile.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

#include "models/dist/framing.h"
#include "models/etf/term.h"
#include "models/host/event.h"
#include "models/host/host.h"

namespace distlab::beam {

inline constexpr size_t max_probe_frame = 16 * 1024 * 1024;

struct ProbeHello {
  std::string node, otp, pid;
};

// What a message of the probe says; the error is a line for people.
struct ProbeEvent {
  int64_t time_ns = 0;  // since the begin of the run
  std::string kind, subject;
  std::vector<std::pair<std::string, std::variant<int64_t, double, std::string>>> fields;
  Event view() const;  // valid while this lives
};
struct ProbeCookie {
  std::string peer, cookie;
};
struct ProbeReady {};
struct ProbeFinished {};
using ProbeMessage = std::variant<ProbeHello, ProbeReady, std::vector<ProbeEvent>, ProbeCookie, ProbeFinished>;
tl::expected<ProbeMessage, std::string> decode_probe(Bytes bytes);

class ProbeLink final : private StreamHandler {
 public:
  struct Handlers {  // from the loop
    std::function<void(const ProbeHello&)> hello;
    std::function<void()> ready;
    std::function<void(const ProbeEvent&)> event;
    std::function<void(const ProbeCookie&)> cookie;
    std::function<void()> finished;
    std::function<void(const std::string& why)> broken;  // the link is over, before `finished`
  };
  // Listens on a loopback port, for one probe.
  ProbeLink(Host& host, Handlers handlers);
  ~ProbeLink() override;

  bool listening() const { return listener_ != nullptr; }
  Endpoint local() const { return listener_->local(); }  // only if listening
  void send_plan(const etf::Term& plan);
  void send_finish();

 private:
  void accept(std::unique_ptr<ByteStream> stream);
  void on_data(Bytes data) override;
  void on_writable() override;
  void on_closed(NetError why) override;
  void take(const ProbeMessage& message);
  void send(const etf::Term& term);
  void broken(const std::string& why);

  Host& host_;
  Handlers handlers_;
  std::unique_ptr<TcpListener> listener_;
  std::unique_ptr<ByteStream> stream_;
  dist::FrameDecoder frames_{dist::HeaderSize::four, dist::FrameDecoder::no_limit, max_probe_frame};
  std::vector<uint8_t> unsent_;
  bool over_ = false;
};

}  // namespace distlab::beam
