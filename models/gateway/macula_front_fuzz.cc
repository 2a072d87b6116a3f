// Any bytes on two connections of a front whose mesh takes everybody in: it stays up, and what it keeps is bounded.
#include <cstdlib>
#include <memory>

#include "models/gateway/macula_front.h"
#include "models/host/test_host.h"

namespace {

using namespace distlab;

class Nobody final : public carrier::Carrier {
 public:
  void listen(const std::string&, Accepted, Listening done) override { done(4); }
  std::unique_ptr<carrier::Dial> dial(const std::string&, std::function<void()>, Dialled) override {
    return std::make_unique<carrier::Dial>();
  }
};

class Mesh final : public gateway::MaculaMesh {
 public:
  tl::expected<carrier::Carrier*, std::string> join(const gateway::JoinRequest&) override { return &nobody_; }
  void leave() override {}
  void set_cookie(const std::string&, const std::string&) override {}
  std::vector<gateway::TunnelLine> tunnels() override { return {}; }
  std::string relay() override { return ""; }

 private:
  Nobody nobody_;
};

struct Ignore : StreamHandler {
  void on_data(Bytes) override {}
  void on_closed(NetError) override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace std::chrono_literals;
  TestWorld world;
  TestHost& host = world.add_host("a", Ipv4{0x0a000001});
  Mesh mesh;
  gateway::MaculaFront front(host, mesh);
  if (!front.listening()) std::abort();
  Ignore ignore;
  const auto first = host.connect_tcp(front.local(), ignore), second = host.connect_tcp(front.local(), ignore);
  world.run_for(1ms);
  first->write({data, size / 2});
  world.run_for(1ms);
  second->write({data + size / 2, size - size / 2});
  world.run_for(20s);
  return 0;
}
