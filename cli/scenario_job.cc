#include "cli/scenario_job.h"

#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <tl/expected.hpp>
#include <unistd.h>

#include "cli/beside.h"
#include "cli/exit_codes.h"
#include "cli/version.h"
#include "real/emu/network.h"
#include "real/ground/live.h"
#include "real/ground/run.h"
#include "results/records.h"
#include "results/store.h"
#include "results/verdict.h"
#include "sim/ground.h"

namespace distlab::cli {
namespace {

using nlohmann::json;

std::string machine_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

std::string text_hash(const std::string& text) {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), hash, &size, EVP_sha256(), nullptr);
  std::string out;
  for (unsigned i = 0; i < size; ++i) out += fmt::format("{:02x}", hash[i]);
  return out;
}

std::string field_text(const results::Value& value) {
  return std::visit([](const auto& v) { return fmt::format("{}", v); }, value);
}

std::string event_line(const results::EventRecord& event) {
  std::string line =
      fmt::format("{:.9f} {} {} {}", static_cast<double>(event.time_ns) / 1e9, event.host, event.kind, event.subject);
  for (const auto& [key, value] : event.fields) line += fmt::format(" {}={}", key, field_text(value));
  return line;
}

results::RunRecord describe(const Job& job) {
  const scenario::Scenario& s = job.variant->scenario;
  results::RunRecord run;
  run.family = job.family;
  run.scenario = s.name;
  run.labels = job.variant->labels;
  run.scenario_file = job.scenario_file;
  run.scenario_text = job.variant->canonical;
  run.scenario_hash = text_hash(job.variant->canonical);
  run.ground = std::string(to_string(job.ground));
  run.seed = job.seed;
  run.commit = build_commit();
  run.host = machine_name();
  run.versions = build_versions();
  run.started_at = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  run.nodes = results::node_names(s);
  return run;
}

// Where the events of a run go besides the simulation itself.
class Sinks {
 public:
  explicit Sinks(const Job& job) {
    if (!job.trace_file.empty()) trace_.open(job.trace_file);
  }
  void set_writer(results::RunWriter writer) { writer_ = std::move(writer); }
  results::RunWriter* writer() { return writer_ ? &*writer_ : nullptr; }

  void add(const results::EventRecord& event) {
    if (writer_) writer_->add(event);
    if (trace_.is_open()) trace_ << event_line(event) << '\n';
  }

 private:
  std::optional<results::RunWriter> writer_;
  std::ofstream trace_;
};

// What every ground says of a run.
struct Ran {
  Duration elapsed{0};
  bool interrupted = false;
  std::string trace_hash{};
  std::optional<results::ClockLateness> network_lateness{}, wake_lateness{};
  std::string too_late{};  // one line; empty: it was not
};
struct Failure {
  std::string text;
  bool users_fault = true;
};
using OnProgress = std::function<bool(Duration)>;
using OnEvent = std::function<void(const results::EventRecord&)>;

tl::expected<Ran, Failure> run_in_simulation(const Job& job, const OnProgress& on_progress, const OnEvent& on_event) {
  sim::RunOptions options;
  options.seed = job.seed;
  options.pcap_directory = job.pcap_directory;
  options.qlog_directory = job.qlog_directory;
  options.on_progress = on_progress;
  const auto ran = sim::run(job.variant->scenario, options, on_event);
  if (!ran) return tl::unexpected(Failure{ran.error()});
  return Ran{.elapsed = ran->virtual_time, .interrupted = ran->interrupted, .trace_hash = ran->trace_hash};
}

std::string judge_lateness(const Job& job, const char* what, const std::optional<results::ClockLateness>& lateness) {
  if (!lateness || lateness->p99_ns <= job.max_lateness.count()) return {};
  return fmt::format(
      "{}: {:.1f} ms at the 99th percentile, {:.1f} ms at most (--max-lateness {:g}ms); is the machine busy?", what,
      static_cast<double>(lateness->p99_ns) / 1e6, static_cast<double>(lateness->max_ns) / 1e6,
      to_seconds(job.max_lateness) * 1e3);
}

// One line; empty: the machine kept up.
std::string judge_lateness(const Job& job, const ground::RunResult& ran) {
  if (!ran.too_late.empty()) return ran.too_late;
  const std::string network = judge_lateness(job, "the network ran late", ran.network_lateness);
  return network.empty() ? judge_lateness(job, "processes were woken late", ran.wake_lateness) : network;
}

tl::expected<Ran, Failure> run_on_hosts(const Job& job, const OnProgress& on_progress, const OnEvent& on_event) {
  const scenario::Scenario& scenario = job.variant->scenario;
  ground::RunOptions options;
  options.text = job.variant->canonical;
  options.seed = job.seed;
  options.qlog_directory = job.qlog_directory;
  options.actor_program = beside_us("distlab-actor");
  for (const std::string& folder : {job.pcap_directory, job.qlog_directory})
    if (!folder.empty()) options.folders.push_back(std::filesystem::weakly_canonical(folder).string());
  options.runs_at_once = job.runs_at_once;
  options.on_progress = on_progress;
  const auto make_network = [&]() -> std::unique_ptr<ground::Wan> {
    if (job.ground == GroundKind::live) return ground::make_live_network(scenario, {job.without_netem});
    return emu::make_network(scenario, {.seed = job.seed, .pcap_directory = job.pcap_directory});
  };
  const auto ran = ground::run(scenario, options, make_network, on_event);
  if (!ran) return tl::unexpected(Failure{ran.error(), false});
  return Ran{.elapsed = ran->elapsed,
             .interrupted = ran->interrupted,
             .network_lateness = ran->network_lateness,
             .wake_lateness = ran->wake_lateness,
             .too_late = judge_lateness(job, *ran)};
}

