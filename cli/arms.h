// The arms of `compare`: who runs a scenario in order to be held against whom.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "cli/scenario_job.h"
#include "scenarios/loader.h"

namespace distlab::cli {

struct Arm {
  GroundKind ground = GroundKind::sim;
  std::string implementation;  // "native", "beam", "macula"; "": as the scenario says

  std::string name() const;  // "emu/beam", as results::compare::sides_of() calls it
};

// Every ground with every implementation, in order; sim has native nodes only. At least two, or one line that
// says what is wrong.
tl::expected<std::vector<Arm>, std::string> parse_arms(const std::vector<std::string>& grounds,
                                                       const std::vector<std::string>& implementations);

// The scenario as the arm runs it: `nodes.*.implementation` is set as by --set. Nothing: it has been said why.
std::optional<std::vector<scenario::Variant>> load_arm(const std::string& file,
                                                       std::vector<scenario::Override> overrides, const Arm& arm);

}  // namespace distlab::cli
