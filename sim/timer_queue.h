// The timers of a host: functions and when they are due. Plain, without ns-3, so that it can be tested
// alone.
//
// QUIC starts its timers anew with nearly every packet: adding and cancelling cost no search and, once
// the queue has its size, no memory.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <tuple>
#include <vector>

#include "models/host/host.h"

namespace distlab::sim {

class TimerQueue {
 public:
  TimerId add(Time at, std::function<void()> fn);
  void cancel(TimerId id);  // harmless if it was taken, cancelled, or is `none`
  void clear();

  // When the first one is due; nothing: there is none. At equal times the one added first comes first.
  std::optional<Time> next();
  std::function<void()> take();  // the first one; next() has found it

  static constexpr size_t max_timers = size_t{1} << 24;  // at once

 private:
  struct Due {
    Time at;
    TimerId id;  // counts up, but for the low bits, which say where the function is
    bool operator>(const Due& other) const { return std::tie(at, id) > std::tie(other.at, other.id); }
  };
  struct Slot {
    TimerId id = TimerId::none;  // of the timer that lives here now
    std::function<void()> fn;
  };
  static size_t slot_of(TimerId id) { return static_cast<uint64_t>(id) % max_timers; }
  std::function<void()> release(Slot& slot);

  std::priority_queue<Due, std::vector<Due>, std::greater<>> queue_;  // of live and cancelled timers
  std::vector<Slot> slots_;
  std::vector<size_t> free_;
  uint64_t last_ = 0;
};

}  // namespace distlab::sim
