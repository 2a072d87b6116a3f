// What two arms would have shown, had other runs been drawn: the bootstrap over runs.
//
// Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapters 8 and 13. When both arms ran
// the same seeds, a seed is drawn for both at once: fault times and tick phases follow from it, and
// what they do to both arms alike is no difference between them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "results/compare/sample.h"

namespace distlab::results::compare {

struct Figures {
  double p50 = 0, p90 = 0, p99 = 0, mean = 0;
};

struct Replicate {
  Figures a, b;
  double ks = 0;      // Kolmogorov and Smirnov's distance
  double beyond = 0;  // the same, values within the tolerance counting as equal
};

struct Bootstrap {
  Replicate observed;
  std::vector<Replicate> replicates;
  bool paired = false;
  size_t draws = 0;  // how many runs (paired: seeds) each replicate draws; of the smaller arm
};

// Both samples have values. `stream` names the draws: the same samples and name give the same result.
// A replicate that drew no run with values is drawn again.
Bootstrap bootstrap(const Sample& a, const Sample& b, const Tolerance& tolerance, const std::string& stream,
                    size_t replicates);

// No seed occurs twice in an arm, and most seeds of the larger arm are in the other one.
bool can_pair(const Sample& a, const Sample& b);

struct Interval {
  double low = 0, high = 0;
};

// The share of replicates to cut off at either end so that an error of `alpha` remains on each side:
// percentile intervals of n draws are too narrow by about sqrt((n-1)/n) and by the difference between
// Student's and the normal distribution (Hesterberg, "What Teachers Should Know about the Bootstrap",
// The American Statistician 69:4, 2015, section 4.1). n >= 2.
double expanded(double alpha, size_t n);

// Between the quantiles `cut` and 1 - cut; values may be infinite. 0 < cut < 0.5, values not empty.
Interval percentiles(std::vector<double> values, double cut);

}  // namespace distlab::results::compare
