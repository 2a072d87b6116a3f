// Whole scenarios on the sim ground: what it promises, and the figures measured on OTP 25 (facts,
// OTP: "Ticks and failures") as they come out of the algorithm.
#include "sim/ground.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "scenarios/loader.h"

namespace distlab::sim {
namespace {

using Events = std::vector<results::EventRecord>;

struct Ran {
  RunResult result;
  Events events;
};

scenario::Scenario load(const std::string& text) {
  const auto loaded = scenario::load_text(text, "test.yaml");
  if (!loaded) {
    for (const auto& problem : loaded.error()) ADD_FAILURE() << problem.text();
    return {};
  }
  return loaded->front().scenario;
}

Ran run_seed(const scenario::Scenario& scenario, uint64_t seed, RunOptions options = {}) {
  options.seed = seed;
  Ran out;
  const auto result = run(scenario, options, [&](const results::EventRecord& e) { out.events.push_back(e); });
  EXPECT_TRUE(result) << result.error();
  if (result) out.result = *result;
  return out;
}

const results::EventRecord* first(const Events& events, std::string_view kind, std::string_view host = "") {
  const auto found = std::find_if(events.begin(), events.end(), [&](const results::EventRecord& e) {
    return e.kind == kind && (host.empty() || e.host == host);
  });
  return found == events.end() ? nullptr : &*found;
}

// Two nodes whose ticks are in random phase, connected at 2 s; `faults` is what happens to them.
std::string two_nodes(const std::string& faults) {
  return "name: t\nsummary: t\nduration: 40s\n"
         "sites:\n  west: { uplink: { delay: 2ms } }\n  east: { uplink: { delay: 2ms } }\n"
         "default_path: { delay: 6ms }\n"
         "node_defaults: { net_ticktime: 4s, start: 0s..1s }\n"
         "nodes:\n  alice: { site: west }\n  bob: { site: east }\n"
         "workload:\n  - { at: 2s, connect: alice -> bob }\n"
         "faults:\n" +
         faults;
}

// The same scenario and seed give the same trace; another seed gives another.
TEST(SimGround, SameSeedSameTrace) {
  const auto scenario = load(two_nodes("  - { at: 10s..12s, down: west-east, for: 10s }\n"));
  const Ran a = run_seed(scenario, 1), b = run_seed(scenario, 1), c = run_seed(scenario, 2);
  EXPECT_EQ(a.result.trace_hash, b.result.trace_hash);
  EXPECT_EQ(a.events, b.events);
  EXPECT_EQ(a.result.packets, b.result.packets);
  EXPECT_NE(a.result.trace_hash, c.result.trace_hash);
}

// What others draw does not move a node's draws: with a third node beside them, alice and bob do
// what they did without it, at the same times.
TEST(SimGround, AnotherNodeMovesNobodysDraws) {
  std::string with_carol = two_nodes("  - { at: 10s..12s, down: west-east, for: 10s }\n");
  const std::string bob = "  bob: { site: east }\n";
  with_carol.insert(with_carol.find(bob) + bob.size(), "  carol: { site: east, start: 0s..3s }\n");
  Events before = run_seed(load(two_nodes("  - { at: 10s..12s, down: west-east, for: 10s }\n")), 5).events;
  Events after = run_seed(load(with_carol), 5).events;
  const auto others = [](const results::EventRecord& e) { return e.host != "alice" && e.host != "bob"; };
  before.erase(std::remove_if(before.begin(), before.end(), others), before.end());
  after.erase(std::remove_if(after.begin(), after.end(), others), after.end());
  EXPECT_EQ(before, after);
}

// Silence both ways: both nodes notice after T-T/I to T+T/I, spread over it (measured 3.03 to 4.97 s).
TEST(SimGround, SilenceIsNoticedWithinTheBounds) {
  const auto scenario = load(two_nodes("  - { at: 20s..24s, black_hole: west-east }\n"));
  double least = 10, most = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const Ran ran = run_seed(scenario, seed);
    const auto* fault = first(ran.events, "fault");
    ASSERT_NE(fault, nullptr);
    for (const char* node : {"alice", "bob"}) {
      const auto* down = first(ran.events, "node_down", node);
      ASSERT_NE(down, nullptr) << node << ", seed " << seed;
      const double after = static_cast<double>(down->time_ns - fault->time_ns) / 1e9;
      EXPECT_GE(after, 3.0);
      EXPECT_LE(after, 5.0);
      least = std::min(least, after);
      most = std::max(most, after);
    }
  }
  EXPECT_LT(least, 3.5);
  EXPECT_GT(most, 4.5);
}

// A stall of up to 3.0 s is survived, one of 5 s and more never; between them it is a matter of
// phase (measured: 20/20 at 3.0 s, 0/20 from 4.0 s on, at a path of no delay).
TEST(SimGround, StallRows) {
  const auto survivors = [](const std::string& length) {
    const auto scenario = load(two_nodes("  - { at: 20s..24s, hold: west-east, for: " + length + " }\n"));
    int alive = 0;
    for (uint64_t seed = 1; seed <= 20; ++seed) alive += first(run_seed(scenario, seed).events, "node_down") == nullptr;
    return alive;
  };
  EXPECT_EQ(survivors("2s"), 20);
  EXPECT_GE(survivors("2950ms"), 19);
  EXPECT_EQ(survivors("5s"), 0);
  const int between = survivors("3500ms");
  EXPECT_GT(between, 0);
  EXPECT_LT(between, 20);
}

// A killed node's peer sees the connection close within a round trip; started again, it is another
// incarnation that can be connected to.
TEST(SimGround, KillAndStart) {
  const Ran ran = run_seed(load(two_nodes("  - { at: 20s, kill: bob, for: 5s }\n")), 1);
  const auto* down = first(ran.events, "node_down", "alice");
  ASSERT_NE(down, nullptr);
  EXPECT_EQ(std::get<std::string>(down->fields.at(0).second), "connection_closed");
  EXPECT_LT(down->time_ns, 20'100'000'000);
  EXPECT_EQ(std::count_if(ran.events.begin(), ran.events.end(),
                          [](const auto& e) { return e.kind == "process_started" && e.host == "bob"; }),
            2);
}

// A capture is a pcap file with packets of both directions in it.
TEST(SimGround, Captures) {
  const auto folder = std::filesystem::temp_directory_path() / "distlab-ground-test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  RunOptions options;
  options.pcap_directory = folder.string();
  const auto scenario = load(two_nodes("  []\n"));
  run_seed(scenario, 1, options);
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    EXPECT_GT(entry.file_size(), 1000u);
    ++files;
  }
  EXPECT_EQ(files, 2u);
  std::filesystem::remove_all(folder);
  options.pcap_directory = (folder / "not there").string();
  const auto failed = run(scenario, options, nullptr);
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().find("not there"), std::string::npos);
}

