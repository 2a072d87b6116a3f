#include "results/compare/bootstrap.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <map>
#include <set>

#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>

#include "results/compare/random.h"

namespace distlab::results::compare {

namespace {

// Draws runs for both arms.
class Drawing {
 public:
  Drawing(const Sample& a, const Sample& b, bool paired, const std::string& stream)
      : stream_(stream), paired_(paired), times_a_(a.size()), times_b_(b.size()) {
    if (!paired) return;
    std::map<uint64_t, Seed> seeds;
    for (size_t i = 0; i < a.size(); ++i) seeds[a[i].seed].in_a = i;
    for (size_t i = 0; i < b.size(); ++i) seeds[b[i].seed].in_b = i;
    for (const auto& [seed, places] : seeds) seeds_.push_back(places);
  }

  void next() {
    std::fill(times_a_.begin(), times_a_.end(), 0);
    std::fill(times_b_.begin(), times_b_.end(), 0);
    if (!paired_) {
      for (size_t i = 0; i < times_a_.size(); ++i) ++times_a_[stream_.below(times_a_.size())];
      for (size_t i = 0; i < times_b_.size(); ++i) ++times_b_[stream_.below(times_b_.size())];
      return;
    }
    for (size_t i = 0; i < seeds_.size(); ++i) {
      const Seed& seed = seeds_[stream_.below(seeds_.size())];
      if (seed.in_a != nowhere) ++times_a_[seed.in_a];
      if (seed.in_b != nowhere) ++times_b_[seed.in_b];
    }
  }

  const std::vector<uint32_t>& times_a() const { return times_a_; }
  const std::vector<uint32_t>& times_b() const { return times_b_; }

 private:
  static constexpr size_t nowhere = static_cast<size_t>(-1);
  struct Seed {
    size_t in_a = nowhere, in_b = nowhere;
  };

  Stream stream_;
  bool paired_;
  std::vector<uint32_t> times_a_, times_b_;
  std::vector<Seed> seeds_;
};

Figures figures(const Pool& pool) {
  return {pool.quantile(0.5), pool.quantile(0.9), pool.quantile(0.99), pool.mean()};
}

std::set<uint64_t> seeds_of(const Sample& sample) {
  std::set<uint64_t> seeds;
  for (const RunValues& run : sample) seeds.insert(run.seed);
  return seeds;
}

double quantile_of(const std::vector<double>& sorted, double p) {
  const double position = static_cast<double>(sorted.size() - 1) * p;
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  const double part = position - static_cast<double>(below);
  // Infinite neighbours cannot be subtracted.
  if (part == 0 || sorted[below] == sorted[above]) return sorted[below];
  return sorted[below] * (1 - part) + sorted[above] * part;
}

}  // namespace

bool can_pair(const Sample& a, const Sample& b) {
  const std::set<uint64_t> in_a = seeds_of(a), in_b = seeds_of(b);
  if (in_a.size() != a.size() || in_b.size() != b.size()) return false;
  const auto common = static_cast<size_t>(
      std::count_if(in_a.begin(), in_a.end(), [&](uint64_t seed) { return in_b.count(seed) != 0; }));
  return 2 * common > std::max(a.size(), b.size());
}

Bootstrap bootstrap(const Sample& a, const Sample& b, const Tolerance& tolerance, const std::string& stream,
                    size_t replicates) {
  assert(runs_with_values(a) > 0 && runs_with_values(b) > 0);
  Pool pool_a(a), pool_b(b);
  const Distance ks(pool_a, pool_b, {}), beyond(pool_a, pool_b, tolerance);
  const auto now = [&] { return Replicate{figures(pool_a), figures(pool_b), ks.now(), beyond.now()}; };
  Bootstrap out;
  out.observed = now();
  out.paired = can_pair(a, b);
  out.draws = std::min(runs_with_values(a), runs_with_values(b));
  Drawing drawing(a, b, out.paired, stream);
  out.replicates.reserve(replicates);
  while (out.replicates.size() < replicates) {
    drawing.next();
    if (pool_a.draw(drawing.times_a()) && pool_b.draw(drawing.times_b())) out.replicates.push_back(now());
  }
  return out;
}

double expanded(double alpha, size_t n) {
  assert(n >= 2 && alpha > 0 && alpha < 0.5);
  const auto draws = static_cast<double>(n);
  const double t = boost::math::quantile(boost::math::students_t(draws - 1), alpha);
  return boost::math::cdf(boost::math::normal(), t * std::sqrt(draws / (draws - 1)));
}

Interval percentiles(std::vector<double> values, double cut) {
  assert(!values.empty() && cut > 0 && cut < 0.5);
  std::sort(values.begin(), values.end());
  return {quantile_of(values, cut), quantile_of(values, 1 - cut)};
}

}  // namespace distlab::results::compare