tl::expected<Ran, Failure> run_on_ground(const Job& job, const OnProgress& on_progress, const OnEvent& on_event) {
  return job.ground == GroundKind::sim ? run_in_simulation(job, on_progress, on_event)
                                       : run_on_hosts(job, on_progress, on_event);
}

// Keeps what a failed run has recorded. That this fails, too, is not worth a second error.
void keep_failed(results::RunWriter* writer, const std::string& error, double wall_seconds) {
  if (writer == nullptr) return;
  const std::vector<results::EventRecord> events = writer->events();
  const double until = events.empty() ? 0 : static_cast<double>(events.back().time_ns) / 1e9;
  (void)writer->commit({.status = results::RunStatus::failed,
                        .error = error,
                        .wall_seconds = wall_seconds,
                        .virtual_seconds = until,
                        .trace_hash = {},
                        .clock_lateness = {},
                        .wake_lateness = {}},
                       {});
}

int give_up(JobReporter& reporter, JobResult result, const std::string& error, bool users_fault) {
  result.error = error;
  result.outcome = users_fault ? "usage" : "error";
  reporter.result(to_line(result));
  return users_fault ? exit_usage : exit_internal;
}

int code_of(results::Outcome outcome) {
  switch (outcome) {
    case results::Outcome::pass:
      return exit_pass;
    case results::Outcome::fail:
      return exit_failed;
    case results::Outcome::unknown:
      return exit_unknown;
  }
  return exit_internal;
}

}  // namespace

std::string_view to_string(GroundKind ground) {
  switch (ground) {
    case GroundKind::sim:
      return "sim";
    case GroundKind::emu:
      return "emu";
    case GroundKind::live:
      return "live";
  }
  return "sim";
}

std::string to_line(const JobResult& r) {
  return json{{"run", r.run_id},  {"outcome", r.outcome},   {"hash", r.trace_hash},
              {"error", r.error}, {"wall", r.wall_seconds}, {"virtual", r.virtual_seconds}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<JobResult> from_line(const std::string& line) {
  const json parsed = json::parse(line, nullptr, false);
  if (!parsed.is_object()) return std::nullopt;
  return JobResult{parsed.value("run", int64_t{0}),     parsed.value("outcome", std::string()),
                   parsed.value("hash", std::string()), parsed.value("error", std::string()),
                   parsed.value("wall", 0.0),           parsed.value("virtual", 0.0)};
}

int run_job(const Job& job, JobReporter& reporter) {
  const scenario::Scenario& scenario = job.variant->scenario;
  JobResult result;
  Sinks sinks(job);
  if (!job.database.empty()) {
    auto store = results::Store::open(job.database);
    if (!store) return give_up(reporter, result, store.error().message, store.error().is_user_error);
    auto writer = store->begin_run(describe(job));
    if (!writer) return give_up(reporter, result, writer.error().message, writer.error().is_user_error);
    result.run_id = writer->run_id();
    sinks.set_writer(std::move(*writer));
  }

  const auto on_progress = [&](Duration elapsed) {
    reporter.progress(to_seconds(elapsed) / to_seconds(scenario.duration));
    return !interrupted();
  };
  const auto began = std::chrono::steady_clock::now();
  const auto ran = run_on_ground(job, on_progress, [&](const results::EventRecord& event) { sinks.add(event); });
  result.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  if (!ran) {
    keep_failed(sinks.writer(), ran.error().text, result.wall_seconds);
    return give_up(reporter, result, ran.error().text, ran.error().users_fault);
  }
  result.trace_hash = ran->trace_hash;
  result.virtual_seconds = to_seconds(ran->elapsed);
  result.error = ran->too_late;

  const auto status = ran->interrupted ? results::RunStatus::incomplete : results::RunStatus::complete;
  results::Outcome outcome = results::Outcome::unknown;
  if (results::RunWriter* writer = sinks.writer()) {
    const auto verdicts = results::evaluate(scenario, writer->events(), ran->elapsed.count());
    outcome = ran->too_late.empty() ? results::outcome_of(status, verdicts) : results::Outcome::unknown;
    const results::RunEnd end{.status = ran->too_late.empty() ? status : results::RunStatus::incomplete,
                              .error = ran->interrupted ? "interrupted" : ran->too_late,
                              .wall_seconds = result.wall_seconds,
                              .virtual_seconds = result.virtual_seconds,
                              .trace_hash = result.trace_hash,
                              .clock_lateness = ran->network_lateness,
                              .wake_lateness = ran->wake_lateness};
    if (auto committed = writer->commit(end, verdicts); !committed) {
      return give_up(reporter, result, committed.error().message, committed.error().is_user_error);
    }
  } else if (!ran->interrupted) {
    outcome = results::Outcome::pass;
  }
  result.outcome = std::string(results::to_string(outcome));
  reporter.result(to_line(result));
  return code_of(outcome);
}

}  // namespace distlab::cli
