#include "results/compare/decide.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <functional>
#include <limits>

#include <boost/math/distributions/normal.hpp>

namespace distlab::results::compare {

namespace {

// Repetitions until an interval that reaches `far` beyond its estimate reaches only `allowed`.
std::optional<int64_t> repetitions(double far, double allowed, size_t n) {
  if (!(allowed > 0) || !std::isfinite(far)) return std::nullopt;
  const double wanted = std::ceil(static_cast<double>(n) * (far / allowed) * (far / allowed));
  if (!(wanted <= static_cast<double>(most_repetitions))) return std::nullopt;
  return std::max(static_cast<int64_t>(wanted), static_cast<int64_t>(n) + 1);
}

// More runs so that `have` values of `runs` runs become `wanted`.
int64_t runs_for(double wanted, double have, size_t runs) {
  return static_cast<int64_t>(std::ceil(wanted / have * static_cast<double>(runs) - 1e-9));
}

double z_of(double confidence) {
  return boost::math::quantile(boost::math::normal(), confidence);
}

// Wilson's score interval of one share.
Interval wilson(const Share& share, double z) {
  const auto n = static_cast<double>(share.runs);
  const double p = static_cast<double>(share.hits) / n;
  const double middle = p + z * z / (2 * n), reach = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {std::max(0.0, (middle - reach) / (1 + z * z / n)), std::min(1.0, (middle + reach) / (1 + z * z / n))};
}

double share(const Share& s) {
  return static_cast<double>(s.hits) / static_cast<double>(s.runs);
}

std::vector<double> column(const Bootstrap& bootstrap, const std::function<double(const Replicate&)>& value) {
  std::vector<double> out;
  out.reserve(bootstrap.replicates.size());
  for (const Replicate& one : bootstrap.replicates) out.push_back(value(one));
  return out;
}

double ratio(double a, double b) {
  if (a == b) return 1;
  return a > 0 ? b / a : std::numeric_limits<double>::infinity();
}

class Tester {
 public:
  Tester(const Sample& a, const Sample& b, const scenario::Margin& margin, const std::string& stream, size_t replicates)
      : tolerance_{margin.ratio, margin.difference},
        runs_(std::min(a.size(), b.size())),
        valued_(std::min(runs_with_values(a), runs_with_values(b))),
        a_(a),
        b_(b) {
    const bool enough = valued_ >= least_runs;
    bootstrap_ = bootstrap(a, b, tolerance_, stream, enough ? replicates : 0);
    out_.ks = bootstrap_.observed.ks;
    out_.beyond = bootstrap_.observed.beyond;
    if (enough) cut_ = expanded(alpha, valued_);
  }

  void figure(const char* name, double Figures::*which) {
    const auto distance = [&](const Replicate& one) { return tolerance_.distance(one.a.*which, one.b.*which); };
    const double observed = distance(bootstrap_.observed);
    Tested test = cut_ ? decide(name, observed, percentiles(column(bootstrap_, distance), *cut_), 1, runs_)
                       : undecided(name, observed, 1);
    test.a = bootstrap_.observed.a.*which;
    test.b = bootstrap_.observed.b.*which;
    out_.tests.push_back(std::move(test));
  }

  // The highest quantile that so few values can tell something about.
  void tail() {
    if (!cut_) return figure("p99", &Figures::p99);
    const auto values = [&](double p) { return std::min(independent_values(a_, p), independent_values(b_, p)); };
    if (values(0.99) >= least_values_p99) return figure("p99", &Figures::p99);
    figure("p90", &Figures::p90);
    const double have = values(0.9);
    Tested& test = out_.tests.back();
    if (have >= least_values_p90 || test.decision == Decision::disagree) return;
    const int64_t wanted = runs_for(least_values_p90, have, runs_);
    if (test.decision == Decision::agree) test.runs = wanted;
    if (test.runs) test.runs = std::max(*test.runs, wanted);
    test.decision = Decision::too_few;
  }

