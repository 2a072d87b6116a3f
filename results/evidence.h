// What the judges of single expectations share. Private to the results room.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "results/connectivity.h"
#include "results/digest.h"
#include "results/window.h"
#include "scenarios/scenario.h"

namespace distlab::results {

struct Evidence {
  const scenario::Scenario& scenario;
  const std::vector<EventRecord>& events;
  Naming naming;
  Connectivity connectivity;
  std::vector<FaultSpan> faults;
  int64_t end_ns = 0;

  bool stopped_early() const { return end_ns < scenario.duration.count(); }
  std::optional<Part> part(const scenario::Window& window) const { return resolve(window, scenario, faults, end_ns); }
  // The whole view of one node on another, empty when it never had one.
  const PeerView& view(const std::string& observer, const std::string& peer) const;
};

struct Finding {
  Outcome outcome = Outcome::unknown;
  std::string why;
  bool settled = false;  // stays as it is, however the run would have gone on
};

Finding judge(const Evidence& evidence, const scenario::ExpectConnected& expected);
Finding judge(const Evidence& evidence, const scenario::ExpectNodeEvent& expected);
Finding judge(const Evidence& evidence, const scenario::ExpectDetection& expected);
Finding judge(const Evidence& evidence, const scenario::ExpectMetric& expected);
Finding judge(const Evidence& evidence, const scenario::ExpectEvent& expected);

bool holds(const scenario::Condition& condition, double value);
Finding fault_not_done(const std::string& id);
std::string count_text(size_t n, const char* singular, const char* plural);  // "1 call", "2 calls"
// ", 3.94 s after down-1" when that fault was done before the time.
std::string after_fault(const Evidence& evidence, const std::string& fault, int64_t time_ns);

}  // namespace distlab::results
