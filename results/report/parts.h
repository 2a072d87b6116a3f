// What the makers of the page's data share. Private to the report.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "results/report/data.h"

namespace distlab::results {

using Json = nlohmann::ordered_json;

double in_seconds(int64_t ns);  // microseconds are kept

// The bin of the run a time falls into.
size_t bin_of(int64_t time_ns, int64_t end_ns, size_t bins);
// Counts of times per bin of the run, as [bin, count] for the bins that are not empty.
Json density(const std::vector<int64_t>& times, int64_t end_ns, size_t bins);

// Relays, clients, tunnels and the story of a run (data_transport.cc), as members of its details, and
// notes on what was left out.
void add_transport(Json& detail, const Digest& digest, const ReportLimits& limits);

}  // namespace distlab::results
