#include <cmath>

#include <nlohmann/json.hpp>

#include "results/compare/output.h"
#include "results/compare/page.h"
#include "results/compare/words.h"

namespace distlab::results::compare {

namespace {

using Json = nlohmann::ordered_json;

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json optional_number(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json interval_json(const std::optional<Interval>& interval) {
  if (!interval) return nullptr;
  return {number(interval->low), number(interval->high)};
}

Json runs_json(const std::optional<int64_t>& runs) {
  return runs ? Json(*runs) : Json(nullptr);
}

Json figured_json(const Figured& f) {
  Json out = {{"runs", f.runs}, {"runs_with_values", f.with_values}, {"values", f.values}};
  for (const auto& [key, value] : {std::pair{"p50", f.p50}, {"p99", f.p99}, {"mean", f.mean}})
    out[key] = f.values > 0 ? Json(value) : Json(nullptr);
  return out;
}

Json test_json(const Tested& test, const std::string& why) {
  return {{"what", test.what},     {"outcome", to_string(test.decision)}, {"reference", number(test.a)},
          {"arm", number(test.b)}, {"distance", number(test.distance)},   {"interval", interval_json(test.interval)},
          {"margin", test.margin}, {"runs_needed", runs_json(test.runs)}, {"why", why}};
}

Json line_json(const Comparison& comparison, const Metric& metric, const Line& line) {
  Json tests = Json::array();
  for (const Tested& test : line.tests)
    tests.push_back(test_json(test, why(metric.metric, test, comparison.margins.at(metric.metric))));
  return {{"of", line.about},
          {"reference", figured_json(line.a)},
          {"arm", figured_json(line.b)},
          {"p50_ratio", interval_json(line.p50_ratio)},
          {"p99_ratio", interval_json(line.p99_ratio)},
          {"mean_difference", interval_json(line.mean_difference)},
          {"ks", line.tests.empty() ? Json(nullptr) : Json(line.ks)},
          {"beyond", line.tests.empty() ? Json(nullptr) : Json(line.beyond)},
          {"paired", line.paired},
          {"tests", tests}};
}

Json conclusion_json(Json json, const Conclusion& conclusion) {
  json["outcome"] = to_string(conclusion.decision);
  json["runs_needed"] = runs_json(conclusion.runs);
  return json;
}

Json metric_json(const Comparison& comparison, const Metric& metric, size_t arm) {
  const scenario::Margin& margin = comparison.margins.at(metric.metric);
  Json out = conclusion_json({{"metric", to_string(metric.metric)}}, metric.conclusion());
  out["margin"] = {{"ratio", optional_number(margin.ratio)},
                   {"difference", optional_number(margin.difference)},
                   {"distribution", margin.distribution},
                   {"outcomes", margin.outcomes}};
  out["values"] = Json::array();
  for (const Line& line : metric.lines) out["values"].push_back(line_json(comparison, metric, line));
  out["outcomes"] = Json::array();
  for (const Tested& test : metric.outcomes)
    out["outcomes"].push_back(test_json(test, why_share(test, comparison.runs[0], comparison.runs[arm])));
  return out;
}

}  // namespace

Json comparison_json(const Comparison& comparison) {
  Json arms = Json::array(), versus = Json::array();
  for (size_t i = 0; i < comparison.arms.size(); ++i)
    arms.push_back({{"name", comparison.arms[i]}, {"runs", comparison.runs[i]}, {"left_out", comparison.left_out[i]}});
  for (size_t i = 0; i < comparison.versus.size(); ++i) {
    const Versus& one = comparison.versus[i];
    Json json = conclusion_json({{"arm", one.arm}}, one.conclusion());
    json["metrics"] = Json::array();
    for (const Metric& metric : one.metrics) json["metrics"].push_back(metric_json(comparison, metric, i + 1));
    versus.push_back(std::move(json));
  }
  Json out =
      conclusion_json({{"scenario", comparison.scenario}, {"variant", comparison.variant}}, comparison.conclusion());
  out["arms"] = std::move(arms);
  out["notes"] = comparison.notes;
  out["versus"] = std::move(versus);
  return out;
}

std::string to_json(const std::vector<Comparison>& all) {
  Json document = conclusion_json({{"distlab_compare_json", compare_json_format}}, overall(all));
  document["comparisons"] = Json::array();
  for (const Comparison& comparison : all) document["comparisons"].push_back(comparison_json(comparison));
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace distlab::results::compare
