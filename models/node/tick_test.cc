// Ticks: who is found dead when, and who is not. T is net_ticktime, I net_tickintensity; rows are
// those of the facts page otp-distribution.md.
#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/node/testing/test_node.h"

namespace distlab::node {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Lab;
using testing::TestNode;

const NetKernelConfig t4{.net_ticktime = 4s};

// a and b, whose tickers are out of step by a phase, connected and idle for a while.
struct Pair {
  explicit Pair(uint64_t seed, const NetKernelConfig& of_a = t4, const NetKernelConfig& of_b = t4)
      : lab(seed), random(seed, "test", "phases"), a(lab.start('a', of_a)), b(start_later(of_b)) {
    const Duration interval = a.kernel.tick_interval();
    lab.world.run_for(random.between(0ms, interval));
    EXPECT_TRUE(lab.connect(a, b));
    lab.world.run_for(10 * interval + random.between(0ms, interval));
  }
  TestNode& start_later(const NetKernelConfig& config) {
    lab.world.run_for(random.between(0ms, a.kernel.tick_interval()));
    return lab.start('b', config);
  }
  void hold_both(bool on) {
    for (auto [from, to] : {std::pair{&a, &b}, std::pair{&b, &a}}) on ? lab.hold(*from, *to) : lab.release(*from, *to);
  }
  bool both_up() const { return a.kernel.connected(b.name()) && b.kernel.connected(a.name()); }

  Lab lab;
  RandomStream random;
  TestNode& a;
  TestNode& b;
};

const char* const not_responding_b = "** Node 'b@hostb.test' not responding **\n** Removing (timedout) connection **";

// Detection times spread over (low, high), all of it.
void expect_spread(const std::vector<double>& times, double low, double high) {
  const double least = *std::min_element(times.begin(), times.end());
  const double most = *std::max_element(times.begin(), times.end());
  EXPECT_GE(least, low);
  EXPECT_LE(most, high);
  EXPECT_LT(least, low + (high - low) * 0.2);
  EXPECT_GT(most, high - (high - low) * 0.2);
}

struct Timing {
  Duration time;
  uint32_t intensity;
};
class Detection : public ::testing::TestWithParam<Timing> {};

TEST_P(Detection, BothSilent) {
  // Facts section 4, row "both silent, each side": within T -+ T/I, spread over it; reason and log.
  const auto [time, intensity] = GetParam();
  const NetKernelConfig config{.net_ticktime = time, .net_tickintensity = intensity};
  std::vector<double> detected;
  for (uint64_t seed = 1; seed <= 72; ++seed) {
    Pair pair(seed, config, config);
    pair.lab.world.run_for(pair.random.between(Duration{0}, time));
    const Time silent = pair.lab.world.now();
    pair.lab.silence(pair.a, pair.b);
    pair.lab.silence(pair.b, pair.a);
    pair.lab.world.run_for(2 * time);
    for (const TestNode* node : {&pair.a, &pair.b}) {
      ASSERT_EQ(node->downs.size(), 1u);
      EXPECT_EQ(node->downs[0].second, "net_tick_timeout");
      detected.push_back(to_seconds(node->downs[0].first - silent));
    }
    EXPECT_THAT(pair.lab.logs(pair.a), ElementsAre(not_responding_b));
  }
  const double t = to_seconds(time);
  expect_spread(detected, t - t / intensity - 0.001, t + t / intensity);
}

TEST_P(Detection, SilentOneWay) {
  // Facts section 4, row "one-way a->b: b": b finds out within the bounds, a by the closed stream.
  const auto [time, intensity] = GetParam();
  const NetKernelConfig config{.net_ticktime = time, .net_tickintensity = intensity};
  std::vector<double> detected;
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    Pair pair(seed, config, config);
    pair.lab.world.run_for(pair.random.between(Duration{0}, time));
    const Time silent = pair.lab.world.now();
    pair.lab.silence(pair.a, pair.b);
    pair.lab.world.run_for(2 * time);
    ASSERT_EQ(pair.b.downs.size(), 1u);
    EXPECT_EQ(pair.b.downs[0].second, "net_tick_timeout");
    ASSERT_EQ(pair.a.downs.size(), 1u);
    EXPECT_EQ(pair.a.downs[0].second, "connection_closed");
    EXPECT_LE(pair.a.downs[0].first - pair.b.downs[0].first, 1ms);
    detected.push_back(to_seconds(pair.b.downs[0].first - silent));
  }
  const double t = to_seconds(time);
  expect_spread(detected, t - t / intensity - 0.001, t + t / intensity);
}

