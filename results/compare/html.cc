#include <map>
#include <utility>

#include "results/compare/output.h"
#include "results/compare/page.h"
#include "results/compare/words.h"
#include "results/report/assets.h"
#include "results/report/page.h"

namespace distlab::results::compare {

namespace {

using Json = nlohmann::ordered_json;

// The distribution functions of every arm, by metric and pair of nodes: the reference's first.
Json curves_json(const Comparison& comparison) {
  std::map<std::pair<scenario::Compared, std::string>, Json> charts;
  const auto add = [&](const Metric& metric, const Line& line, const std::string& arm, const Figured& figured) {
    Json& chart = charts[{metric.metric, line.about}];
    if (chart.is_null())
      chart = {{"metric", to_string(metric.metric)},
               {"name", metric_name(metric.metric)},
               {"of", line.about},
               {"arms", Json::array()}};
    for (const Json& known : chart["arms"])
      if (known["name"] == arm) return;
    chart["arms"].push_back({{"name", arm}, {"values", figured.values}, {"ecdf", figured.ecdf}});
  };
  for (const Versus& versus : comparison.versus)
    for (const Metric& metric : versus.metrics)
      for (const Line& line : metric.lines) {
        add(metric, line, comparison.arms[0], line.a);
        add(metric, line, versus.arm, line.b);
      }
  Json out = Json::array();
  for (auto& [key, chart] : charts) out.push_back(std::move(chart));
  return out;
}

Json texts_json(const Comparison& comparison) {
  Json out = Json::object();
  for (const auto& [metric, margin] : comparison.margins)
    out[std::string(to_string(metric))] = {{"name", metric_name(metric)}, {"margin", margin_text(metric, margin)}};
  return out;
}

}  // namespace

std::string to_html(const std::vector<Comparison>& all, const std::string& command) {
  const Conclusion conclusion = overall(all);
  Json data = {{"command", command},
               {"outcome", to_string(conclusion.decision)},
               {"conclusion", conclusion_text(conclusion)},
               {"comparisons", Json::array()}};
  for (const Comparison& comparison : all) {
    Json one = comparison_json(comparison);
    one["curves"] = curves_json(comparison);
    one["texts"] = texts_json(comparison);
    data["comparisons"].push_back(std::move(one));
  }
  const std::string title = all.empty() ? "comparison" : all.front().scenario + " compared";
  return page_of(title, data, report_assets::compare_script());
}

}  // namespace distlab::results::compare
