#include "sim/link.h"

#include <algorithm>
#include <utility>

namespace distlab::sim {

LinkDirection::LinkDirection(uint64_t seed, std::string name, LinkProperties properties)
    : name_(std::move(name)), properties_(properties), random_(seed, name_, "link") {}

LinkDirection::Arrivals LinkDirection::offer(Time now, uint32_t bytes) {
  ++counters_.offered;
  if (down_ || black_hole_) {
    ++counters_.cut;
    return {};
  }
  while (!departures_.empty() && departures_.front() <= now) departures_.pop_front();
  if (departures_.size() >= properties_.queue) {
    ++counters_.queue_drops;
    return {};
  }
  const Time sent = transmitted(now, bytes);
  // Loss happens on the wire, after the queue: a lost packet has used its share of the rate.
  if (properties_.loss > 0 && random_.chance(properties_.loss)) {
    ++counters_.lost;
    return {};
  }
  Arrivals arrivals;
  if (properties_.reorder > 0 && random_.chance(properties_.reorder)) {
    arrivals.first = sent;
  } else {
    arrivals.first = last_arrival_ = std::max(last_arrival_, sent + propagation());
  }
  if (properties_.duplicate > 0 && random_.chance(properties_.duplicate)) arrivals.second = arrivals.first;
  return arrivals;
}

Time LinkDirection::transmitted(Time now, uint32_t bytes) {
  if (properties_.rate_bps == 0) return now;
  const auto nanoseconds = static_cast<int64_t>(uint64_t{bytes} * 8 * 1'000'000'000 / properties_.rate_bps);
  busy_until_ = std::max(busy_until_, now) + Duration(nanoseconds);
  departures_.push_back(busy_until_);
  return busy_until_;
}

Duration LinkDirection::propagation() {
  if (properties_.jitter <= Duration::zero()) return properties_.delay;
  return std::max(Duration::zero(), properties_.delay + random_.between(-properties_.jitter, properties_.jitter));
}

void LinkDirection::set_down(bool down) {
  if (down && !down_) {
    ++epoch_;
    departures_.clear();
    busy_until_ = last_arrival_ = Time{};
  }
  down_ = down;
}

}  // namespace distlab::sim
