#include "models/workload/ticker.h"

#include <algorithm>
#include <cassert>

namespace distlab::workload {

Ticker::Ticker(Host& host, Schedule schedule, Time origin, std::string_view stream, std::function<void()> due)
    : host_(host),
      schedule_(schedule),
      origin_(origin),
      random_(host.random(stream)),
      due_(std::move(due)),
      next_(origin + schedule.start),
      timer_(host) {
  assert(!schedule_.period || *schedule_.period > Duration{0});
  arm();
}

void Ticker::arm() {
  if (schedule_.end && next_ >= origin_ + *schedule_.end) return;
  timer_.start(next_ - host_.now(), [this] { fire(); });
}

void Ticker::fire() {
  if (schedule_.end && host_.now() >= origin_ + *schedule_.end) return;  // it was frozen
  if (schedule_.period) {
    next_ = after(next_);
    arm();
  }
  due_();
}

Time Ticker::after(Time last) {
  const Time now = host_.now();
  if (schedule_.arrival == Arrival::poisson) {
    return std::max(last, now) + std::max(random_.exponential(*schedule_.period), Duration{1});
  }
  const auto periods = std::max<int64_t>((now - last) / *schedule_.period, 0) + 1;
  return last + periods * *schedule_.period;
}

}  // namespace distlab::workload
