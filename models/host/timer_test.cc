// Timer, the class models use, over TestHost.
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "models/host/test_host.h"

namespace distlab {
namespace {

using namespace std::chrono_literals;

class TimerTest : public testing::Test {
 protected:
  TestWorld world_;
  TestHost& host_ = world_.add_host("a", Ipv4{0x0a000001});
  std::vector<Duration> rang_;  // since the start of the run
  std::function<void()> ring_ = [this] { rang_.push_back(host_.now() - run_start); };
};

TEST_F(TimerTest, RunsOnce) {
  // At its time, and running() says whether it is still to come.
  Timer timer(host_);
  EXPECT_FALSE(timer.running());
  timer.start(5ms, ring_);
  EXPECT_TRUE(timer.running());
  world_.run_for(1s);
  EXPECT_EQ(rang_, (std::vector<Duration>{5ms}));
  EXPECT_FALSE(timer.running());
}

TEST_F(TimerTest, RestartingReplaces) {
  // The earlier request is forgotten, be it sooner or later than the new one.
  Timer timer(host_);
  timer.start(5ms, ring_);
  timer.start(20ms, ring_);
  timer.start(10ms, ring_);
  world_.run_for(1s);
  EXPECT_EQ(rang_, (std::vector<Duration>{10ms}));
}

TEST_F(TimerTest, MayRestartInsideItsCallback) {
  // With another function, which outlives the one that started it.
  Timer timer(host_);
  auto token = std::make_shared<int>(1);
  timer.start(1ms, [&, token] {
    ring_();
    timer.start(2ms, [&, token] { ring_(); });
    EXPECT_TRUE(timer.running());
    EXPECT_EQ(*token, 1) << "the running function's captures are still there";
  });
  world_.run_for(1s);
  EXPECT_EQ(rang_, (std::vector<Duration>{1ms, 3ms}));
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(TimerTest, MayBeCancelledInsideItsCallback) {
  // Harmless: it has fired. Another timer due at the same instant is stopped.
  Timer timer(host_), other(host_);
  timer.start(1ms, [&] {
    ring_();
    timer.cancel();
    other.cancel();
  });
  other.start(1ms, ring_);
  world_.run_for(1s);
  EXPECT_EQ(rang_, (std::vector<Duration>{1ms}));
}

TEST_F(TimerTest, MayBeDestroyedInsideItsCallback) {
  // The callback runs to its end with its captures intact.
  auto timer = std::make_unique<Timer>(host_);
  const auto token = std::make_shared<int>(7);
  timer->start(1ms, [&, token] {
    timer.reset();
    EXPECT_EQ(*token, 7);
    ring_();
  });
  world_.run_for(1s);
  EXPECT_EQ(rang_.size(), 1u);
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(TimerTest, CancelsWhenDestroyed) {
  // And what the function captured is let go at once.
  const auto token = std::make_shared<int>(0);
  {
    Timer timer(host_);
    timer.start(1ms, [&, token] { ring_(); });
    EXPECT_EQ(token.use_count(), 2);
  }
  EXPECT_EQ(token.use_count(), 1);
  world_.run_for(1s);
  EXPECT_TRUE(rang_.empty());
}

}  // namespace
}  // namespace distlab
