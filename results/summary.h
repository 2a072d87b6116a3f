// The figures of one run, small enough to keep for thousands of runs: what the table of a family,
// --json, JUnit and the overview of a report show.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "results/digest.h"
#include "results/records.h"
#include "results/stats.h"

namespace distlab::results {

struct RunSummary {
  RunRecord run;  // without its scenario text
  std::vector<Verdict> verdicts;
  Outcome outcome = Outcome::unknown;
  int64_t calls = 0, failed_calls = 0;
  Summary call_latency_ms;  // of the calls that got an answer
  int64_t sent = 0, delivered = 0, lost = 0, in_flight = 0, duplicated = 0, reordered = 0, late = 0;
  int64_t wedged_ns = 0;  // summed over all pairs
  std::vector<Detection> detections;
  bool had_fault = false;
  bool ever_up = false;            // whether any node saw another up
  std::optional<Detection> death;  // Digest::death()
};

// How the run ended for the nodes: the reason of `death`, else "survived", "never up", "no fault", or
// "incomplete".
std::string cause_of_death(const RunSummary& summary);

RunSummary summarize(const Digest& digest, std::vector<Verdict> verdicts);

// The worst of the runs; unknown when there are none.
Outcome worst(const std::vector<RunSummary>& runs);

// Durations for people: "3.94 s", "12.5 ms", "250 us", "5 min 2 s".
std::string duration_text(int64_t ns);
std::string milliseconds_text(double ms);  // the same scale
std::string bytes_text(int64_t bytes);     // "512 B", "117.2 KiB"

}  // namespace distlab::results
