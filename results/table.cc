#include "results/table.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string_view>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace distlab::results {

namespace {

constexpr size_t most_rows = 12;  // of nodes and pairs; beyond it only those with something to say
constexpr size_t most_family_rows = 40;

// Columns a text takes: code points, as all that we print is one column wide each.
size_t columns(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// Control characters of a recorded text must not reach the terminal.
std::string clean(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return out;
}

class Printer {
 public:
  explicit Printer(const TableStyle& style) : style_(style) {}

  std::string paint(std::string_view text, const char* code) const {
    return style_.color ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
  }
  std::string bold(std::string_view text) const { return paint(text, "1"); }
  std::string dim(std::string_view text) const { return paint(text, "2"); }
  std::string mark(Outcome outcome) const {
    if (outcome == Outcome::pass) return paint("pass", "32");
    return outcome == Outcome::fail ? paint("FAIL", "1;31") : paint("unknown", "33");
  }

  void line(std::string_view text) { out += fmt::format("{}\n", text); }
  void head(std::string_view text) { out += fmt::format("\n{}\n", bold(text)); }

  // Text after `indent` columns, wrapped at blanks.
  void wrapped(std::string_view text, size_t indent) {
    const size_t room = style_.width > indent + 20 ? style_.width - indent : 20;
    std::string row;
    const auto flush = [&] {
      line(std::string(indent, ' ') + row);
      row.clear();
    };
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find(' ', at), text.size());
      const std::string_view word = text.substr(at, end - at);
      if (!row.empty() && columns(row) + 1 + columns(word) > room) flush();
      if (!row.empty()) row += ' ';
      row += word;
      at = end + 1;
    }
    if (!row.empty()) flush();
  }

  // Rows of cells in columns; cells of columns named in `right` end at the right.
  void grid(const std::vector<std::vector<std::string>>& rows, std::string_view right) {
    std::vector<size_t> widths;
    for (const auto& row : rows) {
      widths.resize(std::max(widths.size(), row.size()));
      for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
    }
    for (size_t r = 0; r < rows.size(); ++r) {
      std::string text = " ";
      for (size_t i = 0; i < rows[r].size(); ++i) {
        const std::string blank(widths[i] - columns(rows[r][i]), ' ');
        const bool to_right = i < right.size() && right[i] == '>';
        text += ' ' + (to_right ? blank + rows[r][i] : rows[r][i] + blank) + ' ';
      }
      text.erase(text.find_last_not_of(' ') + 1);
      line(r == 0 ? dim(text) : text);
    }
  }

  std::string out;

 private:
  TableStyle style_;
};

void print_run(Printer& p, const Digest& d, const std::vector<Verdict>& verdicts) {
  const RunRecord& run = d.run;
  const std::string label = label_text(run);
  p.line(fmt::format("{}{}  {}  seed {}  {}", p.bold(clean(run.scenario)),
                     label.empty() ? "" : " (" + clean(label) + ")", run.ground, run.seed,
                     p.mark(outcome_of(run.status, verdicts))));
  std::string facts = fmt::format("  {} simulated", duration_text(d.end_ns));
  if (run.wall_seconds > 0)
    facts += fmt::format(" in {} ({:.0f} times real time)", milliseconds_text(run.wall_seconds * 1e3),
                         static_cast<double>(d.end_ns) / 1e9 / run.wall_seconds);
  if (!run.trace_hash.empty()) facts += fmt::format(", trace {}", run.trace_hash);
  p.line(p.dim(facts));
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
  print_nodes(p, digest);
  print_pings(p, digest);
  print_calls(p, digest);
  print_ledger(p, digest);
  print_verdicts(p, verdicts);
  return p.out;
}

std::string family_table(const std::vector<RunSummary>& runs, const TableStyle& style) {
  Printer p(style);
  std::vector<std::vector<std::string>> rows = {
      {"run", "seed", "variant", "outcome", "noticed after", "calls", "p50", "p99", "lost"}};
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
                    s.outcome == Outcome::fail ? "FAIL" : std::string(to_string(s.outcome)),
                    noticed == s.detections.end() ? "-" : duration_text(*noticed->after_ns), fmt::to_string(s.calls),
                    time(s.call_latency_ms.p50), time(s.call_latency_ms.p99), fmt::to_string(s.lost)});
  }
  p.grid(rows, ">>  >>>>>");
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
