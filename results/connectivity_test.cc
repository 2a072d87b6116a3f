#include "results/connectivity.h"

#include <gtest/gtest.h>

#include "results/testing/events.h"

namespace distlab::results {
namespace {

const Naming no_names{{}};

// Up periods end with node_down and its reason, with the observer's death, or with the run.
TEST(Connectivity, KnowsWhenEachNodeHeldAnotherUp) {
  const std::vector<EventRecord> events = {
      node_up(1, "a", "b"),
      node_up(1, "b", "a"),
      node_down(5, "a", "b"),
      event(6, "ground", "b", "process_killed"),
      event(8, "ground", "b", "process_started"),
      event(8.5, "a", "b", "connect_failed", {{"reason", std::string("econnrefused")}, {"elapsed_ns", seconds(0.1)}}),
      node_up(9, "a", "b"),
  };
  const Connectivity seen = connectivity(events, no_names, seconds(20));
  const PeerView& a = seen.views.at({"a", "b"});
  ASSERT_EQ(a.up.size(), 2u);
  EXPECT_EQ(a.up[0], (UpPeriod{seconds(1), seconds(5), true, "net_tick_timeout", "out", seconds(0.05)}));
  EXPECT_EQ(a.up[1], (UpPeriod{seconds(9), seconds(20), false, "", "out", seconds(0.05)}));
  ASSERT_EQ(a.failures.size(), 1u);
  EXPECT_EQ(a.failures[0].reason, "econnrefused");
  EXPECT_FALSE(a.up_at(seconds(0.5)));
  EXPECT_TRUE(a.up_at(seconds(1)));
  EXPECT_FALSE(a.up_at(seconds(5)));
  EXPECT_TRUE(a.up_at(seconds(20)));
  const PeerView& b = seen.views.at({"b", "a"});
  ASSERT_EQ(b.up.size(), 1u);
  EXPECT_EQ(b.up[0].reason, "observer killed");
  EXPECT_EQ(b.up[0].to_ns, seconds(6));
  const auto& spans = seen.processes.at("b");
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].from_ns, seconds(6));
  EXPECT_EQ(spans[0].to_ns, seconds(8));
}

// A process killed while it is frozen ends the one span and begins the other; a span may outlast the run.
TEST(Connectivity, FollowsTheLifeOfAProcess) {
  const Connectivity seen = connectivity({event(0, "a", "a", "process_started"), event(2, "a", "a", "process_frozen"),
                                          event(3, "a", "a", "process_killed")},
                                         no_names, seconds(9));
  const auto& spans = seen.processes.at("a");
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[0].state, ProcessSpan::State::frozen);
  EXPECT_EQ(spans[0].to_ns, seconds(3));
  EXPECT_EQ(spans[1].state, ProcessSpan::State::down);
  EXPECT_EQ(spans[1].to_ns, seconds(9));
}

// A pair needs its arrow; a node_down without a node_up invents no period.
TEST(Connectivity, ToleratesWhatItDoesNotUnderstand) {
  EXPECT_FALSE(no_names.pair_of("nonsense"));
  const Connectivity seen = connectivity({node_down(1, "a", "b")}, no_names, seconds(9));
  EXPECT_TRUE(seen.views.at({"a", "b"}).up.empty());
}

}  // namespace
}  // namespace distlab::results
