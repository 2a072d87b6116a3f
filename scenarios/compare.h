// How far two grounds may be apart and still agree: what `compare:` of a scenario says.
#pragma once

#include <map>
#include <optional>
#include <string_view>

namespace distlab::scenario {

// What is compared. Times are in seconds, goodput in bits per second, messages are counted per run.
enum class Compared {
  setup_time,
  call_latency,
  detection_time,
  reconnect_time,
  goodput,
  lost_messages,
  duplicated_messages,
  reordered_messages,
};

// Two figures are near enough when either of `ratio` and `difference` says so; at least one is there.
struct Margin {
  std::optional<double> ratio;       // >= 1: neither is more than so many times the other
  std::optional<double> difference;  // >= 0: not more apart, in the metric's unit
  double distribution = 0;           // 0..1: share of all that may lie further away than this
  double outcomes = 0;               // 0..1: by how much the share of runs in which something happens may differ

  bool operator==(const Margin&) const = default;
};

using Margins = std::map<Compared, Margin>;  // of every metric

std::string_view to_string(Compared metric);  // as in the file: "call_latency"
bool is_count(Compared metric);               // one number per run, often zero

// What holds where a scenario says nothing; the reference (README.md) names them.
Margins default_margins();

}  // namespace distlab::scenario
