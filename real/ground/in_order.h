// Puts events of many processes into the order of their times, as far as they arrive soon after another:
// their pipes are read one after the other.
#pragma once

#include <functional>
#include <limits>
#include <map>
#include <utility>

#include "models/host/time.h"
#include "results/records.h"

namespace distlab::ground {

class InOrder {
 public:
  explicit InOrder(std::function<void(const results::EventRecord&)> sink) : sink_(std::move(sink)) {}

  void add(results::EventRecord&& event) { waiting_.emplace(event.time_ns, std::move(event)); }
  // Passes on what is older than this; whatever comes later than `patience` after it happened is out of order.
  void release(Duration now) { pass_until((now - patience).count()); }
  void release_all() { pass_until(std::numeric_limits<int64_t>::max()); }

  static constexpr Duration patience = std::chrono::seconds{2};

 private:
  void pass_until(int64_t limit) {
    while (!waiting_.empty() && waiting_.begin()->first <= limit) {
      sink_(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
    }
  }

  std::function<void(const results::EventRecord&)> sink_;
  std::multimap<int64_t, results::EventRecord> waiting_;
};

}  // namespace distlab::ground
