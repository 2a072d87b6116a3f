// How often the verdicts are wrong, over many made-up pairs of arms whose truth is known. The draws are named, so
// the rates are the same in every run of this test.
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "results/compare/decide.h"
#include "results/compare/testing/made_up.h"

namespace distlab::results::compare {
namespace {

using scenario::Margin;

constexpr int pairs = 500;
constexpr size_t replicates = 400;
constexpr Margin quarter{1.25, std::nullopt, 0.2, 0.1};

// A test of level alpha errs so often just at the margin; what 500 pairs show of it may be more by chance.
const double about_alpha = alpha + 2 * std::sqrt(alpha * (1 - alpha) / pairs);

using Maker = std::function<Sample(Draws& draws, bool second)>;
using Tester = ValueTests (*)(const Sample&, const Sample&, const Margin&, const std::string&, size_t);

struct Rates {
  std::map<std::string, std::map<Decision, double>> of;  // by test, and "all" together

  double operator()(const std::string& what, Decision decision) const {
    const auto found = of.find(what);
    if (found == of.end()) return 0;
    const auto rate = found->second.find(decision);
    return rate == found->second.end() ? 0 : rate->second;
  }
};

Rates rates(const std::string& name, const Margin& margin, const Maker& make, Tester tester = test_values) {
  Rates out;
  for (int i = 0; i < pairs; ++i) {
    Draws draws(fmt::format("{} {}", name, i));
    const Sample a = make(draws, false), b = make(draws, true);
    const ValueTests result = tester(a, b, margin, fmt::format("calibration {} {}", name, i), replicates);
    Decision all = Decision::agree;
    for (const Tested& test : result.tests) {
      all = worst(all, test.decision);
      out.of[test.what][test.decision] += 1.0 / pairs;
    }
    out.of["all"][all] += 1.0 / pairs;
  }
  for (const auto& [what, by] : out.of)
    for (const auto& [decision, rate] : by)
      testing::Test::RecordProperty(fmt::format("{}: {} {}", name, what, to_string(decision)),
                                    fmt::format("{:.3f}", rate));
  return out;
}

// One value a run, spread as a lognormal distribution; the second arm is `factor` times the first. Other seeds in
// each arm, so that nothing is paired.
Maker lognormal(size_t runs, double sigma, double factor) {
  return [=](Draws& draws, bool second) {
    Sample sample = made_up(
        runs, [&](uint64_t) { return std::vector<double>{(second ? factor : 1) * std::exp(sigma * draws.normal())}; });
    if (second)
      for (RunValues& run : sample) run.seed += 1000;
    return sample;
  };
}

// Equal arms hardly ever disagree, and with little noise thirty runs of them agree.
TEST(Calibration, EqualArms) {
  const Rates calm = rates("calm", quarter, lognormal(30, 0.1, 1));
  EXPECT_LE(calm("all", Decision::disagree), alpha);
  EXPECT_GE(calm("all", Decision::agree), 0.95);
  const Rates noisy = rates("noisy", quarter, lognormal(30, 0.5, 1));
  EXPECT_LE(noisy("all", Decision::disagree), alpha);
}

// Arms that differ by just the margin pass for equal no more often than alpha, nor for too different.
TEST(Calibration, ArmsAtTheMargin) {
  for (const size_t runs : {12, 30, 100}) {
    const Rates at = rates(fmt::format("margin {}", runs), quarter, lognormal(runs, 0.2, 1.2501));
    EXPECT_LE(at("all", Decision::agree), alpha) << runs;
    for (const char* what : {"p50", "p90", "distribution"}) {
      EXPECT_LE(at(what, Decision::disagree), about_alpha) << what << " of " << runs;
      if (std::string(what) != "distribution") {
        EXPECT_LE(at(what, Decision::agree), alpha) << what << " of " << runs;
      }
    }
  }
}

// Well beyond the margin they disagree.
TEST(Calibration, ArmsFarApart) {
  EXPECT_GE(rates("far", quarter, lognormal(30, 0.1, 1.5))("all", Decision::disagree), 0.95);
}

// Calls of one run resemble each other. Twenty runs of fifty calls are twenty witnesses, not a thousand.
Maker clustered(double factor) {
  return [=](Draws& draws, bool second) {
    Sample sample = made_up(20, [&](uint64_t) {
      const double level = (second ? factor : 1) * std::exp(0.2 * draws.normal());
      std::vector<double> values(50);
      for (double& value : values) value = level * std::exp(0.05 * draws.normal());
      return values;
    });
    if (second)
      for (RunValues& run : sample) run.seed += 1000;
    return sample;
  };
}

TEST(Calibration, RunsNotCallsAreTheUnit) {
  const Rates equal = rates("clusters", quarter, clustered(1));
  EXPECT_LE(equal("all", Decision::disagree), alpha);
  const Rates at = rates("clusters at the margin", quarter, clustered(1.2501));
  EXPECT_LE(at("all", Decision::agree), alpha);
  EXPECT_LE(at("p50", Decision::agree), alpha);
  EXPECT_LE(at("p50", Decision::disagree), about_alpha);
}

// What seeds do to both arms alike cancels: noise that would need hundreds of runs apart is settled by thirty.
Maker same_seeds(double factor) {
  return [=, levels = std::vector<double>()](Draws& draws, bool second) mutable {
    if (!second) {
      levels.clear();
      for (int i = 0; i < 30; ++i) levels.push_back(std::exp(0.5 * draws.normal()));
    }
    return made_up(30, [&](uint64_t seed) {
      return std::vector<double>{(second ? factor : 1) * levels[seed - 1] * std::exp(0.02 * draws.normal())};
    });
  };
}

TEST(Calibration, SeedsInPairs) {
  const Rates equal = rates("pairs", quarter, same_seeds(1));
  EXPECT_LE(equal("all", Decision::disagree), alpha);
  EXPECT_GE(equal("p50", Decision::agree), 0.9);
  const Rates at = rates("pairs at the margin", quarter, same_seeds(1.2501));
  EXPECT_LE(at("all", Decision::agree), alpha);
}

// Counts, mostly zero: a difference of means at the margin.
Maker losses(double more) {
  return [=](Draws& draws, bool second) {
    const double share = second ? 0.1 + more : 0.1;
    Sample sample = made_up(40, [&](uint64_t) { return std::vector<double>{draws.uniform() < share ? 10.0 : 0.0}; });
    if (second)
      for (RunValues& run : sample) run.seed += 1000;
    return sample;
  };
}

TEST(Calibration, Counts) {
  const Margin two{std::nullopt, 2.0, 0.3, 0.1};
  const Rates equal = rates("counts", two, losses(0), test_counts);
  EXPECT_LE(equal("all", Decision::disagree), alpha);
  const Rates at = rates("counts at the margin", two, losses(0.201), test_counts);
  EXPECT_LE(at("mean", Decision::agree), alpha);
  EXPECT_LE(at("mean", Decision::disagree), about_alpha);
}

// A share of values, as large as the margin of the distribution, lies elsewhere.
Maker mixture(double share) {
  return [=](Draws& draws, bool second) {
    Sample sample = made_up(60, [&](uint64_t) {
      return std::vector<double>{second && draws.uniform() < share ? 2.0 : 1 + 0.01 * draws.normal()};
    });
    if (second)
      for (RunValues& run : sample) run.seed += 1000;
    return sample;
  };
}

TEST(Calibration, Distributions) {
  const Rates at = rates("mixture", quarter, mixture(0.2001));
  EXPECT_LE(at("distribution", Decision::agree), alpha);
  EXPECT_LE(at("distribution", Decision::disagree), about_alpha);
  EXPECT_GE(rates("large mixture", quarter, mixture(0.5))("distribution", Decision::disagree), 0.95);
  EXPECT_GE(rates("small mixture", quarter, mixture(0.02))("distribution", Decision::agree), 0.9);
}

// Shares of runs at the margin.
TEST(Calibration, Shares) {
  std::map<Decision, double> at, equal;
  for (int i = 0; i < 2000; ++i) {
    Draws draws(fmt::format("shares {}", i));
    const auto share = [&](double p) {
      Share out{0, 60};
      for (int run = 0; run < 60; ++run) out.hits += draws.uniform() < p;
      return out;
    };
    at[test_share("x", share(0.5), share(0.6001), 0.1).decision] += 1.0 / 2000;
    equal[test_share("x", share(0.05), share(0.05), 0.1).decision] += 1.0 / 2000;
  }
  EXPECT_LE(at[Decision::agree], alpha);
  EXPECT_LE(at[Decision::disagree], about_alpha);
  EXPECT_LE(equal[Decision::disagree], alpha);
}

}  // namespace
}  // namespace distlab::results::compare
