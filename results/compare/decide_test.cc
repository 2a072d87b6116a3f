#include "results/compare/decide.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/compare/testing/made_up.h"

namespace distlab::results::compare {
namespace {

using scenario::Margin;

constexpr Margin ten_percent{1.1, std::nullopt, 0.2, 0.1};
constexpr size_t replicates = 1000;

Decision of(const ValueTests& result) {
  Decision all = Decision::agree;
  for (const Tested& test : result.tests) all = worst(all, test.decision);
  return all;
}

const Tested& named(const ValueTests& result, const std::string& what) {
  for (const Tested& test : result.tests)
    if (test.what == what) return test;
  ADD_FAILURE() << "no test of " << what;
  return result.tests.front();
}

// n runs of one value around `middle`; `spread` is the standard deviation. Seeds begin at `first_seed`.
Sample around(double middle, double spread, size_t n, const std::string& name, uint64_t first_seed = 1) {
  Draws draws(name);
  Sample sample = made_up(n, [&](uint64_t) { return std::vector<double>{middle + spread * draws.normal()}; });
  for (RunValues& run : sample) run.seed += first_seed - 1;
  return sample;
}

// The three answers, and nothing else, by where the interval lies.
TEST(Decide, ByTheIntervalAndTheMargin) {
  EXPECT_EQ(decide("x", 0, {-0.9, 0.9}, 1, 30).decision, Decision::agree);
  EXPECT_EQ(decide("x", 0, {-1, 1}, 1, 30).decision, Decision::agree);
  EXPECT_EQ(decide("x", 0, {0, 0}, 1, 30).decision, Decision::agree);
  EXPECT_EQ(decide("x", 3, {1.1, 4}, 1, 30).decision, Decision::disagree);
  EXPECT_EQ(decide("x", -3, {-4, -1.1}, 1, 30).decision, Decision::disagree);
  EXPECT_EQ(decide("x", 0, {-0.5, 1.1}, 1, 30).decision, Decision::too_few);
  EXPECT_EQ(decide("x", 2, {0.9, 3}, 1, 30).decision, Decision::too_few);
}

// The interval shrinks with the root of the number of runs: the estimate of how many are needed follows.
TEST(Decide, SaysHowManyRunsItTakes) {
  EXPECT_EQ(decide("x", 0, {-2, 2}, 1, 30).runs, 120);
  EXPECT_EQ(decide("x", 0.5, {-0.5, 1.5}, 1, 30).runs, 120);
  EXPECT_EQ(decide("x", 0.5, {-3.5, 1.5}, 1, 30).runs, 214);  // (4 / 1.5)^2 * 30
  EXPECT_EQ(decide("x", 2, {0, 4}, 1, 30).runs, 120);
  EXPECT_EQ(decide("x", -2, {-4, 0}, 1, 30).runs, 120);
  EXPECT_EQ(decide("x", 0.5, {0.1, 1.0000001}, 1, 30).runs, 31);    // never fewer than one more
  EXPECT_EQ(decide("x", 1, {0.5, 1.5}, 1, 30).runs, std::nullopt);  // at the margin itself
  EXPECT_EQ(decide("x", 0.999999, {0, 2}, 1, 30).runs, std::nullopt);
}

// Equal arms agree, in every test.
TEST(Values, OfEqualArmsAgree) {
  const ValueTests result =
      test_values(around(1, 0.05, 60, "a"), around(1, 0.05, 60, "b", 100), ten_percent, "equal", replicates);
  EXPECT_EQ(of(result), Decision::agree);
  EXPECT_LT(result.p50_ratio->low, 1);
  EXPECT_GT(result.p50_ratio->high, 1);
}

// A shift of twice the margin is found by the median, the tail and the distribution.
TEST(Values, ThatAreShiftedDisagree) {
  const ValueTests result =
      test_values(around(1, 0.02, 30, "a"), around(1.21, 0.02, 30, "b"), ten_percent, "shifted", replicates);
  EXPECT_EQ(named(result, "p50").decision, Decision::disagree);
  EXPECT_EQ(named(result, "p90").decision, Decision::disagree);
  EXPECT_EQ(named(result, "distribution").decision, Decision::disagree);
  EXPECT_NEAR(result.ks, 1, 1e-9);
}

// The same middle and a longer tail: the median agrees, the tail does not.
TEST(Values, WithAnotherTailDisagree) {
  const auto calls = [](double slow, const std::string& name) {
    Draws draws(name);
    return made_up(30, [&](uint64_t) {
      std::vector<double> values(100);
      for (double& value : values) value = draws.uniform() < 0.05 ? slow : 0.02 + 0.0005 * draws.normal();
      return values;
    });
  };
  const ValueTests result = test_values(calls(0.1, "a"), calls(0.2, "b"), ten_percent, "tails", replicates);
  EXPECT_EQ(named(result, "p50").decision, Decision::agree);
  EXPECT_EQ(named(result, "p99").decision, Decision::disagree);
  EXPECT_EQ(named(result, "distribution").decision, Decision::agree);  // five in a hundred are not twenty
}

// Half of the values elsewhere, the median and the ninth decile alike: the distribution tells.
TEST(Values, WithAnotherShapeDisagree) {
  const auto shape = [](std::vector<double> levels) {
    return made_up(40, [levels](uint64_t seed) { return std::vector<double>{levels[seed % levels.size()]}; });
  };
  const Sample a = shape({1, 2, 3, 3, 3, 3, 3, 4, 5, 5}), b = shape({2.9, 2.9, 3, 3, 3, 3, 3, 3.1, 5, 5});
  const ValueTests result = test_values(a, b, ten_percent, "shapes", replicates);
  EXPECT_EQ(named(result, "p50").decision, Decision::agree);
  EXPECT_NEAR(result.beyond, 0.2, 1e-9);
  EXPECT_NE(named(result, "distribution").decision, Decision::agree);
}

// Much noise in few runs: neither, and with as many runs as it asks for the answer is there.
TEST(Values, ThatAreFewSayHowManyAreNeeded) {
  const auto at = [](size_t n) {
    return test_values(around(1, 0.3, n, "a"), around(1, 0.3, n, "b", 1'000'000), ten_percent, "noise", replicates);
  };
  const ValueTests result = at(40);
  ASSERT_EQ(named(result, "p50").decision, Decision::too_few);
  const auto needed = named(result, "p50").runs;
  ASSERT_TRUE(needed);
  EXPECT_GT(*needed, 60);
  EXPECT_LT(*needed, 4000);
  EXPECT_EQ(named(at(static_cast<size_t>(*needed) * 2), "p50").decision, Decision::agree);
}

// Fewer than ten runs say nothing, however many calls they made and however far they are apart.
TEST(Values, OfAHandfulOfRunsAreTooFew) {
  const auto calls = [](double level) {
    return made_up(9, [level](uint64_t) { return std::vector<double>(1000, level); });
  };
  const ValueTests result = test_values(calls(1), calls(2), ten_percent, "handful", replicates);
  for (const Tested& test : result.tests) {
    EXPECT_EQ(test.decision, Decision::too_few);
    EXPECT_EQ(test.runs, 10);
  }
  EXPECT_FALSE(result.p50_ratio);
}

// When a thing comes about in every third run, three times as many runs are asked for.
TEST(Values, OfSomeRunsAskForMore) {
  const Sample rare = made_up(15, [](uint64_t seed) { return std::vector<double>(seed % 3 == 0 ? 1 : 0, 2.0); });
  EXPECT_EQ(test_values(rare, rare, ten_percent, "rare", replicates).tests.front().runs, 30);
}

// With less than 29 values the tail is not known, with 299 it is the 99th percentile that is.
TEST(Values, TailsNeedValues) {
  const auto same = [](size_t n, size_t values) {
    const Sample sample = made_up(n, [&](uint64_t) { return std::vector<double>(values, 1.0); });
    return test_values(sample, sample, ten_percent, "tails", replicates);
  };
  EXPECT_EQ(same(28, 1).tests[1].what, "p90");
  EXPECT_EQ(same(28, 1).tests[1].decision, Decision::too_few);
  EXPECT_EQ(same(28, 1).tests[1].runs, 29);
  EXPECT_EQ(same(29, 1).tests[1].decision, Decision::agree);
  EXPECT_EQ(same(29, 10).tests[1].what, "p90");
  EXPECT_EQ(same(30, 10).tests[1].what, "p99");
  EXPECT_EQ(same(30, 10).tests[1].decision, Decision::agree);
}

// Two simulations without chance: equal values agree, other values disagree, and nobody divides by zero.
TEST(Values, OfDeterministicArms) {
  const Sample a = singles(std::vector<double>(30, 4.0)), b = singles(std::vector<double>(30, 4.1)),
               c = singles(std::vector<double>(30, 5.0)), zero = singles(std::vector<double>(30, 0.0));
  EXPECT_EQ(of(test_values(a, a, ten_percent, "x", replicates)), Decision::agree);
  EXPECT_EQ(of(test_values(a, b, ten_percent, "x", replicates)), Decision::agree);
  EXPECT_EQ(of(test_values(a, c, ten_percent, "x", replicates)), Decision::disagree);
  EXPECT_EQ(of(test_values(zero, zero, ten_percent, "x", replicates)), Decision::agree);
  EXPECT_EQ(of(test_values(zero, a, ten_percent, "x", replicates)), Decision::disagree);
}

// A simulation without chance against hosts that jitter a little: within the margin they agree, though
// Kolmogorov and Smirnov see nothing in common.
TEST(Values, OfASimulationAndOfRealHosts) {
  const Sample sim = singles(std::vector<double>(30, 4.0));
  const ValueTests result = test_values(sim, around(4.05, 0.005, 30, "real"), ten_percent, "x", replicates);
  EXPECT_EQ(of(result), Decision::agree);
  EXPECT_DOUBLE_EQ(result.ks, 1);
  EXPECT_DOUBLE_EQ(result.beyond, 0);
}

// Counts that are almost always zero are judged by their difference; no ratio is formed of nothing.
TEST(Counts, OfManyZeros) {
  const Margin two{std::nullopt, 2.0, 0.2, 0.1};
  std::vector<double> none(30, 0.0), some = none, many(30, 40.0);
  some[4] = 3;
  some[17] = 1;
  const auto counts = [&](const std::vector<double>& a, const std::vector<double>& b) {
    return of(test_counts(singles(a), singles(b), two, "counts", replicates));
  };
  EXPECT_EQ(counts(none, none), Decision::agree);
  EXPECT_EQ(counts(none, some), Decision::agree);
  EXPECT_EQ(counts(none, many), Decision::disagree);
  std::vector<double> once(30, 0.0);
  once[3] = 100;  // one run of thirty lost a hundred: who knows
  EXPECT_EQ(counts(none, once), Decision::too_few);
}

// All against nothing disagrees even in a handful of runs; equal shares of thirty runs agree.
TEST(Shares, OfWhatCameAbout) {
  EXPECT_EQ(test_share("x", {30, 30}, {0, 30}, 0.1).decision, Decision::disagree);
  EXPECT_EQ(test_share("x", {3, 3}, {0, 3}, 0.1).decision, Decision::disagree);
  EXPECT_EQ(test_share("x", {30, 30}, {30, 30}, 0.1).decision, Decision::agree);
  EXPECT_EQ(test_share("x", {0, 30}, {0, 30}, 0.1).decision, Decision::agree);
  const Tested unclear = test_share("x", {30, 30}, {29, 30}, 0.1);
  EXPECT_EQ(unclear.decision, Decision::too_few);
  ASSERT_TRUE(unclear.runs);
  EXPECT_GT(*unclear.runs, 30);
  EXPECT_LT(*unclear.runs, 100);
}

// Newcombe's own example: 56/70 against 48/80 gives 0.2 with a 95% interval of 0.0524 to 0.3339. Ours is of 90%,
// so it lies inside.
TEST(Shares, Interval) {
  const Interval interval = share_interval({48, 80}, {56, 70});
  EXPECT_GT(interval.low, 0.0524);
  EXPECT_LT(interval.high, 0.3339);
  EXPECT_NEAR(interval.low, 0.07656, 0.00001);
  EXPECT_NEAR(interval.high, 0.31364, 0.00001);
}

}  // namespace
}  // namespace distlab::results::compare
