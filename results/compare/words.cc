#include "results/compare/words.h"

#include <cmath>

#include <fmt/format.h>

#include "results/summary.h"

namespace distlab::results::compare {

namespace {

using scenario::Compared;

std::string number_text(double value, int decimals) {
  if (std::isinf(value)) return value > 0 ? "infinite" : "-infinite";
  return fmt::format("{:.{}f}", value, decimals);
}

std::string rate_text(double bits_per_second) {
  for (const auto& [unit, size] : {std::pair{"Gbit/s", 1e9}, {"Mbit/s", 1e6}, {"kbit/s", 1e3}})
    if (bits_per_second >= size) return fmt::format("{:.3g} {}", bits_per_second / size, unit);
  return fmt::format("{:.0f} bit/s", bits_per_second);
}

std::string needed_text(const Tested& test) {
  if (test.decision != Decision::too_few) return "";
  return test.runs ? fmt::format("; {} runs of each arm would do", *test.runs)
                   : "; it lies at the margin, where no number of runs would do";
}

}  // namespace

std::string metric_name(Compared metric) {
  switch (metric) {
    case Compared::setup_time:
      return "set-up time";
    case Compared::call_latency:
      return "call latency";
    case Compared::detection_time:
      return "detection time";
    case Compared::reconnect_time:
      return "reconnect time";
    case Compared::goodput:
      return "goodput";
    case Compared::lost_messages:
      return "lost messages";
    case Compared::duplicated_messages:
      return "duplicated messages";
    case Compared::reordered_messages:
      return "reordered messages";
  }
  return "";
}

std::string value_text(Compared metric, double value) {
  if (is_count(metric)) return fmt::format("{:.4g}", value);
  return metric == Compared::goodput ? rate_text(value) : milliseconds_text(value * 1e3);
}

std::string interval_text(const std::optional<Interval>& interval, int decimals) {
  if (!interval) return "-";
  return fmt::format("{} to {}", number_text(interval->low, decimals), number_text(interval->high, decimals));
}

std::string margin_text(Compared metric, const scenario::Margin& margin) {
  std::string text = margin.ratio ? fmt::format("ratio {:g}", *margin.ratio) : "";
  if (margin.difference) text += (text.empty() ? "" : " or ") + value_text(metric, *margin.difference);
  return text;
}

std::string why(Compared metric, const Tested& test, const scenario::Margin& margin) {
  const bool measured = std::isfinite(test.interval.low) || std::isfinite(test.interval.high);
  if (test.what == "distribution") {
    std::string text = fmt::format("distribution: {:.0f}% of the values lie beyond {}", test.distance * 100,
                                   margin_text(metric, margin));
    if (measured) text += fmt::format(" ({:.0f}% to {:.0f}%)", test.interval.low * 100, test.interval.high * 100);
    return text + fmt::format("; {:.0f}% may", test.margin * 100) + needed_text(test);
  }
  std::string text = fmt::format("{} {} against {}, {} margins apart", test.what, value_text(metric, test.a),
                                 value_text(metric, test.b), number_text(test.distance, 2));
  if (measured) text += fmt::format(" ({})", interval_text(test.interval));
  return text + fmt::format("; the margin is {}", margin_text(metric, margin)) + needed_text(test);
}

std::string why_share(const Tested& test, size_t reference_runs, size_t arm_runs) {
  const auto hits = [](double share, size_t runs) { return std::llround(share * static_cast<double>(runs)); };
  return fmt::format("{}: in {} of {} runs against {} of {} ({:+.0f}% to {:+.0f}%; {:.0f}% may be){}", test.what,
                     hits(test.a, reference_runs), reference_runs, hits(test.b, arm_runs), arm_runs,
                     test.interval.low * 100, test.interval.high * 100, test.margin * 100, needed_text(test));
}

std::string conclusion_text(const Conclusion& conclusion) {
  if (conclusion.decision != Decision::too_few) return std::string(to_string(conclusion.decision));
  return conclusion.runs ? fmt::format("too few samples: {} runs of each arm would do", *conclusion.runs)
                         : "too few samples, and nothing tells how many would do";
}

}  // namespace distlab::results::compare
