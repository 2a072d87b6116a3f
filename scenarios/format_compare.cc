// `compare`: margins.
#include <limits>
#include <utility>

#include "scenarios/compare.h"
#include "scenarios/format_parts.h"
#include "scenarios/scalars.h"

namespace distlab::scenario::table {
namespace {

// The texts of default_margins(); a test holds the two against each other.
struct Fallback {
  const char *ratio, *difference, *distribution, *outcomes;
};

std::vector<Key> nearness(Shape difference, const Fallback& fallback) {
  return {
      optional("ratio", factor_shape(), "Neither figure is more than so many times the other.", fallback.ratio),
      optional("difference", std::move(difference), "Or they are not further apart than this.", fallback.difference),
      optional("distribution", ratio_shape(), "Share of the values that may lie further away than that.",
               fallback.distribution),
  };
}

Shape values(Shape difference, const Fallback& fallback) {
  std::vector<Key> keys = nearness(std::move(difference), fallback);
  keys.push_back(optional("outcomes", ratio_shape(),
                          "By how much the share of runs may differ in which something comes about at all, and how.",
                          fallback.outcomes));
  return object(std::move(keys));
}

Shape counts() {
  return object(nearness(integer_shape(0, 1'000'000'000), {"1.1", "2", "20%", ""}));
}

}  // namespace

Shape margins() {
  return object({
      optional("setup_time", values(duration_shape(), {"1.25", "10ms", "20%", "10%"}), "From the dial to `node_up`."),
      optional("call_latency", values(duration_shape(), {"1.25", "2ms", "20%", "10%"}), "Of calls that succeed."),
      optional("detection_time", values(duration_shape(), {"1.05", "200ms", "20%", "10%"}),
               "From the last fault before it to `node_down`."),
      optional("reconnect_time", values(duration_shape(), {"1.25", "500ms", "20%", "10%"}),
               "From `node_down`, or the undoing of the fault if that is later, to `node_up`."),
      optional("goodput", values(rate_shape(), {"1.25", "", "20%", "10%"}), "Of `bulk` that is acknowledged."),
      optional("lost_messages", counts(), "Per run, over all pairs."),
      optional("duplicated_messages", counts(), "Per run, over all pairs."),
      optional("reordered_messages", counts(), "Per run, over all pairs."),
  });
}

}  // namespace distlab::scenario::table
