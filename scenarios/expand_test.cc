// What a seed decides, and that nothing else does.
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/testing/load.h"

namespace distlab::scenario {
namespace {

using namespace std::chrono_literals;
using Pairs = std::set<std::pair<std::string, std::string>>;

const std::string ten_nodes =
    "name: ten\nduration: 60s\nsites: { s: {} }\nnodes: { 'n{i}': { count: 10, site: s, start: 0s..1s } }\n";

Pairs pairs_of(const std::vector<Action>& actions, size_t entry) {
  Pairs pairs;
  for (const Action& action : actions)
    if (action.entry == entry) {
      EXPECT_TRUE(pairs.emplace(action.from, action.to).second) << action.from << action.to;
    }
  return pairs;
}

// Times are drawn within their range, differ between seeds and pairs, and reach both ends.
TEST(Expand, DrawsTimes) {
  const Scenario scenario = load_one(three_nodes + "workload: [{ at: 10s..14s, connect: [a, b, c] }]\n");
  std::set<Duration> times;
  Duration low = 1h, high{0};
  for (uint64_t seed = 0; seed < 200; ++seed)
    for (const Action& action : expand_workload(scenario, seed)) {
      EXPECT_EQ(action.at.low, action.at.high);
      times.insert(action.at.low);
      low = std::min(low, action.at.low);
      high = std::max(high, action.at.low);
    }
  EXPECT_EQ(times.size(), 600U);
  EXPECT_GE(low, 10s);
  EXPECT_LT(low, 10050ms);
  EXPECT_GT(high, 13950ms);
  EXPECT_LE(high, 14s);
}

// The same seed draws the same; what is added to the file does not move other draws.
TEST(Expand, DrawsAreIndependent) {
  const std::string workload = "workload: [{ at: 1s..9s, connect: a -> b }";
  const Scenario one = load_one(three_nodes + workload + "]\n");
  const Scenario two =
      load_one(three_nodes + workload + ", { at: 1s..9s, connect: b -> c }]\nfaults: [{ at: 1s..5s, down: sa }]\n");
  EXPECT_EQ(expand_workload(one, 7)[0].at, expand_workload(two, 7)[0].at);
  EXPECT_EQ(expand_faults(two, 7)[0].at, expand_faults(two, 7)[0].at);
  EXPECT_NE(expand_workload(one, 7)[0].at, expand_workload(one, 8)[0].at);
}

// In a ring each node has one peer, and all of them form one circle.
TEST(Expand, Ring) {
  const Scenario scenario = load_one(ten_nodes + "workload: [{ at: 1s, connect: { ring: '*' } }]\n");
  const Pairs pairs = pairs_of(expand_workload(scenario, 1), 0);
  std::map<std::string, std::string> next(pairs.begin(), pairs.end());
  std::string at = "n1";
  std::set<std::string> seen;
  while (seen.insert(at).second) at = next[at];
  EXPECT_EQ(seen.size(), 10U);
  EXPECT_EQ(next["n9"], "n10");
  EXPECT_EQ(next["n10"], "n1");
}

// Random peers are as many as asked for, never the node itself nor one it has by the ring; the seed
// decides, and an equal list has equal peers.
TEST(Expand, RandomPeers) {
  const std::string peers = "[{ ring: '*' }, { random_peers: { nodes: '*', count: 3 } }]";
  const Scenario scenario = load_one(ten_nodes + "workload:\n  - { at: 1s, connect: { all_peers: " + peers +
                                     " } }\n  - { at: 2s, call: { all_peers: " + peers +
                                     " } }\n  - { at: 3s, send: { one_peer: " + peers + " } }\n");
  std::set<Pairs> all;
  std::map<std::string, int> chosen;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const auto actions = expand_workload(scenario, seed);
    const Pairs connected = pairs_of(actions, 0), called = pairs_of(actions, 1), sent = pairs_of(actions, 2);
    EXPECT_EQ(connected.size(), 40U);  // ring and three more: all different
    for (const auto& [from, to] : connected) EXPECT_NE(from, to);
    EXPECT_EQ(connected, called);
    EXPECT_EQ(sent.size(), 10U);
    for (const auto& pair : sent) {
      EXPECT_TRUE(connected.count(pair)) << pair.first << pair.second;
      ++chosen[pair.second];
    }
    all.insert(connected);
  }
  EXPECT_EQ(all.size(), 50U);
  EXPECT_EQ(chosen.size(), 10U);
}

// Each fault has its steps, undone by the right one, in order of time.
TEST(Expand, Faults) {
  const Scenario scenario = load_one(three_nodes + R"(
faults:
  - { at: 30s, freeze: a, for: 5s }
  - { at: 10s, kill: b, for: 1s..2s }
  - { at: 10s, down: sa, for: 25s }
  - { at: 1s, hold: sa-sb, for: 1s }
  - { at: 2s, loss: sc, to: 50%, for: 1s }
  - { at: 2s, partition: [[a], [b]], for: 2s }
  - { at: 50s, black_hole: a, for: 1s }
  - { at: 51s, up: sa }
)" + std::string("\n"));
  const auto steps = expand_faults(scenario, 3);
  std::string text;
  for (size_t i = 0; i < steps.size(); ++i) {
    EXPECT_TRUE(i == 0 || steps[i].at >= steps[i - 1].at);
    text += std::string(to_string(steps[i].kind)) + (steps[i].undo ? "/" : "") + " ";
  }
  EXPECT_EQ(text, "hold release/ loss partition loss/ heal/ kill down start/ freeze thaw/ up/ black_hole up/ up ");
  EXPECT_GE(steps[8].at, 11s);
  EXPECT_LE(steps[8].at, 12s);
}

// A fault of a property sets just that one, and its undoing brings the file's value back, not zero.
TEST(Expand, ChangedProperties) {
  const LinkProperties original{.delay = 5ms, .loss = 0.1, .rate_bps = 1000, .queue = 7};
  LinkProperties now = original;
  Fault fault;
  fault.duration_value = 40ms;
  fault.rate_value = 0;
  EXPECT_TRUE(change_property({.kind = FaultKind::set_delay}, fault, original, now));
  EXPECT_EQ(now, (LinkProperties{.delay = 40ms, .loss = 0.1, .rate_bps = 1000, .queue = 7}));
  EXPECT_TRUE(change_property({.kind = FaultKind::set_rate}, fault, original, now));
  EXPECT_EQ(now.rate_bps, 0u);
  EXPECT_TRUE(change_property({.undo = true, .kind = FaultKind::set_delay}, fault, original, now));
  EXPECT_TRUE(change_property({.undo = true, .kind = FaultKind::set_rate}, fault, original, now));
  EXPECT_EQ(now, original);
  EXPECT_FALSE(change_property({.kind = FaultKind::down}, fault, original, now));
}

// Nodes start and boot within their ranges, each life anew.
TEST(Expand, StartAndBoot) {
  const Scenario scenario = load_one(ten_nodes);
  std::set<Duration> starts, boots;
  for (const auto& [key, node] : scenario.nodes) {
    starts.insert(start_time(scenario, key, 5));
    for (uint32_t life = 0; life < 3; ++life) boots.insert(boot_time(scenario, key, 5, life));
  }
  EXPECT_EQ(starts.size(), 10U);
  EXPECT_LE(*starts.rbegin(), 1s);
  EXPECT_EQ(boots.size(), 30U);
  EXPECT_GE(*boots.begin(), 140ms);
  EXPECT_LE(*boots.rbegin(), 210ms);
}

}  // namespace
}  // namespace distlab::scenario
