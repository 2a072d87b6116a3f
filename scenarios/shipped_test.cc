// The scenario files of this folder: they load, and say what their names promise.
#include <filesystem>
#include <set>

#include <gtest/gtest.h>

#include "scenarios/loader.h"

namespace distlab::scenario {
namespace {

using namespace std::chrono_literals;

std::vector<Variant> shipped(const std::string& name) {
  auto loaded = load("scenarios/" + name + ".yaml");
  if (loaded) return std::move(*loaded);
  for (const Diagnostic& one : loaded.error()) ADD_FAILURE() << one.text();
  return {};
}

// Every file loads, is called as its file, has a summary and expectations; its canonical text loads to
// the same.
TEST(Shipped, AllLoad) {
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator("scenarios")) {
    if (entry.path().extension() != ".yaml") continue;
    ++files;
    const std::string name = entry.path().stem().string();
    const auto folder = entry.path().parent_path().lexically_relative("scenarios");
    for (const Variant& variant : shipped((folder / name).string())) {
      EXPECT_EQ(variant.scenario.name, name);
      EXPECT_FALSE(variant.scenario.summary.empty()) << name;
      EXPECT_FALSE(variant.scenario.expect.empty()) << name;
      const auto again = load_text(variant.canonical, name);
      ASSERT_TRUE(again) << again.error().front().text();
      EXPECT_EQ(again->front().canonical, variant.canonical);
      EXPECT_EQ(again->front().scenario.expect.size(), variant.scenario.expect.size());
    }
  }
  EXPECT_GE(files, 11U);
}

// The tick-timeout scenario is the measured one: T = 4 s, I = 4, random phases, both kinds of silence.
TEST(Shipped, TickTimeout) {
  const auto variants = shipped("tick-timeout");
  ASSERT_EQ(variants.size(), 2U);
  for (const Variant& variant : variants) {
    EXPECT_EQ(variant.labels.size(), 1U);
    EXPECT_EQ(variant.scenario.nodes.at("bob").net_ticktime, 4s);
    EXPECT_EQ(variant.scenario.faults[0].at, (TimeRange{20s, 24s}));
  }
  EXPECT_TRUE(variants[0].scenario.faults[0].link->inwards);
  EXPECT_FALSE(variants[1].scenario.faults[0].link->inwards);
}

// The mesh has a hundred nodes in a hundred sites, each dialling four peers, calling one of them.
TEST(Shipped, Mesh) {
  const auto variants = shipped("bench/mesh-100-tcp");
  ASSERT_EQ(variants.size(), 1U);
  const Scenario& scenario = variants[0].scenario;
  EXPECT_EQ(scenario.sites.size(), 100U);
  EXPECT_EQ(scenario.nodes.size(), 100U);
  EXPECT_EQ(scenario.duration, 10min);
  std::set<std::pair<std::string, std::string>> dialled;
  size_t calls = 0;
  for (const Action& action : expand_workload(scenario, 1)) {
    if (action.kind == ActionKind::connect) dialled.emplace(action.from, action.to);
    if (action.kind != ActionKind::call) continue;
    ++calls;
    EXPECT_TRUE(dialled.count({action.from, action.to}));
    EXPECT_EQ(action.period, 1s);
  }
  EXPECT_EQ(dialled.size(), 400U);
  EXPECT_EQ(calls, 100U);
}

// The latency sweep covers round trips from 10 ms to 4 s, before and after the set-up, at three tick times.
TEST(Shipped, LatencySweep) {
  std::set<Duration> delays, ticktimes;
  std::set<bool> before;
  for (const Variant& variant : shipped("latency-sweep")) {
    delays.insert(variant.scenario.faults[0].duration_value);
    ticktimes.insert(variant.scenario.nodes.at("alice").net_ticktime);
    before.insert(variant.scenario.faults[0].at.low == 0s);
  }
  EXPECT_EQ(*delays.begin(), 5ms);
  EXPECT_EQ(*delays.rbegin(), 2s);
  EXPECT_EQ(ticktimes.size(), 3U);
  EXPECT_EQ(before.size(), 2U);
}

}  // namespace
}  // namespace distlab::scenario
