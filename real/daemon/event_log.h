// What becomes of the events that the models record: log lines, and counters for the metrics.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "models/host/event.h"
#include "models/host/time.h"
#include "real/daemon/log.h"
#include "real/daemon/metrics.h"

namespace distlab::daemon {

class EventLog {
 public:
  explicit EventLog(Log& log) : log_(log) {}

  void record(Time now, const Event& event);
  bool wants(std::string_view kind) const;
  void calm() { calm_ = true; }  // from now on nothing is a warning: the daemon itself ends what there is

  // distlab_events_total by kind, and the reasons of those that have one.
  void add_metrics(MetricsText& metrics) const;
  uint64_t count(std::string_view kind) const;

 private:
  Log& log_;
  bool calm_ = false;
  std::map<std::string, uint64_t, std::less<>> by_kind_;
  std::map<std::string, std::map<std::string, uint64_t>, std::less<>> by_reason_;  // kind, reason_class
};

LogLevel level_of(const Event& event);
// The part of a reason that a peer has no say in, out of a bounded set: "limit: sessions", "refused: realm",
// "application", "other". It is what lines are counted and limited by.
std::string reason_class(std::string_view reason);

}  // namespace distlab::daemon
