// Prints what this room makes of samples, for scipy_test.py to hold against SciPy. From standard input, an array of
// cases as JSON: a, b (arrays of runs, each an array of values), paired, ratio, difference (or null), distribution,
// counts, replicates, shares ([hits, runs, hits, runs] or null).
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

#include <nlohmann/json.hpp>

#include "results/compare/decide.h"

namespace {

using nlohmann::json;
namespace compare = distlab::results::compare;
using compare::Figures;
using compare::Interval;
using compare::Sample;
using compare::Tested;
using compare::ValueTests;

Sample sample_of(const json& runs, uint64_t first_seed) {
  Sample sample;
  for (const json& run : runs) sample.push_back({first_seed++, run.get<std::vector<double>>()});
  return sample;
}

std::optional<double> optional_of(const json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<double>());
}

json interval_json(const std::optional<Interval>& interval) {
  return interval ? json{interval->low, interval->high} : json(nullptr);
}

json figures_json(const Figures& figures) {
  return {{"p50", figures.p50}, {"p90", figures.p90}, {"p99", figures.p99}, {"mean", figures.mean}};
}

json answer(const json& asked) {
  const Sample a = sample_of(asked["a"], 1), b = sample_of(asked["b"], asked["paired"] ? 1 : 1'000'001);
  const distlab::scenario::Margin margin{optional_of(asked["ratio"]), optional_of(asked["difference"]),
                                         asked["distribution"], 0.1};
  const auto test = asked["counts"] ? compare::test_counts : compare::test_values;
  const ValueTests result = test(a, b, margin, "scipy", asked["replicates"]);
  json out = {{"a", figures_json(result.bootstrap->observed.a)},
              {"b", figures_json(result.bootstrap->observed.b)},
              {"ks", result.ks},
              {"beyond", result.beyond},
              {"paired", result.bootstrap->paired},
              {"cut", compare::expanded(compare::alpha, result.bootstrap->draws)},
              {"p50_ratio", interval_json(result.p50_ratio)},
              {"p99_ratio", interval_json(result.p99_ratio)},
              {"mean_difference", interval_json(result.mean_difference)},
              {"tests", json::object()}};
  for (const Tested& one : result.tests)
    out["tests"][one.what] = {
        {"decision", to_string(one.decision)}, {"distance", one.distance}, {"interval", interval_json(one.interval)}};
  if (const json& s = asked["shares"]; !s.is_null())
    out["share_interval"] = interval_json(compare::share_interval({s[0], s[1]}, {s[2], s[3]}));
  return out;
}

}  // namespace

int main() {
  try {
    json answers = json::array();
    for (const json& one : json::parse(std::cin)) answers.push_back(answer(one));
    std::cout << answers.dump() << "\n";
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "compare_figures: %s\n", error.what());
    return 1;
  }
}
