// A run on real hosts, from inside the lab: makes the network, starts the processes, does the faults at
// their times, and ends it. What happens goes to the courier.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "real/ground/processes.h"
#include "real/ground/wan.h"
#include "real/lab/lab.h"

namespace distlab::ground {

struct HowLate {
  uint64_t measured = 0;  // the rest is 0 if nothing was
  int64_t p50_ns = 0, p99_ns = 0, max_ns = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(HowLate, measured, p50_ns, p99_ns, max_ns)

// What is left to say at the end; the last message of the courier, as JSON.
struct Ending {
  std::string error = {};  // one line; empty: the run has come to its end
  bool too_late = false;   // the error is that the machine could not keep up
  double elapsed_s = 0;
  uint64_t packets = 0;
  HowLate network = {};    // packets that reached a machine
  HowLate processes = {};  // woken for their timers
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Ending, error, too_late, elapsed_s, packets, network, processes)

// Runs the scenario in the lab and writes messages to `out`, a non-blocking descriptor. The value is the
// exit code of the lab's body: 0 if all has been said.
int coordinate(lab::Lab& lab, Wan& wan, Processes::Settings settings, int out);

}  // namespace distlab::ground
