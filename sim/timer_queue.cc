#include "sim/timer_queue.h"

#include <cassert>
#include <utility>

namespace distlab::sim {

TimerId TimerQueue::add(Time at, std::function<void()> fn) {
  if (free_.empty()) {
    assert(slots_.size() < max_timers);
    free_.push_back(slots_.size());
    slots_.emplace_back();
  }
  const size_t slot = free_.back();
  free_.pop_back();
  const TimerId id{++last_ * max_timers + slot};
  slots_[slot] = {id, std::move(fn)};
  queue_.push({at, id});
  return id;
}

void TimerQueue::cancel(TimerId id) {
  const size_t slot = slot_of(id);
  if (id == TimerId::none || slot >= slots_.size() || slots_[slot].id != id) return;
  release(slots_[slot]);
}

std::function<void()> TimerQueue::release(Slot& slot) {
  free_.push_back(slot_of(slot.id));
  slot.id = TimerId::none;
  return std::exchange(slot.fn, nullptr);
}

std::optional<Time> TimerQueue::next() {
  while (!queue_.empty() && slots_[slot_of(queue_.top().id)].id != queue_.top().id) queue_.pop();
  if (queue_.empty()) return std::nullopt;
  return queue_.top().at;
}

std::function<void()> TimerQueue::take() {
  Slot& slot = slots_[slot_of(queue_.top().id)];
  assert(slot.id == queue_.top().id);
  queue_.pop();
  return release(slot);
}

// What the functions hold may cancel timers while it is destroyed.
void TimerQueue::clear() {
  queue_ = {};
  free_.clear();
  const auto gone = std::exchange(slots_, {});
}

}  // namespace distlab::sim