// A run that is told to stop stops, and says so.
TEST(SimGround, StopsWhenTold) {
  RunOptions options;
  int calls = 0;
  options.on_progress = [&](Duration) { return ++calls < 3; };
  const Ran ran = run_seed(load(two_nodes("  []\n")), 1, options);
  EXPECT_TRUE(ran.result.interrupted);
  EXPECT_LT(ran.result.virtual_time, std::chrono::seconds{2});
}

// Replaying what the nodes wrote with bare ns-3 sockets moves the same packets, but for the farewells
// of the EPMD connections and the handshakes, whose acknowledgements are not delayed: a fair measure of what ns-3 alone
// costs. So it is over ns-3's own links.
TEST(SimGround, ReplayMovesTheSamePackets) {
  auto scenario = load(two_nodes("  []\n"));
  TrafficLog log;
  RunOptions options;
  options.traffic_log = &log;
  const Ran ran = run_seed(scenario, 1, options);
  for (const ReplayNetwork network : {ReplayNetwork::ours, ReplayNetwork::stock}) {
    const ReplayResult replayed = replay(scenario, 1, log, network);
    EXPECT_NEAR(static_cast<double>(replayed.packets), static_cast<double>(ran.result.packets), 16);
    EXPECT_GT(replayed.bytes_received, 100u);
  }
}

}  // namespace
}  // namespace distlab::sim
