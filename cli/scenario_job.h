// One run of one variant with one seed, in the process that called it: simulate, record, judge.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cli/pool.h"
#include "models/host/time.h"
#include "scenarios/loader.h"

namespace distlab::cli {

enum class GroundKind { sim, emu, live };
std::string_view to_string(GroundKind ground);

struct Job {
  const scenario::Variant* variant = nullptr;
  GroundKind ground = GroundKind::sim;
  std::string scenario_file{};
  uint64_t seed = 1;
  std::string database{};  // "" keeps nothing
  int64_t family = 0;
  std::string pcap_directory{};  // "" for none
  std::string qlog_directory{};  // "" for none
  std::string trace_file{};      // "" for none; one line per event, to find where two runs part
  uint32_t runs_at_once = 1;     // on this machine
  bool without_netem = false;    // live
  // emu: packets later than this, at the 99th percentile, make the run unknown.
  Duration max_lateness = std::chrono::milliseconds{10};
};

// What the child tells its parent, as one line of JSON.
struct JobResult {
  int64_t run_id = 0;
  std::string outcome;  // "pass" | "fail" | "unknown" | "error" | "usage"
  std::string trace_hash;
  std::string error;  // one line
  double wall_seconds = 0;
  double virtual_seconds = 0;
};

std::string to_line(const JobResult& result);
std::optional<JobResult> from_line(const std::string& line);

// Runs the job and reports through the reporter; the value is the exit code of the child.
int run_job(const Job& job, JobReporter& reporter);

}  // namespace distlab::cli
