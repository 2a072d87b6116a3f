// A comparison for terminals, programs, continuous integration and browsers.
#pragma once

#include <string>
#include <vector>

#include "results/compare/compare.h"
#include "results/table.h"

namespace distlab::results::compare {

inline constexpr int compare_json_format = 1;

// A table per variant and arm, and below it why not everything agrees.
std::string to_table(const std::vector<Comparison>& all, const TableStyle& style);
// Described in README.md; ends with a line feed.
std::string to_json(const std::vector<Comparison>& all);
// A test suite per variant and arm with a test case per metric: disagree is a failure, too few samples are skipped.
std::string to_junit(const std::vector<Comparison>& all);
// A Markdown table: a row per scenario and metric, a column per arm, all variants taken together. The arms are those of
// the first comparison.
std::string to_markdown(const std::vector<Comparison>& all);
// One page that opens offline, with the distributions of all arms laid over each other.
std::string to_html(const std::vector<Comparison>& all, const std::string& command);

}  // namespace distlab::results::compare