INSTANTIATE_TEST_SUITE_P(Timings, Detection,
                         ::testing::Values(Timing{4s, 4}, Timing{8s, 4}, Timing{4s, 16}, Timing{60s, 4}),
                         [](const auto& timing) {
                           return "T" + std::to_string(timing.param.time / 1s) + "I" +
                                  std::to_string(timing.param.intensity);
                         });

TEST(Intervals, AreRoundedAsOtpRoundsThem) {
  // net_kernel:make_init_opts/1: the intensity is moved into 4..1000, the time up to a multiple of it.
  const auto interval = [](Duration time, uint32_t intensity) {
    Lab lab;
    return lab.start('a', {.net_ticktime = time, .net_tickintensity = intensity}).kernel.tick_interval();
  };
  EXPECT_EQ(interval(60s, 4), 15s);
  EXPECT_EQ(interval(1s, 7), 143ms);
  EXPECT_EQ(interval(60s, 1), 15s);
  EXPECT_EQ(interval(60s, 5000), 60ms);
  EXPECT_EQ(interval(0s, 4), 1ms);
}

TEST(Ticks, AnIdleConnectionTicksOncePerIntervalEachWay) {
  // Facts section 4: on the wire idle, one tick per T/I; sending every 0.4 s suppresses them in that
  // direction only (0 against 6 in 6 s).
  Pair pair(3);
  const auto count = [&](TestNode& node) { return pair.lab.world.events_of(node.host.name(), kinds::tick).size(); };
  const size_t a_before = count(pair.a), b_before = count(pair.b);
  pair.lab.world.run_for(20s);
  EXPECT_EQ(count(pair.a) - a_before, 20u);
  EXPECT_EQ(count(pair.b) - b_before, 20u);

  pair.a.send_to(pair.b.name(), "chatter");
  pair.lab.world.run_for(1s);
  const size_t a_busy = count(pair.a), b_busy = count(pair.b);
  for (int i = 0; i < 15; ++i) {
    pair.a.send_to(pair.b.name(), "chatter");
    pair.lab.world.run_for(400ms);
  }
  EXPECT_EQ(count(pair.a) - a_busy, 0u);
  EXPECT_EQ(count(pair.b) - b_busy, 6u);
}

TEST(Ticks, AHiddenPeerIsTickedUnlessItIsHeard) {
  // dist_util:need_to_tick/4: hidden connections are ticked when nothing was read, even if something
  // was written.
  Pair pair(4, {.net_ticktime = 4s}, {.net_ticktime = 400s, .hidden = true});
  pair.lab.world.run_for(20s);
  const auto ticks = pair.lab.world.events_of("a", kinds::tick).size();
  EXPECT_GE(ticks, 3u);
  EXPECT_THAT(pair.a.downs, ElementsAre(::testing::Pair(::testing::_, "net_tick_timeout")));
}

TEST(Ticks, DifferentTickTimesDropTheSlowOne) {
  // Facts section 4: a=4, b=16: a drops b about 4 s after the last of b's first messages, because b
  // only ticks every 4 s, and not at its first one after having written.
  std::vector<double> dropped;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    Lab lab(seed);
    RandomStream random(seed, "test", "phases");
    TestNode& a = lab.start('a', t4);
    lab.world.run_for(random.between(0s, 4s));
    TestNode& b = lab.start('b', {.net_ticktime = 16s});
    lab.world.run_for(random.between(0s, 4s));
    EXPECT_TRUE(lab.connect(a, b));
    const Time up = lab.world.now();
    lab.world.run_for(9s);
    if (!a.downs.empty()) {
      EXPECT_EQ(a.downs[0].second, "net_tick_timeout");
      dropped.push_back(to_seconds(a.downs[0].first - up));
    }
    EXPECT_THAT(lab.logs(b), IsEmpty());
  }
  EXPECT_GT(dropped.size(), 25u);
  for (const double seconds : dropped) {
    EXPECT_GE(seconds, 3.99);
    EXPECT_LE(seconds, 5.01);
  }
}

