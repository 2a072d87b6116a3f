#include "results/table.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "results/table_parts.h"

namespace distlab::results {

namespace {

constexpr size_t most_family_rows = 40;

std::string late_text(const RunRecord& run) {
  std::string text;
  const auto add = [&](std::string_view what, const std::optional<ClockLateness>& late) {
    if (!late) return;
    text += fmt::format("{} {} {} / {} / {}", text.empty() ? "; late (p50 / p99 / most):" : ",", what,
                        duration_text(late->p50_ns), duration_text(late->p99_ns), duration_text(late->max_ns));
  };
  add("packets", run.clock_lateness);
  add("processes", run.wake_lateness);
  return text;
}

// How fast virtual time passed, or how late real time was.
std::string pace_text(const Digest& d) {
  const RunRecord& run = d.run;
  std::string text = duration_text(d.end_ns);
  if (run.ground != "sim") {
    return text + " in real time" + late_text(run);
  }
  text += " simulated";
  if (run.wall_seconds > 0)
    text += fmt::format(" in {} ({:.0f} times real time)", milliseconds_text(run.wall_seconds * 1e3),
                        static_cast<double>(d.end_ns) / 1e9 / run.wall_seconds);
  if (!run.trace_hash.empty()) text += fmt::format(", trace {}", run.trace_hash);
  return text;
}

void print_run(Printer& p, const Digest& d, const std::vector<Verdict>& verdicts) {
  const RunRecord& run = d.run;
  const std::string label = label_text(run);
  p.line(fmt::format("{}{}  {}  seed {}  {}", p.bold(clean(run.scenario)),
                     label.empty() ? "" : " (" + clean(label) + ")", run.ground, run.seed,
                     p.mark(outcome_of(run.status, verdicts))));
  p.line(p.dim("  " + pace_text(d)));
  if (run.status != RunStatus::complete)
    p.line(
        fmt::format("  {}{}", p.paint(to_string(run.status), "33"), run.error.empty() ? "" : ": " + clean(run.error)));
}

std::string up_text(const PeerView& view) {
  if (view.up.empty()) return "never up";
  std::string text;
  for (size_t i = 0; i < view.up.size() && i < 3; ++i) {
    const UpPeriod& period = view.up[i];
    text += fmt::format("{}up {}", i == 0 ? "" : ", ", duration_text(period.from_ns));
    if (period.went_down) text += fmt::format(", down {} ({})", duration_text(period.to_ns), clean(period.reason));
  }
  return view.up.size() > 3 ? text + fmt::format(", and {} times more", view.up.size() - 3) : text;
}

void print_nodes(Printer& p, const Digest& d) {
  if (d.connectivity.views.empty()) return;
  const bool all = d.connectivity.views.size() <= most_rows;
  std::vector<std::vector<std::string>> rows = {{"node", "sees", "how"}};
  size_t quiet = 0;
  for (const auto& [pair, view] : d.connectivity.views) {
    const bool eventful = !view.failures.empty() || view.up.size() != 1 || view.up.front().went_down;
    if (!all && (!eventful || rows.size() > most_rows)) {
      ++quiet;
      continue;
    }
    std::string how = up_text(view);
    if (!view.failures.empty())
      how += fmt::format("; {} failed to connect, last {} ({})", view.failures.size(),
                         duration_text(view.failures.back().time_ns), clean(view.failures.back().reason));
    rows.push_back({clean(pair.first), clean(pair.second), how});
  }
  p.head("Nodes");
  if (rows.size() > 1) p.grid(rows, "");
  if (quiet > 0) p.line(p.dim(fmt::format("  and {} more views", quiet)));
}

void print_pings(Printer& p, const Digest& d) {
  std::string text;
  for (const auto& [result, count] : d.pings)
    text += fmt::format("{}{} {}", text.empty() ? "  " : ", ", count, clean(result));
  if (text.empty()) return;
  p.head("Pings");
  p.line(text);
}

void print_calls(Printer& p, const Digest& d) {
  if (d.calls.empty()) return;
  const Summary s = d.call_latency_ms();
  std::map<std::string, int64_t> failures;
  for (const Call& call : d.calls)
    if (!call.ok()) ++failures[call.result];
  std::string text = fmt::format("  {} calls", d.calls.size());
  if (s.count > 0)
    text += fmt::format(", latency p50 {}, p99 {}, max {}", milliseconds_text(s.p50), milliseconds_text(s.p99),
                        milliseconds_text(s.max));
  for (const auto& [result, count] : failures) text += fmt::format(", {} {}", count, p.paint(clean(result), "31"));
  p.head("Calls");
  p.line(text);
}

void print_beams(Printer& p, const Digest& d) {
  if (!d.evaluations.empty()) p.head("Evaluated");
  for (size_t i = 0; i < std::min(d.evaluations.size(), most_rows); ++i) {
    const Evaluation& e = d.evaluations[i];
    const std::string result = e.result == "ok" ? "" : p.paint(clean(e.result), "31") + ": ";
    const std::string how =
        fmt::format("  {} at {}, {}: ", clean(e.node), duration_text(e.started_ns), duration_text(e.elapsed_ns));
    p.wrapped(result + clean(e.value), 6, how);
  }
  if (d.evaluations.size() > most_rows)
    p.line(p.dim(fmt::format("  and {} more evaluations", d.evaluations.size() - most_rows)));
  if (!d.stalls.empty()) p.head("Schedulers held up");
  for (const auto& [node, stalls] : d.stalls)
    p.line(fmt::format("  {} {}, {} at most", clean(node),
                       stalls.count == 1 ? "once" : fmt::format("{} times", stalls.count),
                       duration_text(stalls.longest_ns)));
}

void print_ledger(Printer& p, const Digest& d) {
  if (d.ledger.empty()) return;
  std::vector<std::vector<std::string>> rows = {
      {"from", "to", "sent", "delivered", "lost", "dup", "reord", "late", "p50", "p99", "wedged"}};
  const bool all = d.ledger.size() <= most_rows;
  PairLedger sum;
  for (const PairLedger& b : d.ledger) {
    sum.sent += b.sent;
    sum.delivered += b.delivered;
    sum.lost += b.lost;
    const bool eventful = b.lost + b.duplicated + b.reordered + b.late > 0;
    if (!all && (!eventful || rows.size() > most_rows)) continue;
    const Summary s = summarize(b.latency_ms);
    const auto time = [&](double ms) { return s.count > 0 ? milliseconds_text(ms) : std::string("-"); };
    rows.push_back({clean(b.from), clean(b.to), fmt::to_string(b.sent), fmt::to_string(b.delivered),
                    fmt::to_string(b.lost), fmt::to_string(b.duplicated), fmt::to_string(b.reordered),
                    fmt::to_string(b.late), time(s.p50), time(s.p99),
                    b.wedges.empty() ? "-" : duration_text(b.wedged_ns())});
  }
  p.head("Messages, end to end");
  if (rows.size() > 1) p.grid(rows, "  >>>>>>>>>");
  if (!all)
    p.line(p.dim(fmt::format("  in all {} pairs: {} sent, {} delivered, {} lost", d.ledger.size(), sum.sent,
                             sum.delivered, sum.lost)));
}

void print_verdicts(Printer& p, const std::vector<Verdict>& verdicts) {
  if (verdicts.empty()) return;
  p.head("Expectations");
  for (const Verdict& v : verdicts) {
    const std::string blank(8 - to_string(v.outcome).size(), ' ');
    p.line(fmt::format("  {}{}{}", p.mark(v.outcome), blank, clean(v.text)));
    const std::string where =
        v.outcome == Outcome::pass || v.file.empty() ? "" : fmt::format(" [{}:{}]", clean(v.file), v.line);
    p.wrapped(clean(v.why) + where, 10);
  }
}

void print_expectation_counts(Printer& p, const std::vector<RunSummary>& runs) {
  struct Count {
    size_t failed = 0, unknown = 0, total = 0;
    std::string example;
  };
  std::vector<std::pair<std::string, Count>> counts;  // in order of the first run
  for (const RunSummary& run : runs) {
    for (const Verdict& v : run.verdicts) {
      auto found = std::find_if(counts.begin(), counts.end(), [&](const auto& c) { return c.first == v.text; });
      if (found == counts.end()) found = counts.insert(counts.end(), {v.text, {}});
      Count& count = found->second;
      ++count.total;
      count.failed += v.outcome == Outcome::fail;
      count.unknown += v.outcome == Outcome::unknown;
      if (v.outcome != Outcome::pass && count.example.empty())
        count.example = fmt::format("run {}, seed {}: {}", run.run.id, run.run.seed, clean(v.why));
    }
  }
  if (counts.empty()) return;
  p.head("Expectations");
  for (const auto& [text, count] : counts) {
    const Outcome outcome = count.failed > 0 ? Outcome::fail : count.unknown > 0 ? Outcome::unknown : Outcome::pass;
    const std::string blank(8 - to_string(outcome).size(), ' ');
    p.line(fmt::format("  {}{}{}  {}", p.mark(outcome), blank, clean(text),
                       p.dim(fmt::format("{} of {} passed", count.total - count.failed - count.unknown, count.total))));
    if (!count.example.empty()) p.wrapped(count.example, 10);
  }
}

}  // namespace

TableStyle style_of(int file_descriptor) {
  TableStyle style;
  if (::isatty(file_descriptor) == 0) return style;
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  style.color = (no_color == nullptr || *no_color == '\0') && term != nullptr && std::strcmp(term, "dumb") != 0;
  winsize size{};
  if (::ioctl(file_descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) style.width = size.ws_col;
  return style;
}

std::string run_table(const Digest& digest, const std::vector<Verdict>& verdicts, const TableStyle& style) {
  Printer p(style);
  print_run(p, digest, verdicts);
  print_relays(p, digest);
  print_nodes(p, digest);
  print_tunnels(p, digest);
  print_pings(p, digest);
  print_calls(p, digest);
  print_beams(p, digest);
  print_ledger(p, digest);
  print_narrative(p, digest);
  print_verdicts(p, verdicts);
  return p.out;
}

std::string family_table(const std::vector<RunSummary>& runs, const TableStyle& style) {
  Printer p(style);
  std::vector<std::vector<std::string>> rows = {
      {"run", "seed", "variant", "outcome", "cause of death", "noticed after", "calls", "p50", "p99", "lost"}};
  size_t hidden = 0;
  for (const RunSummary& s : runs) {
    if (rows.size() > most_family_rows && s.outcome == Outcome::pass) {
      ++hidden;
      continue;
    }
    const auto noticed = std::find_if(s.detections.begin(), s.detections.end(),
                                      [](const Detection& d) { return d.after_ns.has_value(); });
    const auto time = [&](double ms) { return s.call_latency_ms.count > 0 ? milliseconds_text(ms) : std::string("-"); };
    rows.push_back({fmt::to_string(s.run.id), fmt::to_string(s.run.seed), clean(label_text(s.run)),
                    s.outcome == Outcome::fail ? "FAIL" : std::string(to_string(s.outcome)), clean(cause_of_death(s)),
                    noticed == s.detections.end() ? "-" : duration_text(*noticed->after_ns), fmt::to_string(s.calls),
                    time(s.call_latency_ms.p50), time(s.call_latency_ms.p99), fmt::to_string(s.lost)});
  }
  p.grid(rows, ">>   >>>>>");
  if (hidden > 0) p.line(p.dim(fmt::format("  and {} more runs that passed", hidden)));
  print_expectation_counts(p, runs);
  const auto count = [&](Outcome outcome) {
    return std::count_if(runs.begin(), runs.end(), [&](const RunSummary& s) { return s.outcome == outcome; });
  };
  p.line(fmt::format("\n{} runs: {} passed, {} failed, {} unknown  {}", runs.size(), count(Outcome::pass),
                     count(Outcome::fail), count(Outcome::unknown), p.mark(worst(runs))));
  return p.out;
}

}  // namespace distlab::results
