#include "scenarios/cast/node_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/dist/flags.h"
#include "scenarios/loader.h"

namespace distlab::cast {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Pair;

scenario::Scenario load(const std::string& node, const std::string& workload = "") {
  const auto loaded = scenario::load_text("name: x\nduration: 99s\nsites: { s: {} }\nnodes: { a: { site: s, " + node +
                                              " }, b: { site: s, name: b@b.test } }\n" + workload,
                                          "x.yaml");
  EXPECT_TRUE(loaded.has_value());
  return loaded.value().at(0).scenario;
}

// What a file says of a node reaches its net_kernel, global and TCP; peers' keys become node names.
TEST(NodeSettings, FollowTheFile) {
  const auto scenario = load(
      "name: a@a.test, cookie: c, cookies: { b: d }, net_ticktime: 8s, net_tickintensity: 5, net_setuptime: 3s, "
      "hidden: true, connect_all: false, prevent_overlapping_partitions: false, dist_buf_busy_limit: 2KiB, "
      "epmd_port: 5000, listen_port: 6000, flags: { remove: [FRAGMENTS] }");
  const node::NodeConfig config = node_config(scenario, scenario.nodes.at("a"));
  EXPECT_EQ(config.net_kernel.name, "a@a.test");
  EXPECT_EQ(config.net_kernel.cookie, "c");
  EXPECT_THAT(config.net_kernel.peer_cookies, ElementsAre(Pair("b@b.test", "d")));
  EXPECT_EQ(config.net_kernel.net_ticktime, 8s);
  EXPECT_EQ(config.net_kernel.net_tickintensity, 5u);
  EXPECT_EQ(config.net_kernel.net_setuptime, 3s);
  EXPECT_TRUE(config.net_kernel.hidden);
  EXPECT_EQ(config.net_kernel.dist_buf_busy_limit, 2048u);
  EXPECT_EQ(config.net_kernel.dropped_flags, *dist::parse_flag("FRAGMENTS"));
  EXPECT_EQ(config.tcp.epmd_port, 5000);
  EXPECT_EQ(config.tcp.port, 6000);
}

workload::Action translated(const scenario::Scenario& scenario, Duration now) {
  const auto action = driver_action(scenario, scenario::expand_workload(scenario, 1).at(0), now);
  EXPECT_TRUE(action.has_value());
  return action.value_or(workload::Action{{}, workload::GlobalSync{}});
}

// Times become the driver's: an action that repeats and began before the node was up goes on in its rhythm.
TEST(NodeSettings, ActionsGoOnInTheirRhythm) {
  const auto scenario = load("", "workload: [{ from: 5s, to: 50s, call: a -> b, rate: 2/s, payload: 9B }]\n");
  const auto early = translated(scenario, 1s);
  EXPECT_EQ(early.schedule.start, 4s);
  EXPECT_EQ(early.schedule.end, Duration{49s});
  EXPECT_EQ(early.schedule.period, Duration{500ms});
  EXPECT_EQ(std::get<workload::Call>(early.what).peer, "b@b.test");
  EXPECT_EQ(std::get<workload::Call>(early.what).payload, 9u);
  EXPECT_EQ(translated(scenario, 10100ms).schedule.start, 400ms);
  EXPECT_EQ(translated(scenario, 10500ms).schedule.start, 0s);
  EXPECT_EQ(driver_action(scenario, scenario::expand_workload(scenario, 1).at(0), 50s), std::nullopt);
}

// What happens once and was due before the node was up is left out.
TEST(NodeSettings, LeavesOutWhatIsPast) {
  const auto scenario = load("", "workload: [{ at: 5s, connect: a -> b }]\n");
  EXPECT_EQ(translated(scenario, 5s).schedule.start, 0s);
  EXPECT_EQ(driver_action(scenario, scenario::expand_workload(scenario, 1).at(0), 5001ms), std::nullopt);
}

// Each harm of the file is the tunnel's fault of the same name.
TEST(NodeSettings, HarmsKeepTheirNames) {
  using scenario::MessageHarm;
  for (const auto harm :
       {MessageHarm::drop, MessageHarm::duplicate, MessageHarm::swap, MessageHarm::replay, MessageHarm::corrupt}) {
    const tunnel::MessageFault fault = message_fault(harm, 3);
    EXPECT_EQ(tunnel::to_string(fault.kind), scenario::to_string(harm));
    EXPECT_EQ(fault.nth, 3u);
  }
}

}  // namespace
}  // namespace distlab::cast
