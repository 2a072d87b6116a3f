// Runs a scenario on real hosts, as sim::run does in virtual time.
//
//   this process ── lab (namespaces, coordinator) ── distlab-actor, one for every process of the scenario
//
// Everything inside the lab ends with this process, however that ends.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "models/host/time.h"
#include "real/ground/wan.h"
#include "results/records.h"
#include "scenarios/scenario.h"

namespace distlab::ground {

struct RunOptions {
  std::string text;  // of the scenario (scenario::Variant::canonical)
  uint64_t seed = 1;
  std::string qlog_directory{};         // "" for none
  std::set<std::string> quiet_kinds{};  // event kinds not to record
  std::string actor_program{};          // distlab-actor
  uint32_t runs_at_once = 1;            // that share this machine: what starts slowly gets more time
  std::vector<std::string> folders{};   // absolute: what is written there must show outside of the lab
  // Called about ten times a second with the time since the run began; false ends the run early.
  std::function<bool(Duration elapsed)> on_progress{};
};

struct RunResult {
  Duration elapsed{0};
  uint64_t packets = 0;                                      // that reached a machine; 0 where the kernel carries them
  std::optional<results::ClockLateness> network_lateness{};  // of those
  std::optional<results::ClockLateness> wake_lateness{};     // of processes woken for their timers
  bool interrupted = false;
  std::string too_late{};  // one line: the machine could not keep up, and the run ended early; empty: it did
};

using Recorder = std::function<void(const results::EventRecord&)>;
// Called inside the lab.
using MakeWan = std::function<std::unique_ptr<Wan>()>;

// The error is one line. What was recorded before it stays.
tl::expected<RunResult, std::string> run(const scenario::Scenario& scenario, const RunOptions& options,
                                         const MakeWan& make_wan, const Recorder& recorder);

}  // namespace distlab::ground
