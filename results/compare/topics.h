// Recorded runs, sorted into what can be compared: the arms of each variant of a scenario.
#pragma once

#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "results/compare/compare.h"
#include "results/store.h"

namespace distlab::results::compare {

// Runs that belong together, whatever their variants; without their events.
struct Side {
  std::string name;
  std::vector<RunRecord> runs;
};

// What the run's nodes were: the value of its labels that end in ".implementation", "" without any.
std::string implementation_of(const RunRecord& run);

// One side for each ground and implementation among the runs: "sim", "emu/native", "emu/beam", in this order of
// grounds and implementations.
std::vector<Side> sides_of(const std::vector<RunRecord>& runs);

// Variants are matched by the labels that differ within a side. What only one side has is a topic
// with an arm that has no runs. Margins come from the scenario text of the first side. The error is the
// user's: sides of different scenarios, or none with runs.
StoreResult<std::vector<Topic>> topics(const Store& store, const std::vector<Side>& sides);

}  // namespace distlab::results::compare
