// What a scenario does to relays, clients and tunnel messages, done to a simulated world.
#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/loader.h"
#include "sim/ground.h"

namespace distlab::sim {
namespace {

using ::testing::ElementsAre;

using Events = std::vector<results::EventRecord>;

// alice and bob connected over berlin from 3 s on, with a message a second from alice to bob.
Events run_with(const std::string& faults, const std::string& more = "") {
  const auto loaded = scenario::load_text(
      "name: t\nduration: 60s\nsites: { home: {}, office: {}, core: {} }\ndefault_path: { delay: 1ms }\n"
      "relays: { berlin: { site: core } }\n"
      "node_defaults: { carrier: relay, relays: [berlin], net_ticktime: 8s" +
          more +
          " }\n"
          "nodes: { alice: { site: home }, bob: { site: office } }\n"
          "workload:\n  - { at: 3s, connect: alice -> bob }\n  - { from: 5s, send: alice -> bob, rate: 1/s }\n"
          "faults: [" +
          faults + "]\n",
      "t.yaml");
  EXPECT_TRUE(loaded.has_value());
  Events events;
  const auto ran = run(loaded->front().scenario, {}, [&](const results::EventRecord& e) { events.push_back(e); });
  EXPECT_TRUE(ran.has_value());
  return events;
}

// The seconds at which events of a kind happened on a host, rounded down.
std::vector<int64_t> times(const Events& events, std::string_view kind, std::string_view host) {
  std::vector<int64_t> out;
  for (const auto& e : events)
    if (e.kind == kind && e.host == host) out.push_back(e.time_ns / 1'000'000'000);
  return out;
}

// A restart that does not wait for the last goodbye cuts the old process short.
TEST(RelayFaults, RestartsWhoIsStillLeaving) {
  const Events events = run_with("{ at: 19s, black_hole: home, for: 5s }, { at: 20s, shutdown: berlin, for: 1s }");
  EXPECT_THAT(times(events, "process_killed", "berlin"), ElementsAre(21));
  EXPECT_THAT(times(events, "process_started", "berlin"), ElementsAre(0, 21));
}

// While a relay is wedged nothing gets through, though its sessions stay; afterwards all does.
TEST(RelayFaults, AWedgedRelayHearsAndSaysNothing) {
  const Events events = run_with("{ at: 20500ms, wedge: berlin, for: 4s }");
  EXPECT_TRUE(times(events, "session_down", "berlin").empty());
  const auto received = times(events, "message_received", "bob");
  for (int64_t t = 5; t < 60; ++t)
    EXPECT_EQ(std::count(received.begin(), received.end(), t), t > 20 && t < 25 ? 0 : 1) << t;
}

// A client is killed and another is registered at the times the scenario gives, whatever the preset does.
TEST(RelayFaults, KillsAndRegistersAClient) {
  const Events events = run_with("{ at: 20s, kill_client: alice, for: 3s }", ", mesh: { restart_after: infinity }");
  EXPECT_THAT(times(events, "client_died", "alice"), ElementsAre(20));
  EXPECT_THAT(times(events, "client_started", "alice"), ElementsAre(0, 23));
  EXPECT_TRUE(times(events, "client_died", "bob").empty());
}

// Each harm comes out as it must: a whole message lost, doubled, and dropped as not decrypted.
TEST(RelayFaults, HarmsOneMessage) {
  const auto received = [](const std::string& harm) {
    const Events events = run_with("{ at: 20500ms, tunnel_message: alice -> bob, harm: " + harm + " }");
    const auto at = times(events, "message_received", "bob");
    return std::pair(std::count(at.begin(), at.end(), 21), times(events, "decrypt_failed", "bob").size());
  };
  EXPECT_EQ(received("drop"), std::pair(0L, size_t{0}));
  EXPECT_EQ(received("duplicate"), std::pair(2L, size_t{0}));
  EXPECT_EQ(received("corrupt"), std::pair(0L, size_t{1}));
}

}  // namespace
}  // namespace distlab::sim
