#include "models/workload/ticker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/host/test_host.h"

namespace distlab::workload {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

struct TickerTest : testing::Test {
  TestWorld world;
  TestHost& host = world.add_host("a", Ipv4{0x0a000001});
  std::vector<Duration> due;

  std::unique_ptr<Ticker> ticker(Schedule schedule) {
    const Time origin = host.now();
    return std::make_unique<Ticker>(host, schedule, origin, "test",
                                    [this, origin] { due.push_back(host.now() - origin); });
  }
};

// Without a period: once, at the start; at or after the end: never.
TEST_F(TickerTest, Once) {
  const auto one = ticker({.start = 2s});
  const auto never = ticker({.start = 2s, .end = 2s});
  world.run_for(1min);
  EXPECT_THAT(due, ElementsAre(2s));
}

// With a period: from the start on, before the end.
TEST_F(TickerTest, Periodic) {
  const auto periodic = ticker({.start = 1s, .end = 3s, .period = 1s});
  world.run_for(1min);
  EXPECT_THAT(due, ElementsAre(1s, 2s));
}

// What a frozen process missed is left out, but one; the rhythm stays.
TEST_F(TickerTest, Frozen) {
  const auto periodic = ticker({.start = 0s, .end = 10s, .period = 1s});
  world.run_for(1500ms);
  host.freeze();
  world.run_for(4s);
  host.thaw();
  world.run_for(2s);
  EXPECT_THAT(due, ElementsAre(0s, 1s, 5500ms, 6s, 7s));
}

// A process thawed after the end does nothing more.
TEST_F(TickerTest, FrozenBeyondTheEnd) {
  const auto periodic = ticker({.start = 0s, .end = 3s, .period = 1s});
  world.run_for(500ms);
  host.freeze();
  world.run_for(4s);
  host.thaw();
  world.run_for(2s);
  EXPECT_THAT(due, ElementsAre(0s));
}

// Poisson arrivals: the mean gap is the period, gaps vary as an exponential's do, and the stream
// decides.
TEST_F(TickerTest, Poisson) {
  const auto poisson = ticker({.start = 0s, .end = 10'000s, .period = 1s, .arrival = Arrival::poisson});
  world.run_for(10'001s);
  const auto count = static_cast<double>(due.size());
  EXPECT_NEAR(count, 10'000, 400);  // four standard deviations
  double squares = 0;
  for (size_t i = 1; i < due.size(); ++i) {
    const double gap = to_seconds(due[i] - due[i - 1]);
    squares += gap * gap;
  }
  EXPECT_NEAR(squares / count, 2.0, 0.3);  // of an exponential with mean 1
}

}  // namespace
}  // namespace distlab::workload
