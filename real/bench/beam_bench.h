// Two real BEAMs, and what lies between them: call latency and throughput over OTP's own carriers and over our relay
// tunnel, on one machine, in turn.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "models/host/time.h"
#include "real/bench/beam_pair.h"

namespace distlab::bench {

struct BeamBenchOptions {
  BeamPrograms programs = {};
  std::vector<Way> ways = {all_ways.begin(), all_ways.end()};
  size_t call_bytes = 64;  // of a call's argument, which is its answer, too
  std::vector<size_t> message_bytes = {65'536, 1'048'576};
  size_t window_bytes = 4'194'304;  // under way at a time; at least two messages are
  size_t rounds = 3;
  Duration seconds = std::chrono::seconds{2};         // of a measurement
  Duration warm_up = std::chrono::milliseconds{500};  // before each
  // Told what is going on and how much of all has been done, often; false ends the benchmark early.
  std::function<bool(const std::string& what, double share)> on_progress = {};
};

// Calls, one after the other.
struct CallRound {
  size_t calls = 0;
  double p50_s = 0, p99_s = 0, mean_s = 0;
  PartTimes cpu_per_call{};
};

// Messages of one size, with a window.
struct FloodRound {
  double bytes_per_s = 0;        // of payload, acknowledged by the receiver
  PartTimes cpu_per_megabyte{};  // 10^6 bytes
  double machine_cpu = 0;        // how many cores were busy, whoever kept them so
};

struct WayResult {
  Way way{};
  std::vector<CallRound> calls;
  std::vector<std::vector<FloodRound>> floods;  // for each size of message
};

struct BeamBenchResult {
  std::vector<WayResult> ways;
  bool interrupted = false;
};

// The error is one line. Nothing stays behind in any case.
tl::expected<BeamBenchResult, std::string> bench_beam(const BeamBenchOptions& options);

}  // namespace distlab::bench
