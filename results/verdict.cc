#include "results/verdict.h"

#include <variant>

#include <fmt/format.h>

#include "results/evidence.h"
#include "results/summary.h"

namespace distlab::results {

const PeerView& Evidence::view(const std::string& observer, const std::string& peer) const {
  static const PeerView nothing;
  const auto found = connectivity.views.find({observer, peer});
  return found == connectivity.views.end() ? nothing : found->second;
}

bool holds(const scenario::Condition& condition, double value) {
  switch (condition.op) {
    case scenario::Compare::less:
      return value < condition.value;
    case scenario::Compare::less_equal:
      return value <= condition.value;
    case scenario::Compare::equal:
      return value == condition.value;
    case scenario::Compare::not_equal:
      return value != condition.value;
    case scenario::Compare::greater_equal:
      return value >= condition.value;
    case scenario::Compare::greater:
      break;
  }
  return value > condition.value;
}

Finding fault_not_done(const std::string& id) {
  return {Outcome::unknown, fmt::format("the fault {} was not done", id), false};
}

std::string count_text(size_t n, const char* singular, const char* plural) {
  return fmt::format("{} {}", n, n == 1 ? singular : plural);
}

std::string after_fault(const Evidence& evidence, const std::string& fault, int64_t time_ns) {
  const auto done = fault_time(evidence.faults, fault);
  if (!done || *done > time_ns) return "";
  return fmt::format(", {} after {}", duration_text(time_ns - *done), fault);
}

std::map<std::string, std::string> node_names(const scenario::Scenario& scenario) {
  std::map<std::string, std::string> names;
  for (const auto& [key, node] : scenario.nodes) names.emplace(node.name, key);
  return names;
}

std::vector<Verdict> evaluate(const scenario::Scenario& scenario, const std::vector<EventRecord>& events,
                              int64_t end_ns) {
  Naming naming(node_names(scenario));
  Connectivity seen = connectivity(events, naming, end_ns);
  const Evidence evidence{scenario, events, std::move(naming), std::move(seen), fault_spans(events, end_ns), end_ns};
  std::vector<Verdict> verdicts;
  for (const scenario::Expectation& expectation : scenario.expect) {
    Finding finding = std::visit([&](const auto& what) { return judge(evidence, what); }, expectation.what);
    if (evidence.stopped_early() && !finding.settled && finding.outcome != Outcome::unknown) {
      finding.outcome = Outcome::unknown;
      finding.why = fmt::format("the run stopped at {}; until then: {}", duration_text(end_ns), finding.why);
    }
    verdicts.push_back({expectation.name, expectation.text, finding.outcome, std::move(finding.why),
                        expectation.place.file, expectation.place.line});
  }
  return verdicts;
}

}  // namespace distlab::results