  // A distance is never negative, and a sample's is larger than that of what it comes from: by the
  // same bias, a bootstrap's is larger than the sample's. So the upper limit, as percentiles give it,
  // errs on the safe side; the lower one is reflected at the observed distance.
  void distribution(double margin) {
    const double observed = bootstrap_.observed.beyond;
    if (!cut_) return out_.tests.push_back(undecided("distribution", observed, margin));
    const Interval drawn = percentiles(column(bootstrap_, [](const Replicate& r) { return r.beyond; }), *cut_);
    const Interval safe{std::max(0.0, std::min(observed, 2 * observed - drawn.high)), std::max(observed, drawn.high)};
    out_.tests.push_back(decide("distribution", observed, safe, margin, runs_));
  }

  ValueTests result() {
    if (!cut_) return std::move(out_);
    const auto interval = [&](const auto& value) { return percentiles(column(bootstrap_, value), *cut_); };
    out_.p50_ratio = interval([](const Replicate& r) { return ratio(r.a.p50, r.b.p50); });
    out_.p99_ratio = interval([](const Replicate& r) { return ratio(r.a.p99, r.b.p99); });
    out_.mean_difference = interval([](const Replicate& r) { return r.b.mean - r.a.mean; });
    out_.bootstrap = std::move(bootstrap_);
    return std::move(out_);
  }

 private:
  Tested undecided(std::string what, double distance, double margin) const {
    Tested test;
    test.what = std::move(what);
    test.distance = distance;
    test.margin = margin;
    test.interval = {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
    test.runs = runs_for(least_runs, static_cast<double>(valued_), runs_);
    return test;
  }

  Tolerance tolerance_;
  size_t runs_, valued_;  // of the smaller arm: runs, those with values
  const Sample &a_, &b_;
  Bootstrap bootstrap_;
  std::optional<double> cut_;
  ValueTests out_;
};

}  // namespace

std::string_view to_string(Decision decision) {
  switch (decision) {
    case Decision::agree:
      return "agree";
    case Decision::disagree:
      return "disagree";
    case Decision::too_few:
      return "too few";
  }
  return "too few";
}

Decision worst(Decision a, Decision b) {
  for (const Decision one : {Decision::disagree, Decision::too_few})
    if (a == one || b == one) return one;
  return Decision::agree;
}

Tested decide(std::string what, double distance, const Interval& interval, double margin, size_t n) {
  Tested test;
  test.what = std::move(what);
  test.distance = distance;
  test.interval = interval;
  test.margin = margin;
  if (-margin <= interval.low && interval.high <= margin) {
    test.decision = Decision::agree;
  } else if (interval.low > margin || interval.high < -margin) {
    test.decision = Decision::disagree;
  } else if (std::abs(distance) <= margin) {
    const auto up = interval.high > margin ? repetitions(interval.high - distance, margin - distance, n)
                                           : std::optional<int64_t>(1);
    const auto down =
        interval.low < -margin ? repetitions(distance - interval.low, margin + distance, n) : std::optional<int64_t>(1);
    if (up && down) test.runs = std::max(*up, *down);
  } else {
    test.runs = distance > 0 ? repetitions(distance - interval.low, distance - margin, n)
                             : repetitions(interval.high - distance, -margin - distance, n);
  }
  return test;
}

Interval share_interval(const Share& a, const Share& b) {
  assert(a.runs > 0 && b.runs > 0);
  const double z = z_of(1 - alpha), d = share(b) - share(a);
  const Interval in_a = wilson(a, z), in_b = wilson(b, z);
  return {d - std::hypot(share(b) - in_b.low, in_a.high - share(a)),
          d + std::hypot(in_b.high - share(b), share(a) - in_a.low)};
}

Tested test_share(std::string what, const Share& a, const Share& b, double margin) {
  Tested test = decide(std::move(what), share(b) - share(a), share_interval(a, b), margin, std::min(a.runs, b.runs));
  test.a = share(a);
  test.b = share(b);
  return test;
}

ValueTests test_values(const Sample& a, const Sample& b, const scenario::Margin& margin, const std::string& stream,
                       size_t replicates) {
  Tester tester(a, b, margin, stream, replicates);
  tester.figure("p50", &Figures::p50);
  tester.tail();
  tester.distribution(margin.distribution);
  return tester.result();
}

ValueTests test_counts(const Sample& a, const Sample& b, const scenario::Margin& margin, const std::string& stream,
                       size_t replicates) {
  Tester tester(a, b, margin, stream, replicates);
  tester.figure("mean", &Figures::mean);
  tester.distribution(margin.distribution);
  return tester.result();
}

}  // namespace distlab::results::compare
