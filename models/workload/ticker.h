// When an action is due.
#pragma once

#include <functional>
#include <utility>

#include "models/host/host.h"
#include "models/workload/workload.h"

namespace distlab::workload {

// Calls `due` at the times of a schedule, whose zero is `origin`. Periodic times do not drift; what a
// frozen process missed is left out.
class Ticker {
 public:
  // `stream` is where the gaps of Poisson arrivals are drawn from.
  Ticker(Host& host, Schedule schedule, Time origin, std::string_view stream, std::function<void()> due);

 private:
  void arm();
  void fire();
  Time after(Time last);

  Host& host_;
  const Schedule schedule_;
  const Time origin_;
  RandomStream& random_;
  const std::function<void()> due_;
  Time next_;
  Timer timer_;
};

}  // namespace distlab::workload
