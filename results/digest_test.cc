#include "results/digest.h"

#include <gtest/gtest.h>

#include "results/summary.h"
#include "results/testing/events.h"

namespace distlab::results {
namespace {

std::string text(const std::vector<FaultSpan>& spans) {
  std::string out;
  for (const FaultSpan& span : spans)
    out += span.fault + " " + span.target + " " + std::to_string(span.from_ns / 1'000'000'000) + "-" +
           std::to_string(span.to_ns / 1'000'000'000) + (span.undone ? "\n" : " still\n");
  return out;
}

// Faults end by their own undoing, by their opposite, by the next change of the same thing, or never.
TEST(Digest, PairsFaultsWithTheirEnds) {
  const auto spans = fault_spans(
      {
          fault(1, "a", "kill", "kill-1"),
          fault(2, "home (out)", "black_hole", "hole"),
          fault(3, "a", "start", "start-1"),
          fault(4, "home", "up", "up-1"),
          fault(4, "a -> b", "down", "one-way"),
          fault(5, "b-a", "up", "up-2"),
          fault(5, "home", "delay", "d1"),
          fault(6, "home", "loss", "l1"),
          fault(7, "home", "delay", "d2"),
          fault(8, "home", "delay", "d2"),
          fault(9, "a|b", "partition", "p1"),
          fault(10, "a|b c", "partition", "p2"),
          fault(11, "", "heal", "h"),
          fault(12, "b", "start", "start-2"),
          fault(13, "b", "melt", "w"),
      },
      seconds(60));
  EXPECT_EQ(
      text(spans),
      "kill a 1-3\nblack_hole home (out) 2-4\ndown a -> b 4-5\ndelay home 5-7\nloss home 6-60 still\ndelay home 7-8\n"
      "partition a|b 9-10\npartition a|b c 10-11\nstart b 12-12\nmelt b 13-13\n");
}

// A run is boiled down under host names, whichever way events name the nodes.
TEST(Digest, GathersARun) {
  RunRecord run;
  run.nodes = {{"a@home", "a"}, {"b@office", "b"}, {"c@office", "c"}};
  run.virtual_seconds = 60;
  run.status = RunStatus::complete;
  const Digest d = digest(
      run, {
               node_up(1, "a", "b@office"),
               sent(2, "a", "b", 1),
               received(2.02, "a", "b", 1),
               call_done(3, "a", "b", "ok", 0.04),
               event(10, "a", "b@office", "tick"),
               fault(20, "home", "down", "cut"),
               sent(21, "a", "b", 2),
               event(23.9, "a", "b@office", "log", {{"level", std::string("error")}, {"text", std::string("gone")}}),
               node_down(23.94, "a", "b@office"),
               call_done(30, "a", "b", "nodedown", 7),
               event(31, "a", "a@home->b@office", "ping_done", {{"result", std::string("pong")}}),
               eval_done(32, "a@home", "error", "{badmatch,1}", 0.5),
               event(33, "b", "b@office", "scheduler_stall", {{"elapsed_ns", seconds(0.2)}}),
               event(34, "b", "b@office", "scheduler_stall", {{"elapsed_ns", seconds(0.1)}}),
           });
  EXPECT_EQ(d.hosts, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(d.end_ns, seconds(60));
  ASSERT_EQ(d.calls.size(), 2u);
  EXPECT_EQ(d.calls[1].started_ns, seconds(23));
  EXPECT_FALSE(d.calls[1].ok());
  ASSERT_EQ(d.detections.size(), 1u);
  EXPECT_EQ(d.detections[0].peer, "b");
  EXPECT_EQ(d.detections[0].after_ns, seconds(3.94));
  EXPECT_EQ(d.detections[0].fault, "down home");
  EXPECT_EQ((d.ticks.at({"a", "b"})), std::vector{seconds(10)});
  EXPECT_EQ((d.traffic.at({"a", "b"})), (std::vector{seconds(2), seconds(21)}));
  EXPECT_EQ(d.log.at(0).text, "gone");
  EXPECT_EQ(d.pings.at("pong"), 1);
  EXPECT_EQ(d.event_counts.at("call_done"), 2);
  ASSERT_EQ(d.evaluations.size(), 1u);
  EXPECT_EQ(d.evaluations[0].node + " " + d.evaluations[0].result + " " + d.evaluations[0].value,
            "a error {badmatch,1}");
  EXPECT_EQ(d.evaluations[0].started_ns, seconds(31.5));
  EXPECT_EQ(d.stalls.at("b").count, 2);
  EXPECT_EQ(d.stalls.at("b").longest_ns, seconds(0.2));

  const RunSummary s = summarize(d, {});
  EXPECT_EQ(s.outcome, Outcome::pass);
  EXPECT_EQ(s.calls, 2);
  EXPECT_EQ(s.failed_calls, 1);
  EXPECT_DOUBLE_EQ(s.call_latency_ms.p50, 40);
  EXPECT_EQ(s.lost, 1);
  EXPECT_EQ(s.wedged_ns, seconds(2.94));
}

// A run that did not reach its end never passes, but what failed has failed.
TEST(Summary, AnIncompleteRunIsAtBestUnknown) {
  EXPECT_EQ(outcome_of(RunStatus::complete, {}), Outcome::pass);
  EXPECT_EQ(outcome_of(RunStatus::incomplete, {}), Outcome::unknown);
  const Verdict pass{"n", "t", Outcome::pass, "", "", 0}, fail{"n", "t", Outcome::fail, "", "", 0};
  const Verdict unknown{"n", "t", Outcome::unknown, "", "", 0};
  EXPECT_EQ(outcome_of(RunStatus::complete, {pass, unknown}), Outcome::unknown);
  EXPECT_EQ(outcome_of(RunStatus::failed, {pass, fail, unknown}), Outcome::fail);
}

// Durations read as people write them.
TEST(Summary, WritesDurations) {
  EXPECT_EQ(duration_text(0), "0 s");
  EXPECT_EQ(duration_text(12), "12 ns");
  EXPECT_EQ(duration_text(250'000), "250 us");
  EXPECT_EQ(duration_text(12'500'000), "12.5 ms");
  EXPECT_EQ(duration_text(100'000'000), "100 ms");
  EXPECT_EQ(duration_text(seconds(3.94)), "3.94 s");
  EXPECT_EQ(duration_text(seconds(302)), "302.0 s");
  EXPECT_EQ(duration_text(seconds(602)), "10 min 2 s");
  EXPECT_EQ(milliseconds_text(0.25), "250 us");
}

// The cause of death is the first node_down after the first fault, whichever fault came later.
TEST(Digest, FindsTheCauseOfDeath) {
  RunRecord run;
  run.virtual_seconds = 60;
  std::vector<EventRecord> events = {node_up(1, "a", "b"), node_down(5, "a", "b", "disconnect"), node_up(6, "a", "b")};
  EXPECT_FALSE(digest(run, events).death());
  events.push_back(fault(10, "r", "kill", "k"));
  EXPECT_FALSE(digest(run, events).death());
  events.push_back(fault(20, "home", "down", "d"));
  events.push_back(node_down(25, "a", "b", "net_tick_timeout"));
  const auto death = digest(run, events).death();
  ASSERT_TRUE(death);
  EXPECT_EQ(death->reason, "net_tick_timeout");
  EXPECT_EQ(death->after_ns, seconds(15));
  EXPECT_EQ(death->fault, "kill r");
}

}  // namespace
}  // namespace distlab::results
