#include "results/digest.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

namespace distlab::results {

namespace {

enum class FaultRole { opens, closes, changes, moment };

struct FaultRule {
  std::string_view fault;
  FaultRole role;
  std::string_view group;  // what closes a group closes what opened it
};

// The names of scenario::FaultKind.
constexpr std::array fault_rules = {
    FaultRule{"kill", FaultRole::opens, "life"},          FaultRule{"start", FaultRole::closes, "life"},
    FaultRule{"freeze", FaultRole::opens, "freeze"},      FaultRule{"thaw", FaultRole::closes, "freeze"},
    FaultRule{"down", FaultRole::opens, "link"},          FaultRule{"black_hole", FaultRole::opens, "link"},
    FaultRule{"up", FaultRole::closes, "link"},           FaultRule{"hold", FaultRole::opens, "hold"},
    FaultRule{"release", FaultRole::closes, "hold"},      FaultRule{"delay", FaultRole::changes, "delay"},
    FaultRule{"jitter", FaultRole::changes, "jitter"},    FaultRule{"loss", FaultRole::changes, "loss"},
    FaultRule{"rate", FaultRole::changes, "rate"},        FaultRule{"duplicate", FaultRole::changes, "duplicate"},
    FaultRule{"reorder", FaultRole::changes, "reorder"},  FaultRule{"partition", FaultRole::changes, "split"},
    FaultRule{"heal", FaultRole::closes, "split"},        FaultRule{"shutdown", FaultRole::opens, "life"},
    FaultRule{"wedge", FaultRole::opens, "wedge"},        FaultRule{"unwedge", FaultRole::closes, "wedge"},
    FaultRule{"kill_client", FaultRole::opens, "client"}, FaultRule{"start_client", FaultRole::closes, "client"},
};

FaultRule rule_of(std::string_view fault) {
  const auto* found =
      std::find_if(fault_rules.begin(), fault_rules.end(), [&](const FaultRule& rule) { return rule.fault == fault; });
  return found == fault_rules.end() ? FaultRule{fault, FaultRole::moment, ""} : *found;
}

// Whether a fault of `group` on `target` concerns the span: the same target or one direction of it
// ("home (out)" of "home", "a -> b" of "a-b", as scenario::LinkTarget::text() writes them), or any
// partition.
bool concerns(const FaultSpan& span, const std::string& target, std::string_view group) {
  if (rule_of(span.fault).group != group) return false;
  if (group == "split" || span.target == target || span.target.rfind(target + " (", 0) == 0) return true;
  const size_t arrow = span.target.find(" -> ");
  if (arrow == std::string::npos) return false;
  const std::string a = span.target.substr(0, arrow), b = span.target.substr(arrow + 4);
  return target == a + "-" + b || target == b + "-" + a;
}

void find_detections(Digest& d) {
  for (const auto& [pair, view] : d.connectivity.views) {
    for (const UpPeriod& period : view.up) {
      if (!period.went_down || period.reason == "observer killed") continue;
      Detection found{pair.first, pair.second, period.reason, period.to_ns, std::nullopt, ""};
      for (const FaultSpan& fault : d.faults) {
        if (fault.from_ns > period.to_ns) break;
        found.after_ns = period.to_ns - fault.from_ns;
        found.fault = fault.fault + " " + fault.target;
      }
      d.detections.push_back(std::move(found));
    }
  }
  std::stable_sort(d.detections.begin(), d.detections.end(),
                   [](const Detection& a, const Detection& b) { return a.time_ns < b.time_ns; });
}

void take(Digest& d, const EventRecord& event, const Naming& naming) {
  ++d.event_counts[event.kind];
  if (event.kind == "ping_done") {
    ++d.pings[std::string(text_field(event, "result"))];
  } else if (event.kind == "tick") {
    d.ticks[{naming.host_of(event.host), naming.host_of(event.subject)}].push_back(event.time_ns);
  } else if (event.kind == "log") {
    d.log.push_back({event.time_ns, naming.host_of(event.host), std::string(text_field(event, "level")),
                     std::string(text_field(event, "text"))});
  } else if (event.kind == "message_sent") {
    if (const auto pair = naming.pair_of(event.subject)) d.traffic[*pair].push_back(event.time_ns);
  } else if (event.kind == "call_done") {
    const auto pair = naming.pair_of(event.subject);
    const int64_t elapsed = int_field(event, "elapsed_ns").value_or(0);
    if (pair)
      d.calls.push_back(
          {pair->first, pair->second, event.time_ns - elapsed, elapsed, std::string(text_field(event, "result"))});
  } else if (event.kind == "eval_done") {
    const int64_t elapsed = int_field(event, "elapsed_ns").value_or(0);
    d.evaluations.push_back({naming.host_of(event.host), event.time_ns - elapsed, elapsed,
                             std::string(text_field(event, "result")), std::string(text_field(event, "value"))});
  } else if (event.kind == "scheduler_stall") {
    Stalls& stalls = d.stalls[naming.host_of(event.host)];
    ++stalls.count;
    stalls.longest_ns = std::max(stalls.longest_ns, int_field(event, "elapsed_ns").value_or(0));
  }
}

std::vector<std::string> hosts_of(const Digest& d) {
  std::set<std::string> all;
  for (const auto& [name, host] : d.run.nodes) all.insert(host);
  for (const auto& [pair, view] : d.connectivity.views) all.insert({pair.first, pair.second});
  for (const auto& [host, spans] : d.connectivity.processes) all.insert(host);
  for (const PairLedger& book : d.ledger) all.insert({book.from, book.to});
  for (const Call& call : d.calls) all.insert({call.from, call.to});
  for (const auto& [relay, view] : d.transport.relays)
    if (d.transport.clients.count(relay) == 0) all.erase(relay);
  return {all.begin(), all.end()};
}

}  // namespace

std::vector<FaultSpan> fault_spans(const std::vector<EventRecord>& events, int64_t end_ns) {
  std::vector<FaultSpan> spans;
  std::set<std::string> known;
  const auto close_where = [&](int64_t time_ns, const auto& matches) {
    bool any = false;
    for (FaultSpan& span : spans) {
      if (span.undone || !matches(span)) continue;
      span.to_ns = time_ns;
      span.undone = true;
      any = true;
    }
    return any;
  };
  for (const EventRecord& event : events) {
    if (event.kind != "fault") continue;
    const std::string id(text_field(event, "id")), name(text_field(event, "fault"));
    if (!known.insert(id).second) {
      close_where(event.time_ns, [&](const FaultSpan& span) { return span.id == id; });
      continue;
    }
    const FaultRule rule = rule_of(name);
    bool closed = false;
    if (rule.role == FaultRole::closes || rule.role == FaultRole::changes)
      closed =
          close_where(event.time_ns, [&](const FaultSpan& span) { return concerns(span, event.subject, rule.group); });
    if (rule.role == FaultRole::closes && closed) continue;
    const bool lasts = rule.role == FaultRole::opens || rule.role == FaultRole::changes;
    spans.push_back({id, event.subject, name, std::string(text_field(event, "detail")), event.time_ns,
                     lasts ? std::max(end_ns, event.time_ns) : event.time_ns, !lasts});
  }
  return spans;
}

Summary Digest::call_latency_ms() const {
  std::vector<double> values;
  for (const Call& call : calls)
    if (call.ok()) values.push_back(static_cast<double>(call.elapsed_ns) / 1e6);
  return summarize(std::move(values));
}

std::optional<Detection> Digest::death() const {
  if (faults.empty()) return std::nullopt;
  const FaultSpan& first = faults.front();
  const auto found = std::find_if(detections.begin(), detections.end(),
                                  [&](const Detection& one) { return one.time_ns >= first.from_ns; });
  if (found == detections.end()) return std::nullopt;
  Detection death = *found;
  death.after_ns = death.time_ns - first.from_ns;
  death.fault = first.fault + " " + first.target;
  return death;
}

int64_t end_of_run(const RunRecord& run, const std::vector<EventRecord>& events) {
  const int64_t last = events.empty() ? 0 : events.back().time_ns;
  return std::max(last, static_cast<int64_t>(std::llround(run.virtual_seconds * 1e9)));
}

Digest digest(const RunRecord& run, const std::vector<EventRecord>& events) {
  Digest d;
  d.run = run;
  d.end_ns = end_of_run(run, events);
  const Naming naming(run.nodes);
  d.connectivity = connectivity(events, naming, d.end_ns);
  d.transport = transport(events, naming, run.nodes, d.end_ns);
  d.faults = fault_spans(events, d.end_ns);
  d.ledger = ledger(events, naming, d.connectivity);
  for (const EventRecord& event : events) take(d, event, naming);
  d.hosts = hosts_of(d);
  find_detections(d);
  return d;
}

}  // namespace distlab::results
