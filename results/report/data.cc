#include "results/report/data.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "results/report/parts.h"

namespace distlab::results {

namespace {

// Six decimals: microseconds of a time in seconds, nanoseconds of one in milliseconds.
double rounded(double value) {
  return std::round(value * 1e6) / 1e6;
}

Json summary_json(const Summary& s) {
  if (s.count == 0) return nullptr;
  return {{"n", s.count},          {"min", rounded(s.min)}, {"p50", rounded(s.p50)},
          {"p90", rounded(s.p90)}, {"p99", rounded(s.p99)}, {"max", rounded(s.max)}};
}

Json verdicts_json(const std::vector<Verdict>& verdicts) {
  Json list = Json::array();
  for (const Verdict& v : verdicts)
    list.push_back({{"name", v.name},
                    {"text", v.text},
                    {"outcome", to_string(v.outcome)},
                    {"why", v.why},
                    {"where", v.file.empty() ? "" : fmt::format("{}:{}", v.file, v.line)}});
  return list;
}

Json detections_json(const std::vector<Detection>& detections) {
  Json list = Json::array();
  for (const Detection& d : detections)
    list.push_back({{"observer", d.observer},
                    {"peer", d.peer},
                    {"reason", d.reason},
                    {"t", in_seconds(d.time_ns)},
                    {"after", d.after_ns ? Json(in_seconds(*d.after_ns)) : Json(nullptr)},
                    {"fault", d.fault}});
  return list;
}

// The hosts to draw: all, or those first to which something happened.
std::vector<std::string> chosen_hosts(const Digest& d, size_t limit) {
  if (d.hosts.size() <= limit) return d.hosts;
  std::map<std::string, int64_t> interest;
  for (const FaultSpan& fault : d.faults) interest[fault.target] += 1000;
  for (const auto& [pair, view] : d.connectivity.views)
    for (const UpPeriod& period : view.up) interest[pair.first] += period.went_down ? 10 : 0;
  std::vector<std::string> hosts = d.hosts;
  std::stable_sort(hosts.begin(), hosts.end(),
                   [&](const std::string& a, const std::string& b) { return interest[a] > interest[b]; });
  hosts.resize(limit);
  std::sort(hosts.begin(), hosts.end());
  return hosts;
}

Json peers_json(const Digest& d, const std::set<std::string>& hosts, const ReportLimits& limits) {
  Json list = Json::array();
  for (const auto& [pair, view] : d.connectivity.views) {
    if (hosts.count(pair.first) == 0) continue;
    Json up = Json::array(), failures = Json::array();
    for (const UpPeriod& p : view.up)
      up.push_back({in_seconds(p.from_ns), in_seconds(p.to_ns), p.went_down ? 1 : 0, p.reason, p.direction,
                    in_seconds(p.setup_ns)});
    for (const ConnectFailure& f : view.failures)
      failures.push_back({in_seconds(f.time_ns), f.reason, in_seconds(f.elapsed_ns)});
    const auto ticks = d.ticks.find(pair);
    list.push_back({{"observer", pair.first},
                    {"peer", pair.second},
                    {"up", up},
                    {"failures", failures},
                    {"ticks", ticks == d.ticks.end() ? Json::array() : density(ticks->second, d.end_ns, limits.bins)},
                    {"tickCount", ticks == d.ticks.end() ? 0 : ticks->second.size()}});
  }
  return list;
}

Json processes_json(const Digest& d, const std::set<std::string>& hosts) {
  Json object = Json::object();
  for (const auto& [host, spans] : d.connectivity.processes) {
    if (hosts.count(host) == 0 && d.transport.relays.count(host) == 0) continue;
    Json list = Json::array();
    for (const ProcessSpan& span : spans)
      list.push_back({span.state == ProcessSpan::State::frozen ? "frozen" : "down", in_seconds(span.from_ns),
                      in_seconds(span.to_ns)});
    object[host] = list;
  }
  return object;
}

Json faults_json(const Digest& d) {
  Json list = Json::array();
  for (const FaultSpan& f : d.faults)
    list.push_back({{"target", f.target},
                    {"fault", f.fault},
                    {"detail", f.detail},
                    {"from", in_seconds(f.from_ns)},
                    {"to", in_seconds(f.to_ns)},
                    {"undone", f.undone}});
  return list;
}

// One array per column: half the size of one object per call.
Json calls_json(const Digest& d) {
  Json columns = {{"t", Json::array()},      {"ms", Json::array()},    {"from", Json::array()},   {"to", Json::array()},
                  {"result", Json::array()}, {"hosts", Json::array()}, {"results", Json::array()}};
  std::map<std::string, size_t> hosts, results;
  const auto number = [](std::map<std::string, size_t>& known, Json& names, const std::string& name) {
    const auto [found, added] = known.emplace(name, known.size());
    if (added) names.push_back(name);
    return found->second;
  };
  for (const Call& call : d.calls) {
    columns["t"].push_back(in_seconds(call.started_ns));
    columns["ms"].push_back(rounded(static_cast<double>(call.elapsed_ns) / 1e6));
    columns["from"].push_back(number(hosts, columns["hosts"], call.from));
    columns["to"].push_back(number(hosts, columns["hosts"], call.to));
    columns["result"].push_back(number(results, columns["results"], call.result));
  }
  columns["total"] = d.calls.size();
  return columns;
}

Json ecdf_json(const Digest& d) {
  std::vector<double> values;
  for (const Call& call : d.calls)
    if (call.ok()) values.push_back(static_cast<double>(call.elapsed_ns) / 1e6);
  Json list = Json::array();
  for (const auto& [value, share] : ecdf(std::move(values), 400)) list.push_back({rounded(value), rounded(share)});
  return list;
}

int64_t badness(const PairLedger& b) {
  return b.lost + b.duplicated + b.reordered + b.late;
}

Json wedges_json(const PairLedger& b) {
  Json wedges = Json::array();
  for (const Wedge& w : b.wedges)
    wedges.push_back({in_seconds(w.from_ns), in_seconds(w.to_ns), w.messages,
                      w.ended_by == Wedge::End::delivered   ? "messages got through again"
                      : w.ended_by == Wedge::End::node_down ? "the sender noticed"
                                                            : "the run ended"});
  return wedges;
}

// One pair; without its bins along the time axis it has no lane.
Json book_json(const Digest& d, const PairLedger& b, bool drawn, size_t bins) {
  Json json = {{"from", b.from},
               {"to", b.to},
               {"sent", b.sent},
               {"delivered", b.delivered},
               {"inFlight", b.in_flight},
               {"lost", b.lost},
               {"duplicated", b.duplicated},
               {"reordered", b.reordered},
               {"late", b.late},
               {"latency", summary_json(summarize(b.latency_ms))},
               {"wedges", wedges_json(b)}};
  const auto sent = d.traffic.find({b.from, b.to});
  const auto along = [&](const std::vector<int64_t>& times) {
    return drawn ? density(times, d.end_ns, bins) : Json::array();
  };
  json["traffic"] = along(sent == d.traffic.end() ? std::vector<int64_t>{} : sent->second);
  json["lostAt"] = along(b.lost_ns);
  json["duplicatedAt"] = along(b.duplicated_ns);
  json["lateAt"] = along(b.late_ns);
  return json;
}

Json ledger_json(const Digest& d, const ReportLimits& limits) {
  std::vector<const PairLedger*> books;
  for (const PairLedger& book : d.ledger) books.push_back(&book);
  std::vector<const PairLedger*> worst = books;
  std::stable_sort(worst.begin(), worst.end(),
                   [](const PairLedger* a, const PairLedger* b) { return badness(*a) > badness(*b); });
  if (worst.size() > limits.pairs) {
    worst.resize(limits.pairs);
    books = worst;
  }
  const std::set<const PairLedger*> drawn(
      worst.begin(), worst.begin() + static_cast<std::ptrdiff_t>(std::min(worst.size(), limits.pair_lanes)));
  Json list = Json::array();
  for (const PairLedger* b : books) list.push_back(book_json(d, *b, drawn.count(b) > 0, limits.bins));
  return list;
}

Json log_json(const Digest& d, size_t limit) {
  Json list = Json::array();
  for (const LogLine& line : d.log) {
    if (list.size() == limit) break;
    list.push_back({in_seconds(line.time_ns), line.host, line.level, line.text});
  }
  return list;
}

Json evaluations_json(const Digest& d, size_t limit) {
  Json list = Json::array();
  for (const Evaluation& e : d.evaluations) {
    if (list.size() == limit) break;
    list.push_back({in_seconds(e.started_ns), e.node, in_seconds(e.elapsed_ns), e.result, e.value});
  }
  return list;
}

Json stalls_json(const Digest& d) {
  Json list = Json::array();
  for (const auto& [node, stalls] : d.stalls) list.push_back({node, stalls.count, in_seconds(stalls.longest_ns)});
  return list;
}

Json notes_json(const Digest& d, const ReportLimits& limits) {
  Json notes = Json::array();
  if (d.hosts.size() > limits.hosts)
    notes.push_back(fmt::format("The timeline shows {} of {} nodes, those first to which something happened.",
                                limits.hosts, d.hosts.size()));
  if (d.ledger.size() > limits.pairs)
    notes.push_back(fmt::format("The ledger shows the worst {} of {} pairs.", limits.pairs, d.ledger.size()));
  if (d.ledger.size() > limits.pair_lanes)
    notes.push_back(fmt::format("The timeline shows the worst {} of {} pairs.", limits.pair_lanes, d.ledger.size()));
  if (d.evaluations.size() > limits.evaluations)
    notes.push_back(
        fmt::format("The page shows the first {} of {} evaluations.", limits.evaluations, d.evaluations.size()));
  if (d.log.size() > limits.log_lines)
    notes.push_back(fmt::format("The log shows the first {} of {} lines.", limits.log_lines, d.log.size()));
  return notes;
}

Json labels_json(const RunRecord& run) {
  Json labels = Json::object();
  for (const auto& [path, value] : run.labels) labels[path] = value;
  return labels;
}

}  // namespace

double in_seconds(int64_t ns) {
  return rounded(static_cast<double>(ns) / 1e9);
}

size_t bin_of(int64_t time_ns, int64_t end_ns, size_t bins) {
  const double share = end_ns > 0 ? static_cast<double>(time_ns) / static_cast<double>(end_ns) : 0;
  const auto bin = static_cast<size_t>(std::max(0.0, share) * static_cast<double>(bins));
  return std::min(bin, bins - 1);
}

Json density(const std::vector<int64_t>& times, int64_t end_ns, size_t bins) {
  std::map<size_t, int64_t> counts;
  for (const int64_t time : times) ++counts[bin_of(time, end_ns, bins)];
  Json list = Json::array();
  for (const auto& [bin, count] : counts) list.push_back({bin, count});
  return list;
}

// Milliseconds.
Json lateness_json(const std::optional<ClockLateness>& late) {
  if (!late) return nullptr;
  const auto ms = [](int64_t ns) { return rounded(static_cast<double>(ns) / 1e6); };
  return {{"p50", ms(late->p50_ns)}, {"p99", ms(late->p99_ns)}, {"max", ms(late->max_ns)}};
}

Json report_overview(const RunSummary& s) {
  return {{"id", s.run.id},
          {"scenario", s.run.scenario},
          {"ground", s.run.ground},
          {"seed", std::to_string(s.run.seed)},  // a double cannot hold every seed
          {"labels", labels_json(s.run)},
          {"status", to_string(s.run.status)},
          {"outcome", to_string(s.outcome)},
          {"failed", std::count_if(s.verdicts.begin(), s.verdicts.end(),
                                   [](const Verdict& v) { return v.outcome == Outcome::fail; })},
          {"verdicts", s.verdicts.size()},
          {"calls", s.calls},
          {"failedCalls", s.failed_calls},
          {"latency", summary_json(s.call_latency_ms)},
          {"sent", s.sent},
          {"lost", s.lost},
          {"duplicated", s.duplicated},
          {"reordered", s.reordered},
          {"wedged", in_seconds(s.wedged_ns)},
          {"detections", detections_json(s.detections)},
          {"cause", cause_of_death(s)},
          {"faulted", s.had_fault},
          {"death", s.death ? detections_json({*s.death})[0] : Json(nullptr)},
          {"virtual", rounded(s.run.virtual_seconds)},
          {"wall", rounded(s.run.wall_seconds)},
          {"late", lateness_json(s.run.clock_lateness)},
          {"wokenLate", lateness_json(s.run.wake_lateness)},
          {"hash", s.run.trace_hash}};
}

Json report_detail(const Digest& d, const std::vector<Verdict>& verdicts, const ReportLimits& limits) {
  const std::vector<std::string> hosts = chosen_hosts(d, limits.hosts);
  const std::set<std::string> shown(hosts.begin(), hosts.end());
  Json counts = Json::object();
  for (const auto& [kind, count] : d.event_counts) counts[kind] = count;
  Json detail = {{"id", d.run.id},
                 {"error", d.run.error},
                 {"end", in_seconds(d.end_ns)},
                 {"bins", limits.bins},
                 {"hosts", hosts},
                 {"processes", processes_json(d, shown)},
                 {"peers", peers_json(d, shown, limits)},
                 {"faults", faults_json(d)},
                 {"calls", calls_json(d)},
                 {"ecdf", ecdf_json(d)},
                 {"ledger", ledger_json(d, limits)},
                 {"log", log_json(d, limits.log_lines)},
                 {"evaluations", evaluations_json(d, limits.evaluations)},
                 {"stalls", stalls_json(d)},
                 {"verdicts", verdicts_json(verdicts)},
                 {"events", counts},
                 {"notes", notes_json(d, limits)},
                 {"facts",
                  {{"scenario file", d.run.scenario_file},
                   {"scenario hash", d.run.scenario_hash},
                   {"started", d.run.started_at},
                   {"machine", d.run.host},
                   {"commit", d.run.commit},
                   {"versions", d.run.versions},
                   {"trace hash", d.run.trace_hash}}},
                 {"scenarioText", d.run.scenario_text}};
  add_transport(detail, d, limits);
  return detail;
}

void thin_calls(Json& detail, size_t points) {
  Json& calls = detail["calls"];
  const size_t count = calls["t"].size();
  if (count <= points) return;
  // Slowness decides for half of the points; the rest is every n-th call.
  std::vector<size_t> order(count);
  for (size_t i = 0; i < count; ++i) order[i] = i;
  const Json& names = calls["results"];
  const auto weight = [&](size_t i) {
    const bool ok = names[calls["result"][i].get<size_t>()] == "ok";
    return std::pair(!ok, calls["ms"][i].get<double>());
  };
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(points / 2);
  std::nth_element(order.begin(), middle, order.end(), [&](size_t a, size_t b) { return weight(a) > weight(b); });
  std::set<size_t> kept(order.begin(), middle);
  const size_t rest = points - kept.size();
  for (size_t i = 0; i < rest; ++i) kept.insert(i * count / rest);
  Json thinned = calls;
  for (const char* column : {"t", "ms", "from", "to", "result"}) {
    thinned[column] = Json::array();
    for (const size_t i : kept) thinned[column].push_back(calls[column][i]);
  }
  calls = std::move(thinned);
  detail["notes"].push_back(fmt::format(
      "The chart of calls shows {} of {}: failures and the slowest, then an even choice.", kept.size(), count));
}

}  // namespace distlab::results
