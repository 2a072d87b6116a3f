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

// What is left to say at the end; the last message of the courier, as JSON.
struct Ending {
  std::string error = {};  // one line; empty: the run has come to its end
  bool too_late = false;   // the error is that the machine could not keep up
  double elapsed_s = 0;
  uint64_t packets = 0;
  uint64_t measured = 0;  // packets whose lateness was measured; the rest is 0 if none was
  int64_t late_p50_ns = 0, late_p99_ns = 0, late_max_ns = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Ending, error, too_late, elapsed_s, packets, measured, late_p50_ns, late_p99_ns,
                                   late_max_ns)

// Runs the scenario in the lab and writes messages to `out`, a non-blocking descriptor. The value is the
// exit code of the lab's body: 0 if all has been said.
int coordinate(lab::Lab& lab, Wan& wan, Processes::Settings settings, int out);

}  // namespace distlab::ground
