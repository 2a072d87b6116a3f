#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "results/compare/output.h"
#include "results/compare/words.h"

namespace distlab::results::compare {
namespace {

// One metric of one arm, over all variants of a scenario.
struct Cell {
  size_t agree = 0, disagree = 0, too_few = 0;
  double apart = 0;  // of medians, as a share; of counts and where there is none, 0
};

void add(Cell& cell, const Metric& metric) {
  const Decision decision = metric.conclusion().decision;
  ++(decision == Decision::agree ? cell.agree : decision == Decision::disagree ? cell.disagree : cell.too_few);
  if (is_count(metric.metric)) return;
  for (const Line& line : metric.lines)
    if (line.a.values > 0 && line.b.values > 0 && line.a.p50 > 0)
      cell.apart = std::max(cell.apart, std::abs(line.b.p50 / line.a.p50 - 1));
}

std::string text_of(const Cell& cell) {
  const std::vector<std::pair<size_t, std::string>> counts{
      {cell.agree, "agree"}, {cell.disagree, "**disagree**"}, {cell.too_few, "too few samples"}};
  const size_t all = cell.agree + cell.disagree + cell.too_few;
  std::string out;
  for (const auto& [count, word] : counts) {
    if (count == 0) continue;
    out += out.empty() ? "" : ", ";
    out += count == all ? word : fmt::format("{} {}", count, word);
  }
  if (cell.apart > 0) out += fmt::format("; medians within {:.1f} %", cell.apart * 100);
  return out.empty() ? "-" : out;
}

std::vector<const Comparison*> of_scenario(const std::vector<Comparison>& all, const std::string& name) {
  std::vector<const Comparison*> out;
  for (const Comparison& one : all)
    if (one.scenario == name) out.push_back(&one);
  return out;
}

std::string rows_of(const std::vector<const Comparison*>& variants, const std::vector<std::string>& arms) {
  std::vector<scenario::Compared> metrics;  // in the order of the comparison
  std::map<scenario::Compared, std::map<std::string, Cell>> cells;
  for (const Comparison* one : variants)
    for (const Versus& versus : one->versus)
      for (const Metric& metric : versus.metrics) {
        if (!cells.contains(metric.metric)) metrics.push_back(metric.metric);
        add(cells[metric.metric][versus.arm], metric);
      }
  const Comparison& first = *variants.front();
  std::string label = "`" + first.scenario + "`";
  if (variants.size() > 1) label += fmt::format(", {} variants", variants.size());
  size_t runs = first.runs.front();
  for (const Comparison* one : variants) runs = std::min(runs, *std::min_element(one->runs.begin(), one->runs.end()));
  label += fmt::format(", {} runs each", runs);
  std::string out;
  for (const scenario::Compared metric : metrics) {
    out += fmt::format("| {} | {} |", std::exchange(label, ""), metric_name(metric));
    for (const std::string& arm : arms) out += fmt::format(" {} |", text_of(cells[metric][arm]));
    out += "\n";
  }
  return out;
}

}  // namespace

std::string to_markdown(const std::vector<Comparison>& all) {
  if (all.empty()) return "";
  const std::vector<std::string> arms(all.front().arms.begin() + 1, all.front().arms.end());
  std::string out = "| scenario | metric |", rule = "|---|---|";
  for (const std::string& arm : arms) {
    out += fmt::format(" {} against {} |", arm, all.front().arms.front());
    rule += "---|";
  }
  out += "\n" + rule + "\n";
  std::vector<std::string> done;
  for (const Comparison& one : all) {
    if (std::find(done.begin(), done.end(), one.scenario) != done.end()) continue;
    done.push_back(one.scenario);
    out += rows_of(of_scenario(all, one.scenario), arms);
  }
  return out;
}

}  // namespace distlab::results::compare
