// The processes of a scenario on the in-memory ground: what they say to each other, and how they end.
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "models/host/event_kinds.h"
#include "models/host/test_host.h"
#include "scenarios/cast/epmd_actor.h"
#include "scenarios/cast/node_actor.h"
#include "scenarios/cast/node_settings.h"
#include "scenarios/cast/parts.h"
#include "scenarios/cast/relay_actor.h"
#include "scenarios/loader.h"

namespace distlab::cast {
namespace {

using namespace std::chrono_literals;

class Actors : public testing::Test {
 protected:
  void load(const std::string& relays, const std::string& nodes) {
    const auto loaded = scenario::load_text("name: x\nduration: 99s\nsites: { s: {} }\n" + relays + nodes +
                                                "workload:\n  - { at: 1s, connect: alice -> bob }\n"
                                                "  - { from: 2s, send: alice -> bob, rate: 10/s }\n",
                                            "x.yaml");
    ASSERT_TRUE(loaded.has_value());
    scenario_ = loaded->front().scenario;
    certificates_ = std::make_unique<Certificates>(scenario_, 1);
    script_ = std::make_unique<Script>(Script{scenario_, *certificates_, 1});
    uint32_t address = Ipv4::parse("10.0.0.1")->bits;
    for (const Part& part : parts(scenario_, 1))
      if (!machines_.contains(part.machine)) machines_[part.machine] = Ipv4{address++};
    for (const auto& [machine, at] : machines_) world_.add_name(machine, at);
  }
  void load_with_relay() {
    load("relays: { berlin: { site: s } }\n",
         "node_defaults: { carrier: relay, relays: [berlin] }\nnodes: { alice: { site: s }, bob: { site: s } }\n");
  }

  TestHost& host(const std::string& key) {
    TestHost*& at = hosts_[key];
    if (at == nullptr) at = &world_.add_host(key, machines_.at(scenario::host_of(scenario_, key)));
    return *at;
  }
  void start_node(const std::string& key) {
    nodes_[key] = std::make_unique<NodeActor>(host(key), *script_, actions(scenario_, 1)[key], faults_[key]);
  }
  void start_relay() { relay_ = std::make_unique<RelayActor>(host("berlin"), *script_); }

  size_t count(const std::string& key, std::string_view kind) const { return world_.events_of(key, kind).size(); }
  bool until(const std::string& key, std::string_view kind, size_t n) {
    return world_.run_until([&] { return count(key, kind) >= n; }, 60s);
  }

  TestWorld world_;
  scenario::Scenario scenario_;
  std::unique_ptr<Certificates> certificates_;
  std::unique_ptr<Script> script_;
  std::map<std::string, Ipv4> machines_;
  std::map<std::string, TestHost*> hosts_;
  std::map<std::string, tunnel::MessageFaults> faults_;
  std::unique_ptr<RelayActor> relay_;
  std::map<std::string, std::unique_ptr<NodeActor>> nodes_;
};

// Two nodes and a relay do what the scenario says; at the end the tunnels' counts are recorded.
TEST_F(Actors, TalkThroughTheirRelay) {
  load_with_relay();
  start_relay();
  start_node("alice");
  start_node("bob");
  ASSERT_TRUE(until("bob", kinds::message_received, 5));
  EXPECT_EQ(count("alice", kinds::tunnel_metrics), 0u);
  nodes_.at("alice")->finish();
  EXPECT_EQ(count("alice", kinds::tunnel_metrics), 1u);
}

// The same over TCP, with an EPMD on each machine.
TEST_F(Actors, TalkOverTcpWithTheirEpmds) {
  load("", "nodes: { alice: { site: s }, bob: { site: s } }\n");
  std::vector<std::unique_ptr<EpmdActor>> epmds;
  for (const Part& part : parts(scenario_, 1)) {
    if (part.kind != Kind::epmd) continue;
    epmds.push_back(std::make_unique<EpmdActor>(world_.add_host(part.key, machines_.at(part.machine)), part.port));
  }
  start_node("alice");
  start_node("bob");
  EXPECT_TRUE(until("bob", kinds::message_received, 5));
  nodes_.clear();
}

// A relay that is shut down has said goodbye when it is done; a second one at its port says what is wrong.
TEST_F(Actors, ARelayLeavesInGoodOrder) {
  load_with_relay();
  start_relay();
  start_node("alice");
  ASSERT_TRUE(until("alice", kinds::mesh_up, 1));
  {
    const RelayActor second(host("berlin"), *script_);
    EXPECT_EQ(count("berlin", kinds::log), 1u);
  }
  relay_->shut_down([this] { relay_.reset(); });
  ASSERT_TRUE(world_.run_until([&] { return relay_ == nullptr; }, 60s));
  EXPECT_TRUE(until("alice", kinds::mesh_down, 1));
}

// A wedged relay lets nothing through until it is well again.
TEST_F(Actors, AWedgedRelayIsSilent) {
  load_with_relay();
  start_relay();
  start_node("alice");
  start_node("bob");
  ASSERT_TRUE(until("bob", kinds::message_received, 5));
  relay_->wedge(true);
  world_.run_for(1s);
  const size_t before = count("bob", kinds::message_received);
  world_.run_for(3s);
  EXPECT_EQ(count("bob", kinds::message_received), before);
  relay_->wedge(false);
  EXPECT_TRUE(until("bob", kinds::message_received, before + 1));
}

// A client dies and another is registered as told; a node without relays has none to kill.
TEST_F(Actors, ClientsComeAndGo) {
  load_with_relay();
  start_relay();
  start_node("alice");
  ASSERT_TRUE(until("alice", kinds::mesh_up, 1));
  nodes_.at("alice")->kill_client();
  EXPECT_EQ(count("alice", kinds::client_died), 1u);
  nodes_.at("alice")->start_client();
  EXPECT_TRUE(until("alice", kinds::mesh_up, 2));
}

// A fault that waits for its message outlives the node it was armed for.
TEST_F(Actors, MessageFaultsOutliveARestart) {
  load_with_relay();
  bool done = false;
  auto fault = message_fault(scenario::MessageHarm::drop, 1);
  fault.done = [&] { done = true; };
  faults_["alice"].add(scenario_.nodes.at("bob").name, std::move(fault));
  start_relay();
  start_node("alice");
  ASSERT_TRUE(until("alice", kinds::mesh_up, 1));
  ASSERT_FALSE(done);
  nodes_.erase("alice");
  start_node("alice");
  start_node("bob");
  EXPECT_TRUE(world_.run_until([&] { return done; }, 60s));
}

}  // namespace
}  // namespace distlab::cast
