#include "scenarios/cast/parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/testing/load.h"

namespace distlab::cast {
namespace {

using namespace std::chrono_literals;
using scenario::load_one;
using testing::ElementsAre;

// EPMDs are shared by the nodes of a machine and port and stand first; relays and nodes follow with their
// machines, start times and whether they start by themselves.
TEST(Parts, AreAllProcessesInTheOrderOfTheirStart) {
  const auto scenario = load_one(
      "name: x\nduration: 9s\nsites: { s: {} }\nrelays: { r: { site: s, host: r.test, start: 1s } }\n"
      "nodes:\n"
      "  d: { site: s, name: d@m2.test, carrier: relay, relays: [r] }\n"
      "  c: { site: s, name: c@m1.test, epmd_port: 5000 }\n"
      "  b: { site: s, name: b@m1.test, autostart: false }\n"
      "  a: { site: s, name: a@m1.test, start: 2s }\n");
  EXPECT_THAT(parts(scenario, 1),
              ElementsAre(Part{"epmd:m1.test:4369", Kind::epmd, "m1.test", 0s, true, 4369},
                          Part{"epmd:m1.test:5000", Kind::epmd, "m1.test", 0s, true, 5000},
                          Part{"r", Kind::relay, "r.test", 1s, true, 0}, Part{"a", Kind::node, "m1.test", 2s, true, 0},
                          Part{"b", Kind::node, "m1.test", 0s, false, 0}, Part{"c", Kind::node, "m1.test", 0s, true, 0},
                          Part{"d", Kind::node, "m2.test", 0s, true, 0}));
}

// Each node gets its own actions, in the order of the file, with times that the seed has settled.
TEST(Parts, ActionsBelongToTheirNodes) {
  const auto scenario = load_one(
      "name: x\nduration: 9s\nsites: { s: {} }\nnodes: { a: { site: s }, b: { site: s } }\n"
      "workload:\n  - { at: 1s..2s, connect: a -> b }\n  - { at: 3s, connect: b -> a }\n"
      "  - { at: 1s, disconnect: a -> b }\n");
  const auto all = actions(scenario, 7);
  ASSERT_EQ(all.at("a").size(), 2u);
  EXPECT_EQ(all.at("a").at(0).kind, scenario::ActionKind::connect);
  EXPECT_EQ(all.at("a").at(0).at.low, all.at("a").at(0).at.high);
  EXPECT_EQ(all.at("a").at(1).kind, scenario::ActionKind::disconnect);
  EXPECT_EQ(all.at("b").size(), 1u);
}

// Names of kinds are read back as what they were; others are not understood. Lives differ, the first has
// the run's seed.
TEST(Parts, NamesAndSeeds) {
  for (const Kind kind : {Kind::epmd, Kind::relay, Kind::node}) EXPECT_EQ(parse_kind(to_string(kind)), kind);
  EXPECT_EQ(parse_kind("nodes"), std::nullopt);
  EXPECT_EQ(life_seed(5, 0), 5u);
  EXPECT_NE(life_seed(5, 1), life_seed(5, 2));
}

}  // namespace
}  // namespace distlab::cast
