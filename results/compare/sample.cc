#include "results/compare/sample.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <utility>

namespace distlab::results::compare {

namespace {

// Sums of weights that mean the same differ by less.
constexpr double rounding = 1e-9;

// The values that stand for a run, ascending.
std::vector<double> kept(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  if (values.size() <= most_values_of_run) return values;
  std::vector<double> out(most_values_of_run);
  for (size_t i = 0; i < out.size(); ++i) out[i] = values[(2 * i + 1) * values.size() / (2 * out.size())];
  return out;
}

std::vector<size_t> within(const std::vector<double>& from, const std::vector<double>& into,
                           const Tolerance& tolerance) {
  std::vector<size_t> out(from.size());
  size_t n = 0;
  for (size_t i = 0; i < from.size(); ++i) {
    const double reach = tolerance.reach(from[i]);
    while (n < into.size() && into[n] <= reach) ++n;
    out[i] = n;
  }
  return out;
}

double largest_excess(const Pool& from, const Pool& into, const std::vector<size_t>& within) {
  double largest = 0;
  for (size_t i = 0; i < within.size(); ++i)
    largest = std::max(largest, from.share_of_first(i + 1) - into.share_of_first(within[i]));
  return largest;
}

}  // namespace

size_t runs_with_values(const Sample& sample) {
  return static_cast<size_t>(
      std::count_if(sample.begin(), sample.end(), [](const RunValues& run) { return !run.values.empty(); }));
}

size_t count_values(const Sample& sample) {
  size_t n = 0;
  for (const RunValues& run : sample) n += run.values.size();
  return n;
}

// The variance of the share of values above the quantile is p * (1 - p) / n for n independent values. What it is
// between runs says how many that would be (Kish's design effect).
double independent_values(const Sample& sample, double p) {
  const double quantile = Pool(sample).quantile(p);
  double sum = 0, squares = 0, runs = 0;
  for (const RunValues& run : sample) {
    if (run.values.empty()) continue;
    const auto above = std::count_if(run.values.begin(), run.values.end(), [&](double v) { return v > quantile; });
    const double share = static_cast<double>(above) / static_cast<double>(run.values.size());
    sum += share;
    squares += share * share;
    ++runs;
  }
  const auto all = static_cast<double>(count_values(sample));
  const double variance = squares / runs - (sum / runs) * (sum / runs);
  return variance > 0 ? std::min(all, runs * p * (1 - p) / variance) : all;
}

Pool::Pool(const Sample& sample) : weights_(sample.size()) {
  std::vector<std::pair<double, uint32_t>> all;
  for (size_t run = 0; run < sample.size(); ++run) {
    const std::vector<double> values = kept(sample[run].values);
    if (!values.empty()) weights_[run] = 1 / static_cast<double>(values.size());
    for (const double value : values) all.emplace_back(value, static_cast<uint32_t>(run));
  }
  std::sort(all.begin(), all.end());
  values_.reserve(all.size());
  runs_.reserve(all.size());
  for (const auto& [value, run] : all) {
    values_.push_back(value);
    runs_.push_back(run);
  }
  cumulative_.resize(values_.size());
  draw(std::vector<uint32_t>(sample.size(), 1));
}

bool Pool::draw(const std::vector<uint32_t>& times) {
  assert(times.size() == weights_.size());
  double total = 0;
  for (size_t run = 0; run < times.size(); ++run)
    if (weights_[run] > 0) total += times[run];
  if (total == 0) return false;
  double sum = 0;
  for (size_t i = 0; i < values_.size(); ++i) {
    sum += weights_[runs_[i]] * times[runs_[i]] / total;
    cumulative_[i] = sum;
  }
  return true;
}

double Pool::quantile(double p) const {
  assert(!values_.empty() && p > 0 && p < 1);
  const auto found = std::lower_bound(cumulative_.begin(), cumulative_.end(), p - rounding);
  const auto at = static_cast<size_t>(std::min(found, cumulative_.end() - 1) - cumulative_.begin());
  if (cumulative_[at] > p + rounding) return values_[at];
  const auto next = std::upper_bound(cumulative_.begin(), cumulative_.end(), p + rounding);
  return next == cumulative_.end() ? values_[at]
                                   : (values_[at] + values_[static_cast<size_t>(next - cumulative_.begin())]) / 2;
}

double Pool::mean() const {
  double sum = 0, before = 0;
  for (size_t i = 0; i < values_.size(); ++i) {
    sum += values_[i] * (cumulative_[i] - before);
    before = cumulative_[i];
  }
  return sum;
}

double Tolerance::reach(double x) const {
  const double far = std::max(x * ratio.value_or(1), x + difference.value_or(0));
  return far + std::abs(far) * 1e-12;  // 3.5 + 0.2 is to reach 3.7
}

double Tolerance::distance(double a, double b) const {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  if (a == b) return 0;
  double margins = infinite;
  if (difference && *difference > 0) margins = std::min(margins, std::abs(b - a) / *difference);
  if (ratio && *ratio > 1 && a > 0 && b > 0) margins = std::min(margins, std::abs(std::log(b / a)) / std::log(*ratio));
  return b > a ? margins : -margins;
}

Distance::Distance(const Pool& a, const Pool& b, const Tolerance& tolerance)
    : a_(a),
      b_(b),
      within_b_(within(a.values(), b.values(), tolerance)),
      within_a_(within(b.values(), a.values(), tolerance)) {}

double Distance::now() const {
  return std::max(largest_excess(a_, b_, within_b_), largest_excess(b_, a_, within_a_));
}

}  // namespace distlab::results::compare
