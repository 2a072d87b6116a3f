// What the commands share that make many runs: planned runs, their ground, their family in the database.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/pool.h"
#include "cli/progress.h"
#include "cli/scenario_job.h"
#include "scenarios/loader.h"

namespace distlab::cli {

struct Planned {
  std::string file;
  scenario::Variant variant;
  uint64_t seed = 1;
  GroundKind ground = GroundKind::sim;
};

std::string job_name(const Planned& planned);  // "stall seed 3 for=2s"

// "sim", "emu", "live"; nothing for another word.
std::optional<GroundKind> parse_ground(const std::string& name);
// How many runs at once (`wanted`: what the user says, 0 for nothing), and how far apart they start. On real hosts
// it is one by default, as real time has no slack for a second beside the first; several are spread over the time
// that one takes (2 s from each to the next at most), so that they do not all boot and connect at once. All of one kind
// of ground.
Pace pace_of(uint32_t wanted, std::span<const Planned> runs);

// Prints what the grounds cannot do for the scenarios, and what helps; true when there is nothing. For before the
// first run.
bool no_obstacles(const std::vector<Planned>& planned, bool without_netem);

// Nothing: it has been said why, and `code` is set.
std::optional<int64_t> open_family(const std::string& database, const std::string& command_line, int& code);

// One line per finished run where there is no terminal; always one for a run that went wrong. The value is
// the exit code of the run.
int account_for(const Planned& planned, const JobOutcome& outcome, Progress& progress);

// Of two exit codes the one to end with: our own fault first, then the user's, then what the runs said.
int worse(int a, int b);

}  // namespace distlab::cli
