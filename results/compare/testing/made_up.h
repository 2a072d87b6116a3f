// Samples whose truth is known.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <string>

#include "results/compare/random.h"
#include "results/compare/sample.h"

namespace distlab::results::compare {

class Draws {
 public:
  explicit Draws(const std::string& name) : stream_(name) {}

  double uniform() { return (static_cast<double>(stream_.next() >> 11) + 0.5) * 0x1.0p-53; }  // 0 < x < 1
  double normal() { return std::sqrt(-2 * std::log(uniform())) * std::cos(2 * std::numbers::pi * uniform()); }

 private:
  Stream stream_;
};

// Runs with seeds 1 to n, each with what `values` gives for it.
inline Sample made_up(size_t n, const std::function<std::vector<double>(uint64_t seed)>& values) {
  Sample sample;
  for (uint64_t seed = 1; seed <= n; ++seed) sample.push_back({seed, values(seed)});
  return sample;
}

// One value a run, as detection times have it.
inline Sample singles(const std::vector<double>& values) {
  return made_up(values.size(), [&](uint64_t seed) { return std::vector<double>{values[seed - 1]}; });
}

}  // namespace distlab::results::compare
