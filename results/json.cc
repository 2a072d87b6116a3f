#include "results/json.h"

#include <cmath>

#include <nlohmann/json.hpp>

namespace distlab::results {

namespace {

using Json = nlohmann::ordered_json;

Json latency_json(const Summary& s) {
  if (s.count == 0) return nullptr;
  return {{"count", s.count}, {"min", s.min}, {"mean", s.mean}, {"p50", s.p50},
          {"p90", s.p90},     {"p99", s.p99}, {"max", s.max}};
}

Json verdicts_json(const std::vector<Verdict>& verdicts) {
  Json list = Json::array();
  for (const Verdict& v : verdicts)
    list.push_back({{"name", v.name},
                    {"text", v.text},
                    {"outcome", to_string(v.outcome)},
                    {"why", v.why},
                    {"file", v.file},
                    {"line", v.line}});
  return list;
}

Json detections_json(const std::vector<Detection>& detections) {
  Json list = Json::array();
  for (const Detection& d : detections)
    list.push_back({{"observer", d.observer},
                    {"peer", d.peer},
                    {"reason", d.reason},
                    {"time_ns", d.time_ns},
                    {"after_ns", d.after_ns ? Json(*d.after_ns) : Json(nullptr)},
                    {"fault", d.fault}});
  return list;
}

Json lateness_json(const std::optional<ClockLateness>& late) {
  if (!late) return nullptr;
  return {{"p50_ns", late->p50_ns}, {"p99_ns", late->p99_ns}, {"max_ns", late->max_ns}};
}

Json run_json(const RunSummary& s) {
  const RunRecord& run = s.run;
  Json labels = Json::object();
  for (const auto& [path, value] : run.labels) labels[path] = value;
  return {{"run", run.id},
          {"scenario", run.scenario},
          {"file", run.scenario_file},
          {"scenario_hash", run.scenario_hash},
          {"labels", labels},
          {"ground", run.ground},
          {"seed", run.seed},
          {"status", to_string(run.status)},
          {"error", run.error},
          {"outcome", to_string(s.outcome)},
          {"started_at", run.started_at},
          {"machine", run.host},
          {"commit", run.commit},
          {"versions", run.versions},
          {"virtual_seconds", run.virtual_seconds},
          {"wall_seconds", run.wall_seconds},
          {"trace_hash", run.trace_hash},
          {"clock_lateness", lateness_json(run.clock_lateness)},
          {"wake_lateness", lateness_json(run.wake_lateness)},
          {"calls", {{"total", s.calls}, {"failed", s.failed_calls}, {"latency_ms", latency_json(s.call_latency_ms)}}},
          {"messages",
           {{"sent", s.sent},
            {"delivered", s.delivered},
            {"in_flight", s.in_flight},
            {"lost", s.lost},
            {"duplicated", s.duplicated},
            {"reordered", s.reordered},
            {"late", s.late},
            {"wedged_ns", s.wedged_ns}}},
          {"node_down", detections_json(s.detections)},
          {"cause_of_death", s.death ? detections_json({*s.death})[0] : Json(nullptr)},
          {"verdicts", verdicts_json(s.verdicts)}};
}

}  // namespace

std::string to_json(const std::vector<RunSummary>& runs) {
  Json list = Json::array();
  for (const RunSummary& run : runs) list.push_back(run_json(run));
  const Json document = {{"distlab_json", json_format}, {"outcome", to_string(worst(runs))}, {"runs", list}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace distlab::results