TEST(Ticks, APeerSilentSinceTheHandshakeIsTimedOut) {
  // Facts section 2: inet's recv_cnt includes the handshake's packets, so a peer that never says
  // anything after them is dropped, too.
  Lab lab;
  TestNode& a = lab.start('a', t4);
  TestNode& b = lab.start('b', {.net_ticktime = 4000s});
  b.quiet = true;
  lab.world.run_for(300ms);
  EXPECT_TRUE(lab.connect(a, b));
  lab.world.run_for(5s);
  EXPECT_THAT(a.downs, ElementsAre(::testing::Pair(::testing::_, "net_tick_timeout")));
}

// How many of `runs` connections are up a while after everything was held back for `stall`.
int survivors(Duration stall, int runs) {
  int alive = 0;
  for (int seed = 1; seed <= runs; ++seed) {
    Pair pair(uint64_t(seed), t4, t4);
    pair.hold_both(true);
    pair.lab.world.run_for(stall);
    pair.hold_both(false);
    pair.lab.world.run_for(10s);
    alive += pair.both_up();
  }
  return alive;
}

TEST(Stall, UpToThreeSecondsSurvive) {
  // Facts section 4, stall then release, T=4: up to 3.0 s 20 of 20.
  EXPECT_EQ(survivors(1500ms, 20), 20);
  EXPECT_EQ(survivors(3s, 20), 20);
}

TEST(Stall, FourSecondsAndMoreKill) {
  // The same: 4.0 s and more 0 of 20.
  EXPECT_EQ(survivors(4s, 20), 0);
  EXPECT_EQ(survivors(6s, 20), 0);
}

TEST(Stall, InBetweenItIsAMatterOfPhase) {
  // The same: between 3 and 4 s some live and some die, fewer the longer.
  const int short_stall = survivors(3300ms, 40), long_stall = survivors(3700ms, 40);
  EXPECT_GT(short_stall, long_stall);
  EXPECT_LT(short_stall, 40);
  EXPECT_GT(long_stall, 0);
}

TEST(Latency, ARampIsHarmless) {
  // Facts section 4: ramped to 10 s one way with T=4 after set-up: stays up, a call takes 20 s.
  Pair pair(5);
  for (Duration delay = 0ms; delay <= 10s; delay += 100ms) {
    pair.lab.set_delay(delay);
    pair.lab.world.run_for(500ms);
  }
  pair.lab.world.run_for(30s);
  EXPECT_TRUE(pair.both_up());
  pair.b.echo = true;
  pair.a.send_to(pair.b.name(), "echo");
  const Time asked = pair.lab.world.now();
  EXPECT_TRUE(pair.lab.world.run_until(
      [&] { return std::count(pair.a.received.begin(), pair.a.received.end(), "answer from b@hostb.test") > 0; }, 60s));
  EXPECT_EQ(pair.lab.world.now() - asked, 20s);
}

TEST(Latency, AStepIsAGap) {
  // Facts section 4: a step of +2 s survives, +5 s kills.
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    for (const auto& [step, lives] : {std::pair{2s, true}, {5s, false}}) {
      Pair pair(seed);
      pair.lab.set_delay(step);
      pair.lab.world.run_for(20s);
      EXPECT_EQ(pair.both_up(), lives);
    }
  }
}

