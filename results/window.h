// The part of a run an expectation looks at: scenario::Window with its fault and its end known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "results/digest.h"
#include "scenarios/scenario.h"

namespace distlab::results {

struct Part {
  int64_t from_ns = 0;                               // included
  int64_t to_ns = 0;                                 // excluded
  std::vector<std::pair<int64_t, int64_t>> without;  // disturbed times, when outside of faults

  bool holds(int64_t time_ns) const { return holds(time_ns, time_ns); }
  // Something that began at the one time and ended at the other: it belongs to where it began, and
  // must not touch a disturbed time.
  bool holds(int64_t begin_ns, int64_t end_ns) const;
  std::string text() const;  // "from 2.00 s to 90.00 s, outside of faults"
};

// When the fault with this id was done; nothing when it was not.
std::optional<int64_t> fault_time(const std::vector<FaultSpan>& faults, const std::string& id);

// Nothing when the window counts from a fault that was not done. A fault disturbs until it is undone
// and one tick time (the longest of all nodes) beyond.
std::optional<Part> resolve(const scenario::Window& window, const scenario::Scenario& scenario,
                            const std::vector<FaultSpan>& faults, int64_t end_ns);

}  // namespace distlab::results
