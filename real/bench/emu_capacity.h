// How many packets per second the emu ground's network carries before it is late: two hosts, joined by ports
// and ns-3 in real time as in a run, send each other UDP at a rate that rises until the network's clock is too
// late or packets are lost.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "models/host/time.h"
#include "real/ground/wan.h"
#include "scenarios/scenario.h"

namespace distlab::bench {

struct EmuOptions {
  // Called in a process of its own, inside a lab.
  std::function<std::unique_ptr<ground::Wan>(const scenario::Scenario&)> make_wan;
  Duration seconds = std::chrono::seconds{2};             // of a measurement
  Duration settling = std::chrono::milliseconds{300};     // before and after it
  Duration max_lateness = std::chrono::milliseconds{10};  // 99th percentile, as `distlab run --max-lateness`
  double first_rate = 8'000;                              // packets per second
  double least = 100, most = 1e6;                         // what lies outside is not tried
  size_t payload = 200;                                   // bytes of UDP
  size_t refinements = 4;  // halvings of the interval between what goes and what does not
  std::function<bool(const std::string& what, double share)> on_progress = {};
};

// One rate, tried once.
struct EmuStep {
  double offered_per_s = 0, carried_per_s = 0;
  uint64_t sent = 0, received = 0, duplicates = 0;
  Duration late_p50{0}, late_p99{0}, late_max{0};
  double network_cpu = 0;       // of the process that is the network: seconds per second
  double others_cpu = 0;        // of all that is not ours
  bool offered_enough = false;  // the generator kept its rate
  bool in_time = false;         // and nothing was lost
};

struct EmuCapacity {
  EmuStep best;  // of the highest rate at which most tries were in time, the median try
  EmuStep peak;  // of all tries that were in time the fastest: others on the machine can only make it lower
  std::vector<EmuStep> tries;
  bool limited_by_generator = false;  // it could not, or was not to, send more
  bool interrupted = false;
};

tl::expected<EmuCapacity, std::string> bench_emu(const EmuOptions& options);

}  // namespace distlab::bench
