#include "sim/link.h"

#include <gtest/gtest.h>

namespace distlab::sim {
namespace {

using namespace std::chrono_literals;

LinkDirection make(LinkProperties properties, uint64_t seed = 1) {
  return {seed, "x", properties};
}

// A packet takes its transmission time plus the delay, and waits for those before it.
TEST(Link, SerialisesAtItsRate) {
  LinkDirection link = make({.delay = 10ms, .rate_bps = 8'000'000});  // 1000 bytes take 1 ms
  EXPECT_EQ(link.offer(run_start, 1000).first, run_start + 11ms);
  EXPECT_EQ(link.offer(run_start, 1000).first, run_start + 12ms);
  EXPECT_EQ(link.offer(run_start + 5ms, 1000).first, run_start + 16ms);
}

// The queue holds as many packets as it says and drops the next one.
TEST(Link, DropsAtTheTailOfTheQueue) {
  LinkDirection link = make({.rate_bps = 8'000'000, .queue = 3});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(link.offer(run_start, 1000).first);
  EXPECT_FALSE(link.offer(run_start, 1000).first);
  EXPECT_EQ(link.counters().queue_drops, 1u);
  EXPECT_TRUE(link.offer(run_start + 1ms, 1000).first);  // one has left
}

// Jitter spreads arrivals within +-jitter but never reorders them.
TEST(Link, JitterKeepsOrder) {
  LinkDirection link = make({.delay = 10ms, .jitter = 5ms});
  Time last{};
  bool early = false, late = false;
  for (int i = 0; i < 1000; ++i) {
    const Time sent = run_start + i * 20ms;
    const Time arrival = *link.offer(sent, 100).first;
    EXPECT_GE(arrival, last);
    EXPECT_GE(arrival - sent, 5ms);
    EXPECT_LE(arrival - sent, 15ms);
    early |= arrival - sent < 7ms;
    late |= arrival - sent > 13ms;
    last = arrival;
  }
  EXPECT_TRUE(early && late);
}

// Loss takes the share it says, and the same seed loses the same packets.
TEST(Link, LosesItsShareReproducibly) {
  LinkDirection a = make({.loss = 0.2}, 7), b = make({.loss = 0.2}, 7), c = make({.loss = 0.2}, 8);
  int lost = 0, different = 0;
  for (int i = 0; i < 10'000; ++i) {
    const bool in_a = a.offer(run_start, 1).first.has_value();
    EXPECT_EQ(in_a, b.offer(run_start, 1).first.has_value());
    different += in_a != c.offer(run_start, 1).first.has_value();
    lost += !in_a;
  }
  EXPECT_NEAR(lost, 2000, 200);
  EXPECT_GT(different, 1000);
}

// A cut loses what is under way, also when the link is up again before it would have arrived.
TEST(Link, CutLosesWhatIsUnderWay) {
  LinkDirection link = make({.delay = 100ms});
  ASSERT_TRUE(link.offer(run_start, 100).first);
  const uint64_t epoch = link.epoch();
  link.set_down(true);
  EXPECT_FALSE(link.offer(run_start, 100).first);
  link.set_down(false);
  EXPECT_FALSE(link.arrives(epoch));
  EXPECT_TRUE(link.arrives(link.epoch()));
}

// A black hole loses what is offered, but not what is under way.
TEST(Link, BlackHoleLetsWhatIsUnderWayArrive) {
  LinkDirection link = make({.delay = 100ms});
  ASSERT_TRUE(link.offer(run_start, 100).first);
  const uint64_t epoch = link.epoch();
  link.set_black_hole(true);
  EXPECT_FALSE(link.offer(run_start, 100).first);
  EXPECT_TRUE(link.arrives(epoch));
  link.set_black_hole(false);
  EXPECT_TRUE(link.offer(run_start, 100).first);
}

// Duplicates arrive twice; reordered packets skip the delay and so overtake.
TEST(Link, DuplicatesAndReorders) {
  LinkDirection twice = make({.delay = 1ms, .duplicate = 1});
  EXPECT_EQ(twice.offer(run_start, 1).second, run_start + 1ms);
  LinkDirection over = make({.delay = 10ms, .reorder = 0.5});
  int overtook = 0;
  for (int i = 0; i < 1000; ++i) overtook += over.offer(run_start + i * 1ms, 1).first == run_start + i * 1ms;
  EXPECT_NEAR(overtook, 500, 80);
}

}  // namespace
}  // namespace distlab::sim
