// What the report page shows, as JSON for its script (report.js reads it; not an interface for
// others, that is results/json.h).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "results/digest.h"
#include "results/summary.h"

namespace distlab::results {

// How much of a run a page carries. What is left out is said in the page.
struct ReportLimits {
  size_t points = 20'000;  // calls drawn as dots, over all detailed runs
  size_t hosts = 120;      // lanes: those to which something happened come first
  size_t pairs = 400;      // rows of the ledger, the worst first
  size_t pair_lanes = 60;  // of them drawn, the worst first
  size_t sessions = 120;   // lanes of each relay
  size_t tunnels = 200;    // sides of tunnels
  size_t stories = 30;     // faults told in words
  size_t log_lines = 400;
  size_t evaluations = 200;
  size_t bins = 480;  // of ticks and messages along the time axis
};

nlohmann::ordered_json report_overview(const RunSummary& summary);
nlohmann::ordered_json report_detail(const Digest& digest, const std::vector<Verdict>& verdicts,
                                     const ReportLimits& limits);

// The dots of calls in a report_detail() thinned to `points`: failures and the slowest stay.
void thin_calls(nlohmann::ordered_json& detail, size_t points);

}  // namespace distlab::results
