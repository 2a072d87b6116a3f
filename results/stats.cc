#include "results/stats.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace distlab::results {

double quantile(const std::vector<double>& sorted, double p) {
  assert(!sorted.empty() && p >= 0 && p <= 1);
  const double position = static_cast<double>(sorted.size() - 1) * p;
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (position - static_cast<double>(below));
}

Summary summarize(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  return {values.size(),         values.front(),        sum / static_cast<double>(values.size()),
          quantile(values, 0.5), quantile(values, 0.9), quantile(values, 0.99),
          values.back()};
}

std::vector<std::pair<double, double>> ecdf(std::vector<double> values, size_t max_points) {
  assert(max_points >= 2);
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  const size_t points = std::min(n, max_points);
  std::vector<std::pair<double, double>> result;
  for (size_t i = 0; i < points; ++i) {
    const size_t index = points == 1 ? 0 : i * (n - 1) / (points - 1);
    const double share = static_cast<double>(index + 1) / static_cast<double>(n);
    if (!result.empty() && result.back().first == values[index]) {
      result.back().second = share;
    } else {
      result.emplace_back(values[index], share);
    }
  }
  return result;
}

Histogram histogram(const std::vector<double>& values, size_t bins) {
  assert(bins >= 1);
  if (values.empty()) return {};
  const auto [min, max] = std::minmax_element(values.begin(), values.end());
  Histogram result{*min, *max, std::vector<size_t>(*min == *max ? 1 : bins)};
  const double width = (*max - *min) / static_cast<double>(result.counts.size());
  for (const double value : values) {
    const auto bin = width > 0 ? static_cast<size_t>((value - *min) / width) : 0;
    ++result.counts[std::min(bin, result.counts.size() - 1)];
  }
  return result;
}

}  // namespace distlab::results
