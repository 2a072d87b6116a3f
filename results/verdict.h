// Judges what a scenario expects by what a run recorded.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "results/records.h"
#include "scenarios/scenario.h"

namespace distlab::results {

// RunRecord::nodes of a scenario: Erlang name -> key.
std::map<std::string, std::string> node_names(const scenario::Scenario& scenario);

// One verdict per expectation, in their order. events in order of time, with hosts named by the keys of
// Scenario::nodes. `end_ns` is when the run ended. Unknown is what
//   - has nothing to judge: no call was made, the pair never was connected, the fault was not done;
//   - a run that ended before the scenario's end leaves open.
std::vector<Verdict> evaluate(const scenario::Scenario& scenario, const std::vector<EventRecord>& events,
                              int64_t end_ns);

}  // namespace distlab::results
