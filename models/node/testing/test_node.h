// Nodes for tests: a net_kernel on a TestHost, with a carrier that needs no EPMD and a listener that
// writes down what it is told.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/host/event_kinds.h"
#include "models/host/test_host.h"
#include "models/node/net_kernel.h"

namespace distlab::node::testing {

inline constexpr uint16_t dist_port = 9100;

// Looks the host part up, then connects to dist_port there. `dial_time` passes first.
class DirectCarrier final : public carrier::Carrier {
 public:
  explicit DirectCarrier(Host& host) : host_(host) {}
  void listen(const std::string& node_name, Accepted accepted, Listening done) override;
  std::unique_ptr<carrier::Dial> dial(const std::string& node_name, std::function<void()> progress,
                                      Dialled done) override;
  Duration dial_time{0};

 private:
  Host& host_;
  std::unique_ptr<TcpListener> listener_;
};

// On every nodeup it sends the peer a message, as OTP's rex and global do, unless `quiet`.
class TestNode final : public process::DistributionListener {
 public:
  TestNode(TestHost& host, NetKernelConfig config);

  TestHost& host;
  DirectCarrier carrier;
  NetKernel kernel;
  bool quiet = false;
  bool echo = false;  // answers whatever is sent to the name `echo` with `answer`

  std::vector<std::string> told;  // "up b@hostb.test", "hidden-up ..", "down b@.. reason", "failed b@..", "resume b@.."
  std::vector<std::string> received;                // "to_name from b@hostb.test"
  std::vector<std::pair<Time, std::string>> downs;  // reason

  void send_to(const std::string& peer, const std::string& to_name, size_t bytes = 0);
  // Whether the connection came about, once it is known.
  std::shared_ptr<std::optional<bool>> connect(const std::string& peer);
  const std::string& name() const { return kernel.self(); }

  void on_message(const std::string& peer, dist::Message message) override;
  void on_node_up(const std::string& peer, bool visible) override;
  void on_node_down(const std::string& peer, std::string_view reason) override;
  void on_connect_failed(const std::string& peer) override;
  void on_resume(const std::string& peer) override;
};

// Nodes a@hosta.test, b@hostb.test, c@hostc.test at 10.0.0.1 to 10.0.0.3 with cookie "c".
class Lab {
 public:
  explicit Lab(uint64_t seed = 1) : world(seed) {}

  // `letter` is 'a' to 'z'. The ticker starts when this is called: run the world in between to
  // shift the nodes' phases.
  TestNode& start(char letter, NetKernelConfig config = {});
  TestHost& host(char letter);
  static std::string name_of(char letter) { return std::string(1, letter) + "@host" + letter + ".test"; }

  // One way, both ways, between all machines known so far.
  void set_delay(Duration one_way);
  void hold(TestNode& from, TestNode& to) { world.hold(from.host.address(), to.host.address()); }
  void release(TestNode& from, TestNode& to) { world.release(from.host.address(), to.host.address()); }
  void silence(TestNode& from, TestNode& to, bool on = true) {
    world.black_hole(from.host.address(), to.host.address(), on);
  }
  bool connect(TestNode& from, TestNode& to, Duration limit = std::chrono::seconds{30});

  // Field of the events of one kind at a host, in order.
  std::vector<std::string> fields(TestNode& node, std::string_view kind, std::string_view key) const;
  std::vector<std::string> logs(TestNode& node) const { return fields(node, kinds::log, "text"); }
  std::vector<std::string> statuses(TestNode& node, std::string_view step) const;  // of handshake steps

  TestWorld world;

 private:
  std::vector<std::unique_ptr<TestNode>> nodes_;
  std::vector<std::pair<char, TestHost*>> hosts_;
};

}  // namespace distlab::node::testing
