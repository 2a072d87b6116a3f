// Runtimes joined by an in-memory distribution, for unit tests.
//
// Every message is encoded and decoded again as it travels, so that what is asserted are the terms
// on the wire. A connection takes one round trip to set up, a message half of one.
//
//   Cluster cluster;
//   TestNode& a = cluster.add("a@hosta.test");
//   TestNode& b = cluster.add("b@hostb.test");
//   a.runtime().spawn<...>();
//   cluster.run_for(1s);
//   EXPECT_EQ(cluster.ops("a", "b"), (std::vector{19, 6, 20}));
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "models/dist/flags.h"
#include "models/etf/codec.h"
#include "models/host/test_host.h"
#include "models/process/runtime.h"
#include "models/process/services.h"

namespace distlab::etf {
// How GoogleTest shows a term.
inline void PrintTo(const Term& term, std::ostream* out) {
  *out << term.to_string(1000);
}
}  // namespace distlab::etf

namespace distlab::process {

class Cluster;

// One message as it went over a wire.
struct Wire {
  std::string from, to;
  int64_t op = 0;
  Term control;
  std::optional<Term> payload;
};

class TestNode final : public Distribution {
 public:
  TestNode(Cluster& cluster, TestHost& host, std::string name, uint32_t creation, dist::Flags flags, Limits limits);
  ~TestNode() override;

  Runtime& runtime() { return *runtime_; }
  Services& start_services(const ServiceOptions& options = {});
  Services& services() { return *services_; }
  TestHost& host() { return host_; }

  const std::string& self() const override { return name_; }
  uint32_t creation() const override { return creation_; }
  SendResult send(const std::string& peer, dist::Message message) override;
  void connect(const std::string& peer, std::function<void(bool)> done) override;
  void disconnect(const std::string& peer) override;
  bool connected(const std::string& peer) const override;
  std::vector<std::string> visible_nodes() const override;
  uint64_t flags(const std::string& peer) const override;

  // While on, everything sent to the peer is answered with `busy`; off resumes.
  void set_busy(const std::string& peer, bool on);
  // Sends a message as this node although its runtime knows nothing of it.
  void inject(const std::string& peer, const dist::Message& message);

 private:
  friend class Cluster;
  struct Connecting {
    std::deque<dist::Message> queue;
    std::vector<std::function<void(bool)>> waiting;
  };
  void transmit(const std::string& peer, const dist::Message& message);
  void start_connecting(const std::string& peer);
  void connecting_done(const std::string& peer, bool up);

  Cluster& cluster_;
  TestHost& host_;
  const std::string name_;
  const uint32_t creation_;
  const dist::Flags own_flags_;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<Services> services_;
  std::set<std::string> up_;
  std::set<std::string> untold_;           // connected, but the runtime does not know yet
  std::map<std::string, uint64_t> epoch_;  // of connections, so that messages of an old one are lost
  std::map<std::string, Connecting> connecting_;
  std::set<std::string> busy_;
};

class Cluster {
 public:
  explicit Cluster(uint64_t seed = 1) : world_(seed) {}
  ~Cluster();

  TestNode& add(const std::string& name, dist::Flags flags = dist::otp_25_visible, Limits limits = {});
  TestWorld& world() { return world_; }
  void run_for(Duration duration) { world_.run_for(duration); }
  bool run_until(const std::function<bool()>& done, Duration limit = std::chrono::seconds{30}) {
    return world_.run_until(done, limit);
  }
  bool connect(TestNode& a, TestNode& b);
  // The connection breaks; both ends are told with the next event. No new one until allowed again.
  void cut(TestNode& a, TestNode& b);
  void forbid(TestNode& a, TestNode& b, bool on = true);

  std::vector<Wire> wires(const TestNode& from, const TestNode& to) const;
  std::vector<int64_t> ops(const TestNode& from, const TestNode& to) const;
  void forget_wires() { wires_.clear(); }
  // Texts of the log events of a node.
  std::vector<std::string> logs(const TestNode& node) const;

  static constexpr Duration one_way = std::chrono::milliseconds{1};

 private:
  friend class TestNode;
  void break_connection(const std::string& a, const std::string& b, const std::string& a_reason,
                        const std::string& b_reason);

  TestWorld world_;
  uint8_t next_address_ = 1;
  std::map<std::string, std::unique_ptr<TestNode>> nodes_;
  std::set<std::pair<std::string, std::string>> forbidden_;
  std::vector<Wire> wires_;
};

// A process that keeps what happens to it and lets a test act in its name.
class Probe : public Process {
 public:
  using Process::abandon;
  using Process::cancel_timer;
  using Process::demonitor;
  using Process::exit;
  using Process::exit_other;
  using Process::link;
  using Process::make_ref;
  using Process::monitor;
  using Process::send;
  using Process::spawn_request;
  using Process::start_timer;
  using Process::trap_exit;
  using Process::unlink;
  using Process::watch_nodes;

  std::vector<Term> messages;
  std::vector<Down> downs;
  std::vector<std::pair<Pid, Term>> exits;
  std::vector<std::pair<Ref, Term>> spawn_replies;
  std::vector<std::string> nodes_up, nodes_down;
  std::function<void(Probe&, const Term&)> react;

 protected:
  void on_message(const Term& message) override {
    messages.push_back(message);
    if (react) react(*this, message);
  }
  void on_down(const Down& down) override { downs.push_back(down); }
  void on_exit_signal(const Pid& from, const Term& reason) override { exits.emplace_back(from, reason); }
  void on_spawn_reply(const Ref& request, const Term& result) override { spawn_replies.emplace_back(request, result); }
  void on_node_up(const std::string& peer) override { nodes_up.push_back(peer); }
  void on_node_down(const std::string& peer, const std::string& reason) override {
    nodes_down.push_back(peer + " " + reason);
  }
};

}  // namespace distlab::process
