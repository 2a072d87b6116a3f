#include "results/compare/bootstrap.h"

#include <algorithm>
#include <limits>

#include <gtest/gtest.h>

#include "results/compare/testing/made_up.h"

namespace distlab::results::compare {
namespace {

constexpr size_t few = 200;

std::vector<double> medians(const Bootstrap& bootstrap) {
  std::vector<double> out;
  for (const Replicate& one : bootstrap.replicates) out.push_back(one.b.p50);
  return out;
}

// The same samples and name give the same draws, another name gives others.
TEST(Bootstrap, IsDecidedByItsName) {
  Draws draws("samples");
  std::vector<double> values(30);
  for (double& value : values) value = draws.uniform();
  const Sample a = singles(values), b = singles(values);
  EXPECT_EQ(medians(bootstrap(a, b, {}, "one", few)), medians(bootstrap(a, b, {}, "one", few)));
  EXPECT_NE(medians(bootstrap(a, b, {}, "one", few)), medians(bootstrap(a, b, {}, "two", few)));
}

// With the same seeds in both arms a seed is drawn for both: what differs by a constant differs so in every replicate.
TEST(Bootstrap, DrawsSeedsForBoth) {
  Draws draws("pairs");
  std::vector<double> values(20);
  for (double& value : values) value = draws.uniform();
  const Sample a = singles(values);
  for (double& value : values) value += 1;
  const Bootstrap paired = bootstrap(a, singles(values), {}, "pairs", few);
  EXPECT_TRUE(paired.paired);
  for (const Replicate& one : paired.replicates) EXPECT_NEAR(one.b.mean - one.a.mean, 1, 1e-12);

  Sample others = singles(values);
  for (RunValues& run : others) run.seed += 100;
  const Bootstrap apart = bootstrap(a, others, {}, "pairs", few);
  EXPECT_FALSE(apart.paired);
  EXPECT_TRUE(std::any_of(apart.replicates.begin(), apart.replicates.end(),
                          [](const Replicate& one) { return std::abs(one.b.mean - one.a.mean - 1) > 0.01; }));
}

// A few missing seeds do not end the pairing, seeds that occur twice do.
TEST(Bootstrap, KnowsWhenItCanPair) {
  Sample a = singles({1, 2, 3, 4}), b = a;
  b.pop_back();
  EXPECT_TRUE(can_pair(a, b));
  b.pop_back();
  EXPECT_FALSE(can_pair(a, b));
  a[1].seed = a[0].seed;
  EXPECT_FALSE(can_pair(a, a));
}

// Values that are all equal, as of a simulation without chance, stay so.
TEST(Bootstrap, OfDeterministicValues) {
  const Sample same = singles(std::vector<double>(12, 3.5));
  const Bootstrap result = bootstrap(same, same, {1.1, {}}, "same", few);
  for (const Replicate& one : result.replicates) {
    EXPECT_EQ(one.a.p99, 3.5);
    EXPECT_NEAR(one.b.mean, 3.5, 1e-12);
    EXPECT_EQ(one.ks, 0);
  }
}

// The correction for few draws: Phi(t * sqrt(n / (n - 1))) with t of Student's table.
TEST(Bootstrap, ExpandsIntervals) {
  EXPECT_NEAR(expanded(0.05, 30), 0.041979, 1e-5);  // t(29) = -1.699127
  EXPECT_NEAR(expanded(0.05, 10), 0.026663, 1e-5);  // t(9) = -1.833113
  EXPECT_NEAR(expanded(0.05, 100'000), 0.05, 1e-4);
}

// Infinite values are ordinary ones at the end of the order.
TEST(Bootstrap, PercentilesOfInfinity) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  const Interval all = percentiles({infinite, infinite, infinite}, 0.05);
  EXPECT_EQ(all.low, infinite);
  EXPECT_EQ(all.high, infinite);
  const Interval some = percentiles({1, 2, 3, infinite}, 0.05);
  EXPECT_NEAR(some.low, 1.15, 1e-12);
  EXPECT_EQ(some.high, infinite);
}

}  // namespace
}  // namespace distlab::results::compare
