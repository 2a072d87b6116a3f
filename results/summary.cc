#include "results/summary.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace distlab::results {

RunSummary summarize(const Digest& digest, std::vector<Verdict> verdicts) {
  RunSummary s;
  s.run = digest.run;
  s.run.scenario_text.clear();
  s.outcome = outcome_of(digest.run.status, verdicts);
  s.verdicts = std::move(verdicts);
  s.calls = static_cast<int64_t>(digest.calls.size());
  s.failed_calls = std::count_if(digest.calls.begin(), digest.calls.end(), [](const Call& c) { return !c.ok(); });
  s.call_latency_ms = digest.call_latency_ms();
  for (const PairLedger& book : digest.ledger) {
    s.sent += book.sent;
    s.delivered += book.delivered;
    s.lost += book.lost;
    s.in_flight += book.in_flight;
    s.duplicated += book.duplicated;
    s.reordered += book.reordered;
    s.late += book.late;
    s.wedged_ns += book.wedged_ns();
  }
  s.detections = digest.detections;
  s.had_fault = !digest.faults.empty();
  const auto& views = digest.connectivity.views;
  s.ever_up = std::any_of(views.begin(), views.end(), [](const auto& view) { return !view.second.up.empty(); });
  s.death = digest.death();
  return s;
}

std::string cause_of_death(const RunSummary& s) {
  if (s.death) return s.death->reason.empty() ? "without a reason" : s.death->reason;
  if (s.run.status != RunStatus::complete) return "incomplete";
  if (!s.had_fault) return "no fault";
  return s.ever_up ? "survived" : "never up";
}

Outcome worst(const std::vector<RunSummary>& runs) {
  const auto any = [&](Outcome outcome) {
    return std::any_of(runs.begin(), runs.end(), [&](const RunSummary& s) { return s.outcome == outcome; });
  };
  if (any(Outcome::fail)) return Outcome::fail;
  return runs.empty() || any(Outcome::unknown) ? Outcome::unknown : Outcome::pass;
}

namespace {

// Three significant digits, and no zeros at the end of the fraction.
std::string digits(double value) {
  const int before_point = static_cast<int>(std::floor(std::log10(std::abs(value)))) + 1;
  std::string text = fmt::format("{:.{}f}", value, std::clamp(3 - before_point, 0, 2));
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

std::string duration_text(int64_t ns) {
  const double s = static_cast<double>(ns) / 1e9;
  const double size = std::abs(s);
  if (ns == 0) return "0 s";
  if (size < 1e-6) return fmt::format("{} ns", ns);
  if (size < 1e-3) return digits(s * 1e6) + " us";
  if (size < 1) return digits(s * 1e3) + " ms";
  if (size < 100) return fmt::format("{:.2f} s", s);
  if (size < 600) return fmt::format("{:.1f} s", s);
  const auto whole = static_cast<int64_t>(std::llround(s));
  return fmt::format("{} min {} s", whole / 60, std::abs(whole % 60));
}

std::string milliseconds_text(double ms) {
  return duration_text(static_cast<int64_t>(std::llround(ms * 1e6)));
}

std::string bytes_text(int64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (std::abs(value) < 1024) return fmt::format("{} B", bytes);
  if (std::abs(value) < 1024.0 * 1024) return fmt::format("{:.1f} KiB", value / 1024);
  return fmt::format("{:.1f} MiB", value / 1024 / 1024);
}

}  // namespace distlab::results
