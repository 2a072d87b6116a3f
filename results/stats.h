// Quantiles, histograms and distribution functions of measured values.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace distlab::results {

// Exact, by linear interpolation between order statistics (Hyndman and Fan's type 7, which R, NumPy
// and pandas use). `sorted` is ascending and not empty; 0 <= p <= 1.
double quantile(const std::vector<double>& sorted, double p);

struct Summary {
  size_t count = 0;
  double min = 0, mean = 0, p50 = 0, p90 = 0, p99 = 0, max = 0;  // all 0 when count is 0
};

Summary summarize(std::vector<double> values);

// (value, share of values <= value), ascending, at most max_points of them, the extremes included.
std::vector<std::pair<double, double>> ecdf(std::vector<double> values, size_t max_points);

struct Histogram {
  double from = 0, to = 0;     // the range; each bin is [low, high), the last one [low, high]
  std::vector<size_t> counts;  // empty when there are no values; one bin when all are equal
};

Histogram histogram(const std::vector<double>& values, size_t bins);

}  // namespace distlab::results
