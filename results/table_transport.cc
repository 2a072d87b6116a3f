// The parts of the table that only a run over relays has.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "results/narrative.h"
#include "results/summary.h"
#include "results/table_parts.h"

namespace distlab::results {

namespace {

constexpr size_t most_stories = 6;

// "3 idle_timeout, 1 closed"
std::string counts_text(const std::map<std::string, int64_t>& counts) {
  std::string text;
  for (const auto& [what, count] : counts)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, clean(what.empty() ? "without a reason" : what));
  return text;
}

std::string sessions_text(const RelayView& relay) {
  int64_t up = 0, ended = 0;
  std::map<std::string, int64_t> down;
  for (const auto& [identity, spans] : relay.sessions) {
    for (const Span& span : spans) {
      ++up;
      ended += span.ended;
      if (span.ended) ++down[span.reason];
    }
  }
  if (up == 0) return "no session";
  std::string text = fmt::format("{} up", up);
  if (ended > 0) text += fmt::format(", {} down ({})", ended, counts_text(down));
  return text + fmt::format(", {} open at the end", up - ended);
}

std::string refused_text(const RelayView& relay) {
  std::map<std::string, int64_t> counts;
  for (const Failure& one : relay.refused) ++counts[one.reason];
  for (const auto& [what, count] : relay.strangers) counts[what] += count;
  return counts.empty() ? "-" : counts_text(counts);
}

std::string dropped_text(const RelayView& relay) {
  std::string text;
  for (const auto& [reason, dropped] : relay.dropped) {
    text += text.empty() ? "" : ", ";
    if (dropped.messages > 0) {
      text += fmt::format("{} {}, {} ({})", dropped.messages, dropped.messages == 1 ? "message" : "messages",
                          bytes_text(dropped.bytes), clean(reason));
    } else {
      text += fmt::format("{} {}", dropped.events, clean(reason));
    }
  }
  return text.empty() ? "-" : text;
}

std::string life_text(const Digest& d, const std::string& process) {
  const auto found = d.connectivity.processes.find(process);
  if (found == d.connectivity.processes.end()) return "ran throughout";
  std::string text;
  size_t shown = 0;
  for (const ProcessSpan& span : found->second) {
    if (shown++ == 3) return text + fmt::format(", and {} times more", found->second.size() - 3);
    const bool down = span.state == ProcessSpan::State::down;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", down ? "killed" : "frozen", duration_text(span.from_ns));
    if (span.to_ns < d.end_ns) text += fmt::format(", {} {}", down ? "started" : "thawed", duration_text(span.to_ns));
  }
  return text;
}

bool eventful(const TunnelEnd& end) {
  return end.open.ended || !end.lost.empty() || !end.decrypt_failed_ns.empty() ||
         std::any_of(end.states.begin(), end.states.end(),
                     [](const BridgeState& s) { return s.state == "reconnecting"; });
}

std::string amount(const std::optional<int64_t>& bytes) {
  return bytes ? bytes_text(*bytes) : "-";
}

}  // namespace

void print_relays(Printer& p, const Digest& d) {
  if (d.transport.relays.empty()) return;
  std::vector<std::vector<std::string>> rows = {{"relay", "process", "sessions", "refused", "dropped"}};
  for (const auto& [relay, view] : d.transport.relays) {
    if (rows.size() > most_rows) break;
    rows.push_back({clean(relay), life_text(d, relay), sessions_text(view), refused_text(view), dropped_text(view)});
  }
  p.head("Relays");
  const size_t shown = rows.size() - 1;
  p.grid(rows, "");
  if (d.transport.relays.size() > shown)
    p.line(p.dim(fmt::format("  and {} more relays", d.transport.relays.size() - shown)));
}

void print_tunnels(Printer& p, const Digest& d) {
  const auto& tunnels = d.transport.tunnels;
  if (tunnels.empty()) return;
  const bool all = tunnels.size() <= most_rows;
  std::vector<std::vector<std::string>> rows = {
      {"node", "peer", "opened", "accepted", "delivered", "lost", "what its bridge did"}};
  size_t hidden = 0;
  for (const TunnelEnd& end : tunnels) {
    if (!all && (!eventful(end) || rows.size() > most_rows)) {
      ++hidden;
      continue;
    }
    const TunnelBytes bytes = bytes_of(d.transport, end);
    rows.push_back({clean(end.node), clean(end.peer), duration_text(end.open.from_ns), amount(bytes.accepted),
                    amount(bytes.delivered), amount(bytes.lost()), clean(history_text(end))});
  }
  p.head("Tunnels");
  if (rows.size() > 1) p.grid(rows, "  >>>>");
  if (hidden > 0) p.line(p.dim(fmt::format("  and {} more sides of tunnels", hidden)));
}

void print_narrative(Printer& p, const Digest& d) {
  const std::vector<Story> stories = narrative(d);
  if (stories.empty()) return;
  p.head("What happened");
  for (size_t i = 0; i < std::min(stories.size(), most_stories); ++i) {
    p.wrapped(clean(stories[i].what), 2);
    for (const std::string& sentence : stories[i].sentences) p.wrapped(clean(sentence), 6, "    - ");
  }
  if (stories.size() > most_stories) p.line(p.dim(fmt::format("  and {} more faults", stories.size() - most_stories)));
}

}  // namespace distlab::results
