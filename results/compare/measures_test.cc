#include "results/compare/measures.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/testing/events.h"

namespace distlab::results::compare {
namespace {

using scenario::Compared;
using testing::DoubleNear;
using testing::ElementsAre;
using testing::Pair;

Measures of(std::vector<EventRecord> events) {
  RunRecord run;
  run.id = 4;
  run.seed = 9;
  run.nodes = {{"a@home", "a"}, {"b@office", "b"}};
  run.virtual_seconds = 100;
  std::stable_sort(events.begin(), events.end(),
                   [](const EventRecord& x, const EventRecord& y) { return x.time_ns < y.time_ns; });
  return measure(digest(run, events), events);
}

auto about(double value) {
  return DoubleNear(value, 1e-9);
}

std::vector<std::string> outcomes(const Measures& measures, Compared metric) {
  std::vector<std::string> out;
  const auto found = measures.outcomes.find(metric);
  if (found == measures.outcomes.end()) return out;
  for (const OutcomeName& name : found->second) out.push_back(name.who + " " + name.what);
  return out;
}

// A run in which nothing happened contributes nothing.
TEST(Measures, OfNothing) {
  const Measures none = of({});
  EXPECT_EQ(none.run, 4);
  EXPECT_EQ(none.seed, 9U);
  EXPECT_TRUE(none.values.empty());
  EXPECT_TRUE(none.outcomes.empty());
}

// Set-up time is that of the side that dialled, and the pair has no order.
TEST(Measures, SetupTime) {
  EventRecord passive = node_up(2, "a", "b@office", 0.001);
  passive.fields[0].second = std::string("in");
  const Measures measures = of({node_up(2, "b", "a@home", 0.04), passive});
  EXPECT_THAT(measures.values.at(Compared::setup_time), ElementsAre(Pair("a-b", ElementsAre(about(0.04)))));
  EXPECT_THAT(outcomes(measures, Compared::setup_time), ElementsAre("a sees b up", "b sees a up"));
}

// Only calls with an answer have a latency; how the others end is an outcome.
TEST(Measures, CallLatency) {
  const Measures measures = of(
      {call_done(1, "a", "b", "ok", 0.02), call_done(9, "a", "b", "timeout", 5), call_done(10, "b", "a", "ok", 0.03)});
  EXPECT_THAT(measures.values.at(Compared::call_latency),
              ElementsAre(Pair("a->b", ElementsAre(about(0.02))), Pair("b->a", ElementsAre(about(0.03)))));
  EXPECT_THAT(outcomes(measures, Compared::call_latency), ElementsAre("a->b ok", "a->b timeout", "b->a ok"));
}

// Detection counts from the last fault before it; without one there is an outcome and no time.
TEST(Measures, DetectionTime) {
  const Measures measures =
      of({node_up(1, "a", "b@office"), node_up(1, "b", "a@home"), node_down(5, "b", "a@home", "disconnect"),
          fault(10, "home", "delay", "slow"), fault(20, "home", "down", "cut"), node_down(24, "a", "b@office")});
  EXPECT_THAT(measures.values.at(Compared::detection_time), ElementsAre(Pair("a->b", ElementsAre(about(4)))));
  EXPECT_THAT(outcomes(measures, Compared::detection_time),
              ElementsAre("a sees b down (net_tick_timeout)", "b sees a down (disconnect)"));
}

// Reconnection counts from node_down, or from the undoing of the fault when that came later.
TEST(Measures, ReconnectTime) {
  const Measures late_undoing =
      of({node_up(1, "a", "b@office"), fault(20, "home", "down", "cut"), node_down(24, "a", "b@office"),
          fault(30, "home", "up", "mend"), node_up(33, "a", "b@office")});
  EXPECT_THAT(late_undoing.values.at(Compared::reconnect_time), ElementsAre(Pair("a->b", ElementsAre(about(3)))));
  const Measures early_undoing =
      of({node_up(1, "a", "b@office"), fault(20, "home", "down", "cut"), fault(22, "home", "up", "mend"),
          node_down(24, "a", "b@office"), node_up(33, "a", "b@office")});
  EXPECT_THAT(early_undoing.values.at(Compared::reconnect_time), ElementsAre(Pair("a->b", ElementsAre(about(9)))));
  EXPECT_THAT(outcomes(early_undoing, Compared::reconnect_time), ElementsAre("a sees b up again"));
}

// Goodput is of acknowledged bulk, in bits per second.
TEST(Measures, Goodput) {
  const auto bulk = [](double at, const std::string& result) {
    return event(at, "a", "a->b", "bulk_done",
                 {{"bytes", int64_t{1'000'000}}, {"elapsed_ns", seconds(2)}, {"result", result}});
  };
  const Measures measures = of({bulk(5, "ok"), bulk(9, "timeout")});
  EXPECT_THAT(measures.values.at(Compared::goodput), ElementsAre(Pair("a->b", ElementsAre(about(4e6)))));
  EXPECT_THAT(outcomes(measures, Compared::goodput), ElementsAre("bulk a->b ok", "bulk a->b timeout"));
}

// Messages are counted over all pairs; a run that sent none has no count, which is not a count of zero.
TEST(Measures, Messages) {
  const Measures measures = of({sent(1, "a", "b", 1), sent(2, "a", "b", 2), received(3, "a", "b", 2),
                                received(3.5, "a", "b", 2), sent(4, "b", "a", 1)});
  EXPECT_THAT(measures.values.at(Compared::lost_messages), ElementsAre(Pair("", ElementsAre(2))));
  EXPECT_THAT(measures.values.at(Compared::duplicated_messages), ElementsAre(Pair("", ElementsAre(1))));
  EXPECT_THAT(measures.values.at(Compared::reordered_messages), ElementsAre(Pair("", ElementsAre(0))));
  EXPECT_EQ(of({node_up(1, "a", "b@office")}).values.count(Compared::lost_messages), 0U);
}

}  // namespace
}  // namespace distlab::results::compare
