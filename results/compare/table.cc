#include <algorithm>

#include <fmt/format.h>

#include "results/compare/decide.h"
#include "results/compare/output.h"
#include "results/compare/words.h"
#include "results/table_parts.h"

namespace distlab::results::compare {

namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string mark(const Printer& p, Decision decision) {
  const char* color = decision == Decision::agree ? "32" : decision == Decision::disagree ? "31;1" : "33";
  return p.paint(decision == Decision::disagree ? "DISAGREE" : to_string(decision), color);
}

// The verdict of a metric stands in its first row, whatever that row is about.
std::vector<std::string> row(const Metric& metric, const Line& line, bool first) {
  const bool count = is_count(metric.metric);
  const auto figure = [&](const Figured& in, double value) {
    return in.values > 0 ? value_text(metric.metric, value) : std::string("-");
  };
  const auto middle = [&](const Figured& in) {
    return count && in.values > 0 ? "mean " + figure(in, in.mean) : figure(in, in.p50);
  };
  return {
      first ? metric_name(metric.metric) : "",
      clean(line.about),
      fmt::format("{}/{}", line.a.values, line.b.values),
      middle(line.a),
      middle(line.b),
      count && line.mean_difference ? "by " + interval_text(line.mean_difference, 1) : interval_text(line.p50_ratio),
      figure(line.a, line.a.p99),
      figure(line.b, line.b.p99),
      count ? "" : interval_text(line.p99_ratio),
      line.tests.empty() ? "-" : fmt::format("{:.2f}", line.ks),
      first ? std::string(to_string(metric.conclusion().decision)) : ""};
}

void add_rows(const Metric& metric, Rows& rows) {
  // Of some nothing can be measured, only what came about: calls that all fail.
  if (metric.lines.empty()) rows.push_back(row(metric, {}, true));
  for (const Line& line : metric.lines) rows.push_back(row(metric, line, &line == &metric.lines.front()));
}

void print_reasons(Printer& p, const Comparison& comparison, const Versus& versus, size_t arm) {
  // Then everything has too few samples, of one reason.
  const bool hardly_any = std::min(comparison.runs[0], comparison.runs[arm]) < least_runs;
  const auto line = [&](Decision decision, const std::string& text) {
    if (hardly_any && decision == Decision::too_few) return;
    p.line("  " + mark(p, decision));
    p.wrapped(clean(text), 4);
  };
  size_t outcomes = 0;
  for (const Metric& metric : versus.metrics) {
    const scenario::Margin& margin = comparison.margins.at(metric.metric);
    for (const Line& one : metric.lines)
      for (const Tested& test : one.tests)
        if (test.decision != Decision::agree)
          line(test.decision, fmt::format("{}{}, {}", metric_name(metric.metric),
                                          one.about.empty() ? "" : " " + one.about, why(metric.metric, test, margin)));
    for (const Tested& test : metric.outcomes) {
      if (test.decision != Decision::agree)
        line(test.decision, why_share(test, comparison.runs[0], comparison.runs[arm]));
      else
        ++outcomes;
    }
  }
  if (const Conclusion conclusion = versus.conclusion(); hardly_any && conclusion.decision == Decision::too_few) {
    const std::string wanted = conclusion.runs ? fmt::format("; {} of each would do", *conclusion.runs) : "";
    p.wrapped(fmt::format("Fewer than {} runs of an arm settle no metric{}.", least_runs, wanted), 2);
  }
  if (outcomes > 0)
    p.line(p.dim(outcomes == 1 ? "  1 kind of outcome agrees" : fmt::format("  {} kinds of outcome agree", outcomes)));
}

void print_versus(Printer& p, const Comparison& comparison, const Versus& versus, size_t arm) {
  const std::string &a = comparison.arms[0], &b = versus.arm;
  p.line(fmt::format("{}{}  {} against {}  {}", p.bold(clean(comparison.scenario)),
                     comparison.variant.empty() ? "" : " (" + clean(comparison.variant) + ")", clean(b), clean(a),
                     mark(p, versus.conclusion().decision)));
  std::string runs = fmt::format("  {} and {} runs", comparison.runs[arm], comparison.runs[0]);
  const bool paired = std::any_of(versus.metrics.begin(), versus.metrics.end(), [](const Metric& metric) {
    return std::any_of(metric.lines.begin(), metric.lines.end(), [](const Line& line) { return line.paired; });
  });
  if (paired) runs += ", seed by seed";
  if (const size_t left_out = comparison.left_out[0] + comparison.left_out[arm]; left_out > 0)
    runs += fmt::format("; {} left out, which did not reach their end or ran late", left_out);
  p.line(p.dim(runs));
  for (const std::string& note : comparison.notes) p.wrapped("note: " + note, 2);
  if (versus.metrics.empty()) {
    p.line("  there is nothing to compare");
    return;
  }
  Rows rows = {{"metric", "of", "values", "p50 " + clean(a), clean(b), "ratio, 90%", "p99 " + clean(a), clean(b),
                "ratio, 90%", "KS", "verdict"}};
  for (const Metric& metric : versus.metrics) add_rows(metric, rows);
  p.grid(rows, "  >>>>>>>>");
  print_reasons(p, comparison, versus, arm);
}

}  // namespace

std::string to_table(const std::vector<Comparison>& all, const TableStyle& style) {
  Printer p(style);
  size_t agree = 0, disagree = 0, too_few = 0;
  for (const Comparison& comparison : all) {
    for (size_t i = 0; i < comparison.versus.size(); ++i) {
      if (!p.out.empty()) p.line("");
      print_versus(p, comparison, comparison.versus[i], i + 1);
      for (const Metric& metric : comparison.versus[i].metrics) {
        const Decision decision = metric.conclusion().decision;
        ++(decision == Decision::agree ? agree : decision == Decision::disagree ? disagree : too_few);
      }
    }
  }
  const Conclusion conclusion = overall(all);
  p.line(fmt::format("\n{} metrics compared: {} agree, {} disagree, {} with too few samples  {}{}",
                     agree + disagree + too_few, agree, disagree, too_few, mark(p, conclusion.decision),
                     conclusion.decision == Decision::too_few && conclusion.runs
                         ? fmt::format(" ({} runs of each arm would do)", *conclusion.runs)
                         : ""));
  return p.out;
}

}  // namespace distlab::results::compare
