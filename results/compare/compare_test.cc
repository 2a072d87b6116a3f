#include "results/compare/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/compare/testing/made_up_arms.h"
#include "results/compare/words.h"

namespace distlab::results::compare {
namespace {

using scenario::Compared;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr size_t replicates = 500;

Comparison against_emu(const Habits& habits, size_t runs = 30) {
  return compare(made_up_topic({made_up_arm("sim", runs, {}), made_up_arm("emu", runs, habits)}), replicates);
}

const Metric& metric(const Comparison& comparison, Compared wanted) {
  for (const Metric& one : comparison.versus.at(0).metrics)
    if (one.metric == wanted) return one;
  ADD_FAILURE() << "no " << to_string(wanted);
  return comparison.versus.at(0).metrics.front();
}

Decision decision(const Comparison& comparison, Compared wanted) {
  return metric(comparison, wanted).conclusion().decision;
}

// Arms that do the same agree in all that either of them knows, and what none knows is left out.
TEST(Compare, EqualArmsAgree) {
  const Comparison same = against_emu({});
  EXPECT_EQ(same.conclusion().decision, Decision::agree);
  std::vector<Compared> known;
  for (const Metric& one : same.versus[0].metrics) known.push_back(one.metric);
  EXPECT_THAT(known, ElementsAre(Compared::setup_time, Compared::call_latency, Compared::detection_time,
                                 Compared::lost_messages, Compared::duplicated_messages, Compared::reordered_messages));
  EXPECT_TRUE(metric(same, Compared::detection_time).lines[0].paired);
}

// One metric that differs makes all disagree, and the others stay as they are.
TEST(Compare, OneMetricDisagrees) {
  const Comparison slow = against_emu({.latency = 0.03});
  EXPECT_EQ(decision(slow, Compared::call_latency), Decision::disagree);
  EXPECT_EQ(decision(slow, Compared::detection_time), Decision::agree);
  EXPECT_EQ(slow.conclusion().decision, Decision::disagree);
  EXPECT_EQ(overall({against_emu({}), slow}).decision, Decision::disagree);
}

// An arm that never notices what the other always does disagrees in words of its own.
TEST(Compare, WhatNeverComesAbout) {
  const Comparison deaf = against_emu({.detects = false});
  const Metric& detection = metric(deaf, Compared::detection_time);
  EXPECT_EQ(detection.conclusion().decision, Decision::disagree);
  ASSERT_EQ(detection.outcomes.size(), 1U);
  EXPECT_THAT(why_share(detection.outcomes[0], 30, 30),
              HasSubstr("alice sees bob down (net_tick_timeout): in 30 of 30 runs against 0 of 30"));
  EXPECT_TRUE(detection.lines[0].tests.empty());
}

// The same time with another reason is a disagreement, too.
TEST(Compare, AnotherReason) {
  const Comparison other = against_emu({.reason = "connection_closed"});
  const Metric& detection = metric(other, Compared::detection_time);
  EXPECT_EQ(detection.conclusion().decision, Decision::disagree);
  EXPECT_EQ(detection.outcomes.size(), 2U);
  for (const Tested& test : detection.lines[0].tests) EXPECT_EQ(test.decision, Decision::agree);
}

// Values that are there in one arm only are said even when nothing else tells.
TEST(Compare, MissingValues) {
  Arm sim = made_up_arm("sim", 30, {}), emu = made_up_arm("emu", 30, {});
  for (Measures& run : emu.runs) run.values.erase(Compared::setup_time);
  const Comparison comparison = compare(made_up_topic({sim, emu}), replicates);
  const Metric& setup = metric(comparison, Compared::setup_time);
  EXPECT_EQ(setup.conclusion().decision, Decision::disagree);
  EXPECT_EQ(setup.outcomes.back().what, "alice-bob measured");
}

// Lost messages beyond the margin disagree, within it they agree.
TEST(Compare, LostMessages) {
  EXPECT_EQ(decision(against_emu({.lost = 2}), Compared::lost_messages), Decision::agree);
  EXPECT_EQ(decision(against_emu({.lost = 40}), Compared::lost_messages), Decision::disagree);
}

// Few runs: too few, and thirty would do.
TEST(Compare, FewRuns) {
  const Comparison few = against_emu({}, 5);
  EXPECT_EQ(few.conclusion().decision, Decision::too_few);
  ASSERT_TRUE(few.conclusion().runs);
  EXPECT_GE(*few.conclusion().runs, 10);
  EXPECT_LE(*few.conclusion().runs, 200);
  EXPECT_EQ(compare(made_up_topic({made_up_arm("sim", 5, {}), Arm{"emu", {}, 5}}), replicates).conclusion().decision,
            Decision::too_few);
}

// Every arm is held against the first one.
TEST(Compare, ThreeArms) {
  const Comparison three = compare(made_up_topic({made_up_arm("sim", 30, {}), made_up_arm("emu/native", 30, {}),
                                                  made_up_arm("emu/beam", 30, {.latency = 0.05})}),
                                   replicates);
  ASSERT_EQ(three.versus.size(), 2U);
  EXPECT_EQ(three.versus[0].conclusion().decision, Decision::agree);
  EXPECT_EQ(three.versus[1].conclusion().decision, Decision::disagree);
}

// Pairs of nodes are compared apart while they are few, and together when they are many.
TEST(Compare, ManyPairsAreTakenTogether) {
  const auto mesh = [](const std::string& name, int nodes) {
    Arm arm = made_up_arm(name, 30, {});
    for (Measures& run : arm.runs) {
      auto& calls = run.values[Compared::call_latency];
      calls.clear();
      run.outcomes[Compared::call_latency].clear();
      for (int i = 0; i < nodes; ++i) {
        calls[fmt::format("n{}->hub", i)] = {0.02};
        run.outcomes[Compared::call_latency].insert({fmt::format("n{}->hub", i), "a call", "ok"});
      }
    }
    return arm;
  };
  const auto lines = [&](int nodes) {
    return metric(compare(made_up_topic({mesh("sim", nodes), mesh("emu", nodes)}), replicates), Compared::call_latency);
  };
  EXPECT_EQ(lines(6).lines.size(), 6U);
  EXPECT_EQ(lines(6).outcomes.size(), 6U);
  EXPECT_EQ(lines(20).lines.size(), 1U);
  EXPECT_EQ(lines(20).lines[0].about, "");
  EXPECT_EQ(lines(20).lines[0].a.values, 600U);
  ASSERT_EQ(lines(20).outcomes.size(), 1U);
  EXPECT_EQ(lines(20).outcomes[0].what, "a call: ok");
}

// Nothing to compare is not agreement.
TEST(Compare, OfNothing) {
  EXPECT_EQ(overall({}).decision, Decision::too_few);
  const Arm quiet{"sim", std::vector<Measures>(30), 0};
  EXPECT_EQ(compare(made_up_topic({quiet, quiet}), replicates).conclusion().decision, Decision::too_few);
}

// Distribution functions go up to one, without a value twice.
TEST(Compare, Curves) {
  const Comparison same = against_emu({});
  for (const Metric& one : same.versus[0].metrics)
    for (const Line& line : one.lines) {
      EXPECT_NEAR(line.a.ecdf.back().second, 1, 1e-9);
      for (size_t i = 1; i < line.a.ecdf.size(); ++i) EXPECT_LT(line.a.ecdf[i - 1].first, line.a.ecdf[i].first);
    }
}

}  // namespace
}  // namespace distlab::results::compare
