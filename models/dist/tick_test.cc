#include "models/dist/tick.h"

#include <chrono>
#include <deque>
#include <optional>
#include <tuple>

#include <gtest/gtest.h>

#include "models/dist/channel.h"

namespace distlab::dist {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds never{1'000'000'000};
constexpr TickStats after_handshake{2, 3, 0};  // the initiator's share of a handshake: 3 out, 2 in

// One end of a simulated connection: its tick counter, the phase of its net_kernel's ticker, and
// what is on the way to it.
struct End {
  TickCounter counter;
  milliseconds next_tick;
  milliseconds interval;
  TickStats stats = after_handshake;
  std::deque<milliseconds> arrivals;
  std::optional<milliseconds> down;
  int ticks_written = 0;
};

struct Link {
  milliseconds delay{1};
  milliseconds cut_a_to_b = never, cut_b_to_a = never;  // from then on nothing leaves
  milliseconds hold_from = never, hold_to = never;      // what leaves in between arrives at hold_to
  milliseconds a_sends_every{0};                        // traffic besides ticks
};

void send(End& from, End& to, milliseconds now, milliseconds cut, const Link& link) {
  ++from.stats.sent_frames;
  if (now >= cut) return;
  const bool held = now + link.delay >= link.hold_from && now + link.delay < link.hold_to;
  to.arrivals.push_back(held ? link.hold_to : now + link.delay);
}

void tick(End& self, End& peer, milliseconds now, milliseconds cut, const Link& link) {
  if (self.down || now != self.next_tick) return;
  self.next_tick += self.interval;
  switch (self.counter.on_tick(self.stats)) {
    case TickAction::nothing:
      break;
    case TickAction::write_tick:
      ++self.ticks_written;
      send(self, peer, now, cut, link);
      break;
    case TickAction::not_responding:
      self.down = now;
      break;
  }
}

void receive(End& self, milliseconds now) {
  while (!self.arrivals.empty() && self.arrivals.front() <= now) {
    self.arrivals.pop_front();
    ++self.stats.received_frames;
  }
}

void run(End& a, End& b, const Link& link, milliseconds until) {
  for (milliseconds now{0}; now <= until; ++now) {
    receive(a, now);
    receive(b, now);
    if (link.a_sends_every.count() > 0 && now % link.a_sends_every == milliseconds{0}) {
      send(a, b, now, link.cut_a_to_b, link);
    }
    tick(a, b, now, link.cut_a_to_b, link);
    tick(b, a, now, link.cut_b_to_a, link);
  }
}

End end(milliseconds ticktime, uint32_t intensity, milliseconds phase, bool hidden = false) {
  return {TickCounter(intensity, hidden), phase, ticktime / intensity, after_handshake, {}, {}, 0};
}

class Detection : public ::testing::TestWithParam<std::tuple<int, int>> {};

// For every phase of both tickers and of the fault, a silent peer is found out after T -+ T/I, and
// an idle but healthy one never (net_kernel's documentation; facts, table of detection times).
TEST_P(Detection, LiesWithinTheBounds) {
  const milliseconds ticktime{std::get<0>(GetParam())};
  const auto intensity = uint32_t(std::get<1>(GetParam()));
  const milliseconds interval = ticktime / intensity, slack{2};
  for (int a_phase = 0; a_phase < 5; ++a_phase) {
    for (int fault_phase = 0; fault_phase < 5; ++fault_phase) {
      End a = end(ticktime, intensity, interval * a_phase / 5 + milliseconds{1});
      End b = end(ticktime, intensity, interval);
      Link link;
      const milliseconds fault = 3 * ticktime + interval * fault_phase / 5;
      link.cut_a_to_b = link.cut_b_to_a = fault;
      run(a, b, link, fault + 2 * ticktime);
      for (const End* e : {&a, &b}) {
        ASSERT_TRUE(e->down);
        EXPECT_GE(*e->down - fault, ticktime - interval - slack);
        EXPECT_LE(*e->down - fault, ticktime + interval + slack);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Grid, Detection,
                         ::testing::Combine(::testing::Values(800, 4000, 16000), ::testing::Values(4, 5, 16, 100)));

// One way silent: the side that hears nothing goes down within the bounds, the other does not notice.
TEST(TickCounter, OneWaySilenceIsNoticedByTheDeafSide) {
  End a = end(milliseconds{4000}, 4, milliseconds{300}), b = end(milliseconds{4000}, 4, milliseconds{900});
  Link link;
  link.cut_a_to_b = milliseconds{10'000};
  run(a, b, link, milliseconds{16'000});
  ASSERT_TRUE(b.down);
  EXPECT_GE(*b.down, milliseconds{13'000});
  EXPECT_LE(*b.down, milliseconds{15'000});
}

// Idle: one tick per T/I each way; traffic suppresses ticks in its own direction only.
TEST(TickCounter, TrafficSuppressesTicksInItsDirectionOnly) {
  End a = end(milliseconds{4000}, 4, milliseconds{300}), b = end(milliseconds{4000}, 4, milliseconds{900});
  run(a, b, {}, milliseconds{20'000});
  EXPECT_GE(a.ticks_written, 18);
  EXPECT_LE(a.ticks_written, 20);
  EXPECT_GE(b.ticks_written, 18);

  End c = end(milliseconds{4000}, 4, milliseconds{300}), d = end(milliseconds{4000}, 4, milliseconds{900});
  Link busy;
  busy.a_sends_every = milliseconds{400};
  run(c, d, busy, milliseconds{20'000});
  EXPECT_EQ(c.ticks_written, 0);
  EXPECT_GE(d.ticks_written, 18);
}

// The facts' stall rows for T=4, I=4: everything held back for 3 s is survived at every phase, for
// 5 s at none.
TEST(TickCounter, StallThenRelease) {
  for (int phase = 0; phase < 10; ++phase) {
    for (const int stall : {3000, 5000}) {
      End a = end(milliseconds{4000}, 4, milliseconds{100 * phase + 5});
      End b = end(milliseconds{4000}, 4, milliseconds{555});
      Link link;
      link.hold_from = milliseconds{10'050};
      link.hold_to = link.hold_from + milliseconds{stall};
      run(a, b, link, milliseconds{30'000});
      EXPECT_EQ(a.down || b.down, stall == 5000) << "phase " << phase << " stall " << stall;
    }
  }
}

// A healthy peer with four times our tick time is dropped (facts: a=4, b=16, at +4.6 s): its first
// tick writes nothing, because the handshake's packets count as written, and the second is too late.
TEST(TickCounter, ASlowerPeerIsDropped) {
  for (int phase = 400; phase < 4000; phase += 300) {
    End a = end(milliseconds{4000}, 4, milliseconds{300}), b = end(milliseconds{16'000}, 4, milliseconds{phase});
    run(a, b, {}, milliseconds{12'000});
    ASSERT_TRUE(a.down) << phase;
    EXPECT_LE(*a.down, milliseconds{9000}) << phase;
    EXPECT_FALSE(b.down) << phase;
  }
}

// Ticks that piled up during a slow set-up are all handled at nodeup: with I=4 the fifth one kills
// (facts section 4, "latency at set-up kills").
TEST(TickCounter, TicksQueuedDuringSetUpCount) {
  TickCounter counter(4, false);
  TickStats stats = after_handshake;
  for (int i = 0; i < 4; ++i) {
    ASSERT_NE(counter.on_tick(stats), TickAction::not_responding) << i;
    stats.sent_frames = after_handshake.sent_frames + 1;
  }
  EXPECT_EQ(counter.on_tick(stats), TickAction::not_responding);
}

// A carrier whose counters start at zero at nodeup never times out a peer that was silent from the
// start (facts section 2): #tick.ticked stays 0 and no tick number is 0.
TEST(TickCounter, CountersFromZeroNeverTimeOutASilentPeer) {
  TickCounter counter(4, false);
  TickStats stats;
  for (int i = 0; i < 100; ++i) {
    const auto action = counter.on_tick(stats);
    ASSERT_NE(action, TickAction::not_responding);
    if (action == TickAction::write_tick) ++stats.sent_frames;
  }
}

// A tick is due if nothing was written and nothing waits; to a hidden node also if nothing was read.
TEST(TickCounter, WhenATickIsWritten) {
  const TickStats start{5, 5, 0};
  const auto second = [&](bool hidden, TickStats later) {
    TickCounter counter(4, hidden);
    EXPECT_EQ(counter.on_tick(start), TickAction::nothing);  // the handshake's packets are news
    return counter.on_tick(later);
  };
  EXPECT_EQ(second(false, {5, 5, 0}), TickAction::write_tick);
  EXPECT_EQ(second(false, {5, 6, 0}), TickAction::nothing);
  EXPECT_EQ(second(false, {5, 5, 100}), TickAction::nothing);
  EXPECT_EQ(second(true, {5, 6, 0}), TickAction::write_tick);
  EXPECT_EQ(second(true, {5, 5, 100}), TickAction::write_tick);
  EXPECT_EQ(second(true, {6, 6, 0}), TickAction::nothing);
}

// aux_tick: always to a hidden node, else only if nothing waits to be written.
TEST(TickCounter, AuxTick) {
  EXPECT_TRUE(TickCounter(4, false).on_aux_tick({1, 1, 0}));
  EXPECT_FALSE(TickCounter(4, false).on_aux_tick({1, 1, 9}));
  EXPECT_TRUE(TickCounter(4, true).on_aux_tick({1, 1, 9}));
}

}  // namespace
}  // namespace distlab::dist
