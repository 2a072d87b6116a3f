#include "real/lateness.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace distlab::real {
namespace {

// The smallest value that at least a share of p is not above.
int64_t exact(std::vector<int64_t> values, double p) {
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<size_t>(std::ceil(p * static_cast<double>(values.size())));
  return values[std::max<size_t>(rank, 1) - 1];
}

// Quantiles of random samples of any scale are never below the exact ones, and a thirty-second above at most.
TEST(Lateness, QuantilesAreCloseToExact) {
  std::mt19937_64 random(1);
  for (const double decades : {0.5, 2.0, 4.0, 9.0}) {
    std::uniform_real_distribution<double> exponent(0, decades);
    std::vector<int64_t> values;
    Lateness lateness;
    for (int i = 0; i < 5000; ++i) {
      values.push_back(static_cast<int64_t>(std::pow(10, exponent(random))));
      lateness.add(Duration(values.back()));
    }
    for (const double p : {0.0, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      const int64_t want = exact(values, p), got = lateness.quantile(p).count();
      EXPECT_GE(got, want) << p;
      EXPECT_LE(got, want + want / 32 + 1) << p;
    }
    EXPECT_EQ(lateness.count(), values.size());
    EXPECT_EQ(lateness.max().count(), *std::max_element(values.begin(), values.end()));
  }
}

// One value is every quantile, exactly, however large it is.
TEST(Lateness, OfOneValue) {
  for (const int64_t value : {int64_t{0}, int64_t{1}, int64_t{31}, int64_t{32}, int64_t{33}, int64_t{1'000'003},
                              std::numeric_limits<int64_t>::max()}) {
    Lateness lateness;
    lateness.add(Duration(value));
    for (const double p : {0.0, 0.5, 1.0}) EXPECT_EQ(lateness.quantile(p).count(), value);
  }
}

// What another process has counted adds up with our own; what no Lateness can have counted is passed over.
TEST(Lateness, FromAnotherProcess) {
  Lateness both, ours, theirs;
  for (int64_t value = 1; value < 1'000'000'000; value *= 3) {
    (value % 2 ? ours : theirs).add(Duration(value));
    both.add(Duration(value));
    theirs.add(Duration(value + 1));
    both.add(Duration(value + 1));
  }
  ours.add(theirs.counts(), theirs.max());
  EXPECT_EQ(ours, both);
  ours.add({{Lateness::buckets, 5}, {0xffffffff, 1}}, Duration::zero());
  EXPECT_EQ(ours, both);
}

// Without values all is zero; a negative one counts as zero.
TEST(Lateness, OfNothing) {
  Lateness lateness;
  EXPECT_EQ(lateness.quantile(0.99), Duration::zero());
  EXPECT_EQ(lateness.count(), 0u);
  lateness.add(Duration{-5});
  EXPECT_EQ(lateness.quantile(0.99), Duration::zero());
  EXPECT_EQ(lateness.max(), Duration::zero());
  EXPECT_EQ(lateness.count(), 1u);
}

}  // namespace
}  // namespace distlab::real
