// The result of an invocation as JSON, for programs. The format is described in results/README.md; a
// field is never renamed or dropped without a new json_format.
#pragma once

#include <string>
#include <vector>

#include "results/summary.h"

namespace distlab::results {

inline constexpr int json_format = 1;

// One object over several lines, ending with a line feed.
std::string to_json(const std::vector<RunSummary>& runs);

}  // namespace distlab::results