// a dials b over a bridge that accepts at once and delays what it carries, then asks it something.
// How many of `runs` are up, and not for the second time, when the answer should be there.
int set_up(Duration round_trip, int runs) {
  int good = 0;
  for (int seed = 1; seed <= runs; ++seed) {
    Lab lab{uint64_t(seed)};
    RandomStream random(uint64_t(seed), "test", "phases");
    lab.world.tcp().instant_connect = true;
    lab.set_delay(round_trip / 2);
    TestNode& a = lab.start('a', t4);
    lab.world.run_for(random.between(0s, 1s));
    TestNode& b = lab.start('b', t4);
    b.echo = true;
    lab.world.run_for(random.between(0s, 1s));
    a.send_to(b.name(), "echo");
    lab.world.run_for(4 * round_trip + 5s);
    good += a.downs.empty() && b.downs.empty() && a.kernel.connected(b.name());
  }
  return good;
}

TEST(SetUpLatency, TicksThatQueueUpKill) {
  // Facts section 4: T=4: RTT 1.0 s 6/6 up; 1.6 s 2/6; 1.9 s 1/6; >= 2.1 s 0/6.
  EXPECT_EQ(set_up(1000ms, 40), 40);
  const int at_1600 = set_up(1600ms, 60), at_1900 = set_up(1900ms, 60);
  EXPECT_GT(at_1600, 10);
  EXPECT_LT(at_1600, 40);
  EXPECT_LT(at_1900, at_1600);
  EXPECT_LT(at_1900, 20);
  EXPECT_EQ(set_up(2100ms, 40), 0);
  EXPECT_EQ(set_up(3000ms, 40), 0);
}

TEST(SetUpLatency, ASlowDialKillsAtNodeup) {
  // Facts section 4: slow lookup or dial, T=4: <= 4 s up, >= 5 s immediate net_tick_timeout.
  for (const auto& [time, lives] : {std::pair{3s, true}, {4s, true}, {5s, false}, {6s, false}}) {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
      Lab lab(seed);
      RandomStream random(seed, "test", "phases");
      TestNode& a = lab.start('a', t4);
      TestNode& b = lab.start('b', t4);
      a.carrier.dial_time = time;
      b.quiet = true;
      lab.world.run_for(random.between(50ms, 950ms));
      const auto result = a.connect(b.name());
      lab.world.run_for(time + 100ms);
      EXPECT_EQ(*result, true);
      if (lives) {
        EXPECT_THAT(a.told, ElementsAre("up b@hostb.test"));
      } else {
        EXPECT_THAT(a.told, ElementsAre("up b@hostb.test", "down b@hostb.test net_tick_timeout"));
      }
    }
  }
}

class Stopped : public ::testing::TestWithParam<uint64_t> {};

TEST_P(Stopped, AShortStopIsNotNoticed) {
  // Facts section 5: SIGSTOP for 1.5 and 3.0 s: nothing; a pending call returns at CONT.
  for (const Duration stop : {1500ms, 3000ms}) {
    Pair pair(GetParam());
    pair.b.echo = true;
    pair.b.host.freeze();
    pair.a.send_to(pair.b.name(), "echo");
    pair.lab.world.run_for(stop);
    pair.b.host.thaw();
    pair.lab.world.run_for(2ms);
    EXPECT_THAT(pair.a.received, Contains("answer from b@hostb.test"));
    pair.lab.world.run_for(10s);
    EXPECT_TRUE(pair.both_up());
    EXPECT_THAT(pair.a.downs, IsEmpty());
    EXPECT_THAT(pair.b.downs, IsEmpty());
  }
}

