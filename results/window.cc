#include "results/window.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "results/summary.h"

namespace distlab::results {

bool Part::holds(int64_t begin_ns, int64_t end_ns) const {
  if (begin_ns < from_ns || begin_ns >= to_ns) return false;
  return std::none_of(without.begin(), without.end(),
                      [&](const auto& span) { return begin_ns <= span.second && end_ns >= span.first; });
}

std::string Part::text() const {
  return fmt::format("from {} to {}{}", duration_text(from_ns), duration_text(to_ns),
                     without.empty() ? "" : ", outside of faults");
}

std::optional<int64_t> fault_time(const std::vector<FaultSpan>& faults, const std::string& id) {
  const auto found = std::find_if(faults.begin(), faults.end(), [&](const FaultSpan& span) { return span.id == id; });
  return found == faults.end() ? std::nullopt : std::optional(found->from_ns);
}

std::optional<Part> resolve(const scenario::Window& window, const scenario::Scenario& scenario,
                            const std::vector<FaultSpan>& faults, int64_t end_ns) {
  int64_t origin = 0;
  if (!window.since.empty()) {
    const auto done = fault_time(faults, window.since);
    if (!done) return std::nullopt;
    origin = *done;
  }
  Part part;
  part.from_ns = origin + window.after.value_or(scenario::Duration{0}).count();
  // What happens at the last moment of the run still belongs to it.
  part.to_ns = window.before ? std::min(origin + window.before->count(), end_ns + 1) : end_ns + 1;
  if (!window.outside_faults) return part;
  scenario::Duration tick{0};
  for (const auto& [key, node] : scenario.nodes) tick = std::max(tick, node.net_ticktime);
  for (const FaultSpan& fault : faults)
    part.without.emplace_back(fault.from_ns,
                              fault.undone ? fault.to_ns + tick.count() : std::numeric_limits<int64_t>::max());
  return part;
}

}  // namespace distlab::results
