// What a terminal shows at the end of a run or a family of runs.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "results/digest.h"
#include "results/summary.h"

namespace distlab::results {

struct TableStyle {
  bool color = false;  // only for a terminal
  size_t width = 100;  // columns; longer text is wrapped
};

// Of a terminal behind this file descriptor: its width, and colour unless NO_COLOR is set
// (no-color.org) or TERM is dumb. Anything else: no colour, 100 columns.
TableStyle style_of(int file_descriptor);

// One run: the run, its nodes, calls, messages and verdicts. Ends with a line feed.
std::string run_table(const Digest& digest, const std::vector<Verdict>& verdicts, const TableStyle& style);

// Several runs: a line each, then how often every expectation failed.
std::string family_table(const std::vector<RunSummary>& runs, const TableStyle& style);

}  // namespace distlab::results