TEST_P(Stopped, ALongStopIsATimeoutThereAndAClosedStreamHere) {
  // Facts section 5: >= 6 s: a net_tick_timeout after 3.8 to 4.7 s, b connection_closed at CONT+1..7
  // ms: b does not blame a for its own stop. No reconnection by itself; an explicit one works.
  Pair pair(GetParam());
  const Time stopped = pair.lab.world.now();
  pair.b.host.freeze();
  pair.lab.world.run_for(7s);
  ASSERT_EQ(pair.a.downs.size(), 1u);
  EXPECT_EQ(pair.a.downs[0].second, "net_tick_timeout");
  EXPECT_GE(pair.a.downs[0].first - stopped, 3s);
  EXPECT_LE(pair.a.downs[0].first - stopped, 5s);
  EXPECT_THAT(pair.b.downs, IsEmpty());
  const Time continued = pair.lab.world.now();
  pair.b.host.thaw();
  pair.lab.world.run_for(2500ms);
  ASSERT_EQ(pair.b.downs.size(), 1u);
  EXPECT_EQ(pair.b.downs[0].second, "connection_closed");
  EXPECT_LE(pair.b.downs[0].first - continued, 7ms);
  EXPECT_THAT(pair.lab.logs(pair.b), IsEmpty());
  EXPECT_THAT(pair.a.kernel.visible_nodes(), IsEmpty());
  EXPECT_TRUE(pair.lab.connect(pair.a, pair.b, 10ms));
}

INSTANTIATE_TEST_SUITE_P(Phases, Stopped, ::testing::Range<uint64_t>(1, 11));

TEST(Redial, APeerThatStaysStopped) {
  // Facts section 5: redial while b is stopped: TCP connects, pang at 7.00 s.
  Pair pair(6);
  pair.b.host.freeze();
  pair.lab.world.run_for(6s);
  ASSERT_FALSE(pair.a.kernel.connected(pair.b.name()));
  const Time asked = pair.lab.world.now();
  EXPECT_FALSE(pair.lab.connect(pair.a, pair.b));
  EXPECT_NEAR(to_seconds(pair.lab.world.now() - asked), 7.0, 0.01);
}

TEST(Redial, APeerThatGoesOn) {
  // Facts section 5: a dial that is pending when b resumes: pong.
  Pair pair(6);
  pair.b.host.freeze();
  pair.lab.world.run_for(6s);
  const auto result = pair.a.connect(pair.b.name());
  pair.lab.world.run_for(3s);
  EXPECT_FALSE(result->has_value());
  pair.b.host.thaw();
  pair.lab.world.run_for(10ms);
  EXPECT_EQ(*result, true);
  EXPECT_THAT(pair.b.told, ElementsAre("up a@hosta.test", "down a@hosta.test connection_closed", "up a@hosta.test"));
}

TEST(Bulk, AFrameSlowerThanTheTickTimeIsSilence) {
  // Facts section 4, bulk over a slow link: the receive counter counts whole frames. Bytes that
  // trickle in without completing one for T are as good as silence.
  Pair pair(7);
  bool first = true;
  pair.lab.world.set_tcp_hook(pair.a.host.address(), pair.b.host.address(), [&first](TcpChunk& chunk) {
    if (std::exchange(first, false)) chunk.bytes = {0, 1, 0, 0};  // begins a frame of 64 KiB
  });
  const Time began = pair.lab.world.now();
  pair.lab.world.run_for(7s);
  ASSERT_EQ(pair.b.downs.size(), 1u);
  EXPECT_EQ(pair.b.downs[0].second, "net_tick_timeout");
  EXPECT_LE(pair.b.downs[0].first - began, 6s);
}

TEST(Bulk, ASenderNobodyReadsIsCutOffByTheReceiver) {
  // Facts section 4, "unread a->b": a is suspended, b hears nothing and says net_tick_timeout, a
  // sees connection_closed.
  Pair pair(8);
  pair.lab.hold(pair.a, pair.b);
  const Time began = pair.lab.world.now();
  for (int i = 0; i < 60; ++i) pair.a.send_to(pair.b.name(), "sink", 100'000);
  EXPECT_GE(pair.lab.fields(pair.a, kinds::busy_dist_port, "queued").size(), 1u);
  pair.lab.world.run_for(6s);
  ASSERT_EQ(pair.b.downs.size(), 1u);
  EXPECT_EQ(pair.b.downs[0].second, "net_tick_timeout");
  EXPECT_LE(pair.b.downs[0].first - began, 5s);
  ASSERT_EQ(pair.a.downs.size(), 1u);
  EXPECT_EQ(pair.a.downs[0].second, "connection_closed");
}

}  // namespace
}  // namespace distlab::node
