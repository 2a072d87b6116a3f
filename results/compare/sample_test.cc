#include "results/compare/sample.h"

#include <limits>

#include <gtest/gtest.h>

#include "results/compare/testing/made_up.h"

namespace distlab::results::compare {
namespace {

// Quantiles are those of NumPy's "averaged_inverted_cdf"; the scipy test compares many more.
TEST(Pool, Quantiles) {
  const Pool pool(singles({4, 1, 3, 2}));
  EXPECT_DOUBLE_EQ(pool.quantile(0.5), 2.5);
  EXPECT_DOUBLE_EQ(pool.quantile(0.25), 1.5);
  EXPECT_DOUBLE_EQ(pool.quantile(0.3), 2);
  EXPECT_DOUBLE_EQ(pool.quantile(0.99), 4);
  EXPECT_DOUBLE_EQ(pool.mean(), 2.5);
}

// A run with a hundred calls weighs no more than one with a single call: the run is the unit.
TEST(Pool, EveryRunCountsTheSame) {
  const Pool pool({{1, std::vector<double>(100, 1.0)}, {2, {2}}, {3, {3}}});
  EXPECT_DOUBLE_EQ(pool.mean(), 2);
  EXPECT_DOUBLE_EQ(pool.quantile(0.5), 2);
  EXPECT_NEAR(pool.share_of_first(100), 1.0 / 3, 1e-12);
}

// Runs without a value take no part.
TEST(Pool, IgnoresRunsWithoutValues) {
  const Pool pool({{1, {}}, {2, {5}}, {3, {}}});
  EXPECT_DOUBLE_EQ(pool.quantile(0.5), 5);
  EXPECT_DOUBLE_EQ(pool.mean(), 5);
}

// Drawing runs again moves the figures as if the runs stood there so often; drawing none with values changes nothing.
TEST(Pool, DrawsAgain) {
  Pool pool(singles({1, 2, 3}));
  ASSERT_TRUE(pool.draw({0, 1, 2}));
  EXPECT_DOUBLE_EQ(pool.mean(), 8.0 / 3);
  EXPECT_DOUBLE_EQ(pool.quantile(0.5), 3);
  EXPECT_DOUBLE_EQ(pool.quantile(0.1), 2);
  EXPECT_FALSE(pool.draw({0, 0, 0}));
  EXPECT_DOUBLE_EQ(pool.mean(), 8.0 / 3);
}

// A quantile that falls between two values does not see the undrawn one between them.
TEST(Pool, SkipsWhatWasNotDrawn) {
  Pool pool(singles({1, 2, 3}));
  ASSERT_TRUE(pool.draw({1, 0, 1}));
  EXPECT_DOUBLE_EQ(pool.quantile(0.5), 2);
  ASSERT_TRUE(pool.draw({3, 0, 3}));
  EXPECT_DOUBLE_EQ(pool.quantile(0.5), 2);
}

// Of very many values of a run evenly spaced ones are kept: quantiles move by a thousandth at most.
TEST(Pool, ThinsLongRuns) {
  std::vector<double> many(100'000);
  for (size_t i = 0; i < many.size(); ++i) many[i] = static_cast<double>(i) / 100'000;
  const Pool pool(Sample{{1, many}});
  EXPECT_EQ(pool.values().size(), most_values_of_run);
  for (const double p : {0.01, 0.5, 0.9, 0.99}) EXPECT_NEAR(pool.quantile(p), p, 0.001);
}

// Values that go together in a run count as one, values that do not count each.
TEST(Sample, IndependentValues) {
  Draws draws("independent");
  const Sample alone = made_up(40, [&](uint64_t) { return std::vector<double>{draws.uniform()}; });
  EXPECT_NEAR(independent_values(alone, 0.9), 40, 1e-9);
  const Sample together = made_up(40, [&](uint64_t) { return std::vector<double>(50, draws.uniform()); });
  EXPECT_NEAR(independent_values(together, 0.9), 40, 1e-9);
  const Sample apart = made_up(40, [&](uint64_t) {
    std::vector<double> values(50);
    for (double& value : values) value = draws.uniform();
    return values;
  });
  EXPECT_GT(independent_values(apart, 0.9), 1000);
  EXPECT_LE(independent_values(apart, 0.9), 2000);
  EXPECT_EQ(independent_values(singles({3, 3, 3, 3}), 0.9), 4);
}

// Within either of ratio and difference is near enough, and distances are counted in the wider one.
TEST(Tolerance, TakesTheWiderOfBoth) {
  const Tolerance tolerance{2.0, 10.0};
  EXPECT_DOUBLE_EQ(tolerance.distance(1, 11), 1);     // the difference is what makes it near
  EXPECT_DOUBLE_EQ(tolerance.distance(100, 200), 1);  // the ratio
  EXPECT_DOUBLE_EQ(tolerance.distance(200, 100), -1);
  EXPECT_DOUBLE_EQ(tolerance.distance(100, 400), 2);
  EXPECT_DOUBLE_EQ(tolerance.distance(0, 5), 0.5);
  EXPECT_DOUBLE_EQ(tolerance.distance(7, 7), 0);
  EXPECT_NEAR(tolerance.reach(1), 11, 1e-9);
  EXPECT_NEAR(tolerance.reach(100), 200, 1e-9);
}

// Nothing is near to zero by a ratio, and without any margin only what is equal agrees.
TEST(Tolerance, OfNothing) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  EXPECT_EQ((Tolerance{2.0, {}}.distance(0, 1)), infinite);
  EXPECT_EQ((Tolerance{2.0, {}}.distance(1, 0)), -infinite);
  EXPECT_EQ((Tolerance{1.0, 0.0}.distance(3, 3)), 0);
  EXPECT_EQ((Tolerance{1.0, 0.0}.distance(3, 3.1)), infinite);
  EXPECT_EQ(Tolerance{}.distance(0, 0), 0);
}

// Without tolerance it is Kolmogorov and Smirnov's distance.
TEST(Distance, OfKnownSamples) {
  const auto distance = [](const std::vector<double>& a, const std::vector<double>& b, const Tolerance& tolerance) {
    const Pool pool_a(singles(a)), pool_b(singles(b));
    return Distance(pool_a, pool_b, tolerance).now();
  };
  EXPECT_DOUBLE_EQ(distance({1, 2, 3, 4}, {1, 2, 3, 4}, {}), 0);
  EXPECT_DOUBLE_EQ(distance({1, 2, 3, 4}, {5, 6}, {}), 1);
  EXPECT_DOUBLE_EQ(distance({1, 2, 3, 4}, {1, 2, 3, 9}, {}), 0.25);
  EXPECT_DOUBLE_EQ(distance({1, 2}, {1, 1, 2, 2, 2, 2}, {}), 0.5 - 1.0 / 3);
  // A shift within the tolerance is none; of a share that lies further away, that share remains.
  EXPECT_DOUBLE_EQ(distance({1, 2, 3, 4}, {1.2, 2.2, 3.2, 4.2}, {{}, 0.2}), 0);
  EXPECT_DOUBLE_EQ(distance({1, 2, 3, 4}, {1.2, 2.2, 3.2, 9}, {{}, 0.2}), 0.25);
  EXPECT_DOUBLE_EQ(distance({3.5, 3.5}, {3.7, 3.7}, {{}, 0.2}), 0);
  EXPECT_DOUBLE_EQ(distance({10, 20}, {12.5, 25}, {1.25, {}}), 0);
  EXPECT_DOUBLE_EQ(distance({12.5, 26}, {10, 20}, {1.25, {}}), 0.5);
}

}  // namespace
}  // namespace distlab::results::compare
