// TimerQueue, the timers of a simulated host.
#include "sim/timer_queue.h"

#include <memory>
#include <vector>

#include <gtest/gtest.h>

namespace distlab::sim {
namespace {

using namespace std::chrono_literals;

class TimerQueueTest : public testing::Test {
 protected:
  TimerId add(Duration at, int number) {
    return queue_.add(run_start + at, [this, number] { ran_.push_back(number); });
  }
  std::vector<int> run_all() {
    while (queue_.next()) queue_.take()();
    return std::exchange(ran_, {});
  }
  TimerQueue queue_;
  std::vector<int> ran_;
};

TEST_F(TimerQueueTest, RunsByTimeAndThenInTheOrderOfAsking) {
  // Also when the places of earlier timers are used again, in any order.
  for (int round = 0; round < 3; ++round) {
    add(2ms, 1);
    add(1ms, 2);
    add(2ms, 3);
    add(1ms, 4);
    EXPECT_EQ(run_all(), (std::vector<int>{2, 4, 1, 3}));
  }
}

TEST_F(TimerQueueTest, CancellingForgetsOneTimerOnly) {
  // Its place may be taken at once; the old id no longer reaches it.
  const TimerId first = add(1ms, 1);
  queue_.cancel(first);
  add(1ms, 2);
  queue_.cancel(first);
  queue_.cancel(TimerId::none);
  EXPECT_EQ(queue_.next(), run_start + 1ms);
  EXPECT_EQ(run_all(), (std::vector<int>{2}));
  EXPECT_EQ(queue_.next(), std::nullopt);
}

TEST_F(TimerQueueTest, CancellingReleasesWhatTheFunctionHolds) {
  // At once, not when it would have been due.
  const auto token = std::make_shared<int>(0);
  const TimerId id = queue_.add(run_start + 1ms, [token] {});
  EXPECT_EQ(token.use_count(), 2);
  queue_.cancel(id);
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(TimerQueueTest, ClearsEverything) {
  // And what the functions hold may cancel others while it goes.
  const TimerId other = add(1ms, 1);
  const std::shared_ptr<void> token(nullptr, [&](void*) { queue_.cancel(other); });
  queue_.add(run_start + 1ms, [token] {});
  queue_.clear();
  EXPECT_EQ(queue_.next(), std::nullopt);
  add(3ms, 2);
  EXPECT_EQ(run_all(), (std::vector<int>{2}));
}

}  // namespace
}  // namespace distlab::sim
