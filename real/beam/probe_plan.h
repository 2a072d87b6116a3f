// What the probe in a BEAM is told to do: the workload of its node, as a term (README.md).
#pragma once

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "models/etf/term.h"
#include "scenarios/scenario.h"

namespace distlab::beam {

// `actions`: of this node, with exact times. `origin`: CLOCK_MONOTONIC when the run begins.
etf::Term probe_plan(const scenario::Scenario& scenario, const std::string& key,
                     const std::vector<scenario::Action>& actions, std::chrono::nanoseconds origin,
                     const std::set<std::string>& quiet_kinds);

}  // namespace distlab::beam
