// From samples to a verdict: is the difference between two arms small enough, too large, or not known yet?
//
// Two one-sided tests (Schuirmann, "A comparison of the two one-sided tests procedure and the power
// approach...", J. Pharmacokinetics and Biopharmaceutics 15, 1987): a difference is small enough when
// its interval of confidence 1 - 2 * alpha lies within the margin, and too large when the whole
// interval lies outside of it. Else nothing is known, and the width of the interval, which shrinks as
// the square root of the number of runs, tells how many would do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "results/compare/bootstrap.h"
#include "scenarios/compare.h"

namespace distlab::results::compare {

inline constexpr double alpha = 0.05;
inline constexpr size_t default_replicates = 2000;
// Fewer runs with values say nothing about how runs differ.
inline constexpr size_t least_runs = 10;
// So many independent values are needed for one in twenty samples at most to have none beyond its quantile:
// 1 - p^n >= 1 - alpha.
inline constexpr size_t least_values_p90 = 29, least_values_p99 = 299;
// No more repetitions than this are ever asked for; what would need more lies at the margin.
inline constexpr int64_t most_repetitions = 1'000'000;

enum class Decision { agree, disagree, too_few };
std::string_view to_string(Decision decision);  // "agree", "disagree", "too few"
// The first of disagree, too_few, agree that is among them.
Decision worst(Decision a, Decision b);

// One thing that was tested.
struct Tested {
  std::string what;  // "p50", "p90", "p99", "mean", "distribution", or an outcome in words
  Decision decision = Decision::too_few;
  double a = 0, b = 0;          // the figures of both arms: the metric's unit, or shares of runs; of "distribution" 0
  Interval interval;            // of confidence 1 - 2 * alpha: of the tested distance
  double distance = 0;          // p50, p90, p99, mean: in margins, within -1..1 is near enough; else a share
  double margin = 1;            // what |distance| must not exceed
  std::optional<int64_t> runs;  // too_few: so many runs per arm would do; nothing when most_repetitions do not
};

// Whether the interval around the estimate lies within [-margin, margin], and, if it straddles it, how
// many runs per arm would settle it, after n.
Tested decide(std::string what, double distance, const Interval& interval, double margin, size_t n);

// In how many runs something came about.
struct Share {
  size_t hits = 0, runs = 0;
};
// The difference b - a of two shares, by Newcombe's hybrid score interval, which is sound for shares of
// 0 and 1, too ("Interval estimation for the difference between independent proportions", Statistics
// in Medicine 17, 1998, method 10). runs > 0.
Interval share_interval(const Share& a, const Share& b);
Tested test_share(std::string what, const Share& a, const Share& b, double margin);

// Of measured values: p50, the tail (p99, or p90 while there are too few values for that) and the
// distribution. Both samples have values. `runs` is how many runs each arm has, with values or without.
struct ValueTests {
  std::vector<Tested> tests;
  std::optional<Bootstrap> bootstrap;  // nothing for fewer than least_runs in either arm
  double ks = 0, beyond = 0;           // as observed
  // Of b against a, confidence 1 - 2 * alpha, when there is a bootstrap.
  std::optional<Interval> p50_ratio, p99_ratio, mean_difference;
};
ValueTests test_values(const Sample& a, const Sample& b, const scenario::Margin& margin, const std::string& stream,
                       size_t replicates = default_replicates);
// Of counts, one per run, often zero: the mean and the distribution.
ValueTests test_counts(const Sample& a, const Sample& b, const scenario::Margin& margin, const std::string& stream,
                       size_t replicates = default_replicates);

}  // namespace distlab::results::compare
