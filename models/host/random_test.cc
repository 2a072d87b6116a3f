#include "models/host/random.h"

#include <array>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace distlab {
namespace {

using namespace std::chrono_literals;

std::vector<uint64_t> draws(RandomStream stream, int count) {
  std::vector<uint64_t> out;
  for (int i = 0; i < count; ++i) out.push_back(stream.next());
  return out;
}

TEST(RandomStream, GivesTheKnownSequence) {
  // Known answers, computed by another implementation of the three algorithms: every compiler must
  // draw the same, or trace hashes would differ.
  RandomStream stream(1, "alice", "ticks");
  EXPECT_EQ(stream.next(), 0xbd664f83b9c127caULL);
  EXPECT_EQ(stream.next(), 0x9e02cf51ef52832bULL);
  EXPECT_EQ(stream.below(1000), 705u);
  EXPECT_EQ(stream.uniform(), 0.6376579106351024);
  EXPECT_EQ(stream.between(10ms, 20ms), 13'098'520ns);
  EXPECT_EQ(stream.exponential(1s), 1'304'423'418ns);
  std::array<uint8_t, 11> bytes{};
  stream.fill(bytes);
  EXPECT_EQ(bytes, (std::array<uint8_t, 11>{0xc2, 0xd7, 0xc1, 0xfe, 0x93, 0xa3, 0xde, 0x57, 0xdd, 0x7f, 0xb2}));
}

TEST(RandomStream, DependsOnSeedHostAndName) {
  // Each of the three moves it, and moving a letter from host to name is a change too.
  const auto base = draws({1, "ab", "c"}, 4);
  EXPECT_EQ(draws({1, "ab", "c"}, 4), base);
  EXPECT_NE(draws({2, "ab", "c"}, 4), base);
  EXPECT_NE(draws({1, "aB", "c"}, 4), base);
  EXPECT_NE(draws({1, "ab", "d"}, 4), base);
  EXPECT_NE(draws({1, "a", "bc"}, 4), base);
  EXPECT_NE(draws({1, "", "abc"}, 4), base);
}

TEST(RandomStream, NeighbouringSeedsAreIndependent) {
  // The first draws of 4096 consecutive seeds fill 16 buckets evenly (chi-squared, 15 degrees of
  // freedom: 37.7 is the 0.1 % point).
  std::array<int, 16> buckets{};
  for (uint64_t seed = 0; seed < 4096; ++seed) ++buckets[RandomStream(seed, "a", "x").next() >> 60];
  double chi_squared = 0;
  for (const int count : buckets) chi_squared += (count - 256.0) * (count - 256.0) / 256.0;
  EXPECT_LT(chi_squared, 37.7);
}

TEST(RandomStream, BelowIsUniformAndBounded) {
  // Over a bound that does not divide 2^64; bound 1 has one answer.
  RandomStream stream(3, "a", "x");
  std::array<int, 7> buckets{};
  for (int i = 0; i < 70'000; ++i) ++buckets[stream.below(7)];
  double chi_squared = 0;
  for (const int count : buckets) chi_squared += (count - 1e4) * (count - 1e4) / 1e4;
  EXPECT_LT(chi_squared, 22.5);  // 6 degrees of freedom, 0.1 %
  EXPECT_EQ(stream.below(1), 0u);
  for (int i = 0; i < 100; ++i) EXPECT_LT(stream.below(UINT64_MAX), UINT64_MAX);
}

TEST(RandomStream, BetweenIncludesBothEnds) {
  // Closed interval; an interval of one point gives it.
  RandomStream stream(4, "a", "x");
  bool low = false, high = false;
  for (int i = 0; i < 1000; ++i) {
    const Duration d = stream.between(-2ns, 2ns);
    ASSERT_GE(d, -2ns);
    ASSERT_LE(d, 2ns);
    low = low || d == -2ns;
    high = high || d == 2ns;
  }
  EXPECT_TRUE(low && high);
  EXPECT_EQ(stream.between(5s, 5s), 5s);
}

TEST(RandomStream, UniformAndExponentialHaveTheirMoments) {
  // Means and the variance of the uniform within five standard errors.
  RandomStream stream(5, "a", "x");
  constexpr int n = 100'000;
  double sum = 0, squares = 0, gaps = 0;
  for (int i = 0; i < n; ++i) {
    const double u = stream.uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    squares += u * u;
    const Duration gap = stream.exponential(10ms);
    ASSERT_GE(gap, 0ns);
    gaps += to_seconds(gap);
  }
  EXPECT_NEAR(sum / n, 0.5, 5 * std::sqrt(1.0 / 12 / n));
  EXPECT_NEAR(squares / n - sum / n * sum / n, 1.0 / 12, 0.002);
  EXPECT_NEAR(gaps / n, 0.010, 5 * 0.010 / std::sqrt(n));
}

TEST(RandomStream, ChanceKeepsItsExtremes) {
  // Probability 0 never, 1 always, and 0.25 about a quarter of the time.
  RandomStream stream(6, "a", "x");
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_FALSE(stream.chance(0.0));
    EXPECT_TRUE(stream.chance(1.0));
    hits += stream.chance(0.25);
  }
  EXPECT_NEAR(hits, 2500, 5 * std::sqrt(1e4 * 0.25 * 0.75));
}

TEST(RandomStream, FillWritesEveryByteOfAnySize) {
  // Sizes that are no multiple of eight, and an empty span draws nothing.
  for (const size_t size : {1u, 7u, 8u, 9u, 31u}) {
    std::vector<uint8_t> seen(size, 0);
    RandomStream stream(7, "a", "x");
    for (int i = 0; i < 20; ++i) {
      std::vector<uint8_t> bytes(size, 0);
      stream.fill(bytes);
      for (size_t j = 0; j < size; ++j) seen[j] |= bytes[j];
    }
    EXPECT_EQ(std::vector<uint8_t>(size, 0xff), seen);
  }
  RandomStream one(8, "a", "x"), other(8, "a", "x");
  one.fill({});
  EXPECT_EQ(one.next(), other.next());
}

}  // namespace
}  // namespace distlab
