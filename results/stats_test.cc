#include "results/stats.h"

#include <cmath>

#include <gtest/gtest.h>

namespace distlab::results {
namespace {

// Quantiles agree with R's quantile(x, p, type = 7).
TEST(Stats, QuantilesAreTypeSeven) {
  const std::vector<double> x = {1, 2, 4, 8, 16};
  EXPECT_DOUBLE_EQ(quantile(x, 0), 1);
  EXPECT_DOUBLE_EQ(quantile(x, 0.5), 4);
  EXPECT_DOUBLE_EQ(quantile(x, 0.9), 12.8);
  EXPECT_DOUBLE_EQ(quantile(x, 0.99), 15.68);
  EXPECT_DOUBLE_EQ(quantile(x, 1), 16);
  EXPECT_DOUBLE_EQ(quantile({3}, 0.37), 3);
}

// A summary sorts by itself, and of nothing is all zero.
TEST(Stats, Summarizes) {
  const Summary s = summarize({16, 1, 8, 2, 4});
  EXPECT_EQ(s.count, 5u);
  EXPECT_DOUBLE_EQ(s.min, 1);
  EXPECT_DOUBLE_EQ(s.mean, 6.2);
  EXPECT_DOUBLE_EQ(s.p50, 4);
  EXPECT_DOUBLE_EQ(s.p90, 12.8);
  EXPECT_DOUBLE_EQ(s.max, 16);
  EXPECT_EQ(summarize({}).count, 0u);
}

// The distribution function ends at one, joins equal values, and keeps both extremes when thinned.
TEST(Stats, EcdfIsThinnedButWhole) {
  using Points = std::vector<std::pair<double, double>>;
  EXPECT_EQ(ecdf({3, 1, 1, 2}, 10), (Points{{1, 0.5}, {2, 0.75}, {3, 1}}));
  EXPECT_EQ(ecdf({5}, 10), (Points{{5, 1}}));
  EXPECT_TRUE(ecdf({}, 10).empty());
  std::vector<double> many;
  for (int i = 0; i < 1000; ++i) many.push_back(i);
  const auto thin = ecdf(many, 11);
  ASSERT_EQ(thin.size(), 11u);
  EXPECT_EQ(thin.front().first, 0);
  EXPECT_EQ(thin.back(), (std::pair<double, double>{999, 1}));
}

// Every value falls into exactly one bin, the maximum into the last.
TEST(Stats, HistogramHoldsEveryValue) {
  const Histogram h = histogram({0, 0.9, 1, 2, 3.9, 4}, 4);
  EXPECT_EQ(h.counts, (std::vector<size_t>{2, 1, 1, 2}));
  EXPECT_EQ(histogram({7, 7}, 4).counts, (std::vector<size_t>{2}));
  EXPECT_TRUE(histogram({}, 4).counts.empty());
}

}  // namespace
}  // namespace distlab::results
