// The sim ground: runs a scenario in virtual time.
//
// One run per process (see simulator.h). The same scenario, seed and build give the same trace
// hash, which covers every recorded event and every packet that reached a machine.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include <tl/expected.hpp>

#include "models/host/time.h"
#include "results/records.h"
#include "scenarios/scenario.h"
#include "sim/traffic.h"

namespace distlab::sim {

struct RunOptions {
  uint64_t seed = 1;
  std::string pcap_directory{};         // "" for none; one file per machine, <machine>.pcap
  std::string qlog_directory{};         // "" for none; one file per QUIC connection and side
  std::set<std::string> quiet_kinds{};  // event kinds not to record
  TrafficLog* traffic_log = nullptr;    // where to write what processes send, for replay()
  // Called every so often with the virtual time; false ends the run early.
  std::function<bool(Duration elapsed)> on_progress{};
};

struct RunResult {
  std::string trace_hash;  // 32 hexadecimal digits
  Duration virtual_time{0};
  uint64_t packets = 0;           // that reached a machine
  uint64_t simulator_events = 0;  // of ns-3
  bool interrupted = false;
};

using Recorder = std::function<void(const results::EventRecord&)>;

// The error is one line for the user: something outside the scenario, such as a capture file that
// cannot be written.
tl::expected<RunResult, std::string> run(const scenario::Scenario& scenario, const RunOptions& options,
                                         Recorder recorder);

}  // namespace distlab::sim
