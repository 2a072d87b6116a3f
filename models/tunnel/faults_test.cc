// What distribution sees of a mesh that loses, doubles and reorders: rows F1 to F10 of facts
// relay-distribution.md section 3.2, with frames of {packet,4} in the place of a whole dist_util.
#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/host/event_kinds.h"
#include "models/host/testing/peer.h"
#include "models/tunnel/testing/lab.h"

namespace distlab::tunnel {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Lab;
using ::testing::SizeIs;
using Strings = std::vector<std::string>;

class TunnelFaults : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { lab_.connect(); }
  void fault(MessageFaultKind kind, uint64_t nth = 1) { lab_.a.faults.add(lab_.b.name, {kind, nth}); }
  void send(const std::string& text) {
    lab_.dist_a().send(text);
    lab_.world.run_for(10ms);
  }
  // Neither side sees anything wrong in the tunnel itself.
  void expect_silence() {
    for (const auto* station : {&lab_.a, &lab_.b}) {
      EXPECT_THAT(lab_.events(*station, kinds::tunnel_lost), IsEmpty());
      EXPECT_THAT(lab_.events(*station, kinds::decrypt_failed), IsEmpty());
      EXPECT_THAT(lab_.events(*station, kinds::tunnel_closed), IsEmpty());
    }
    EXPECT_FALSE(lab_.dist_a().closed || lab_.dist_b().closed);
  }
  const TunnelMetrics a() { return lab_.a.carrier->tunnel_metrics().at(0).metrics; }
  const TunnelMetrics b() { return lab_.b.carrier->tunnel_metrics().at(0).metrics; }

  Lab lab_{*preset(GetParam())};
};
INSTANTIATE_TEST_SUITE_P(Faults, TunnelFaults, ::testing::Values("documented", "macula-3.13"),
                         [](const auto& preset) { return preset.param == "documented" ? "documented" : "macula"; });

TEST_P(TunnelFaults, F1_OneMessageLostInsideAFrameIsABlackHole) {
  // The frame's missing bytes are taken from what follows, and then a length is read where none is: all
  // later frames are swallowed, without an error.
  fault(MessageFaultKind::drop, 100);
  send(std::string(300'000, 'x'));
  EXPECT_THAT(lab_.dist_b().frames, IsEmpty());
  send(std::string(2000, 'y'));
  for (int i = 0; i < 100; ++i) send(std::string(1000, 'z'));
  EXPECT_THAT(lab_.dist_b().frames, SizeIs(1)) << "of 102: the first, with a hole";
  EXPECT_GT(lab_.dist_b().rest.size(), 100'000u);
  EXPECT_EQ(a().bytes_out - b().bytes_in, 1460u);
  expect_silence();
}

TEST_P(TunnelFaults, F2_OneSmallMessageLostIsLostSilently) {
  // It was a frame by itself: the next ones arrive as if nothing had been.
  fault(MessageFaultKind::drop);
  for (const char* text : {"one", "two", "three"}) send(text);
  EXPECT_EQ(lab_.dist_b().frames, (Strings{"two", "three"}));
  EXPECT_EQ(a().msgs_out, 3u);
  EXPECT_EQ(b().msgs_in, 2u);
  expect_silence();
}

TEST_P(TunnelFaults, F3_AnOutageLosesWholeFramesUnlessItCutsOne) {
  // 3 s without the relay, one message of 3 kB each 100 ms: whole ones are lost; one whose three parts
  // straddle the beginning takes the rest of the stream with it.
  for (const bool cut : {false, true}) {
    Lab lab(*preset(GetParam()));
    lab.connect();
    lab.a.client->queue = 65;  // 1 ms between the parts of a message
    const Time began = lab.world.now();
    lab.world.after(cut ? 1002500us : 1050ms, [&] { lab.broker.silent = true; });
    lab.world.after(4050ms, [&] { lab.broker.silent = false; });
    for (int i = 0; i < 100; ++i) {
      std::string text(3000, 'm');
      text.replace(0, 2, std::to_string(10 + i % 90));
      lab.dist_a().send(text);
      lab.world.run_for(100ms);
    }
    EXPECT_EQ(lab.world.now() - began, 10s);
    size_t whole = 0;
    for (const auto& frame : lab.dist_b().frames) {
      whole += frame.size() == 3000 && std::count(frame.begin(), frame.end(), 'm') == 2998;
    }
    EXPECT_EQ(whole, cut ? 10u : 70u);
    EXPECT_FALSE(lab.dist_a().closed || lab.dist_b().closed);
  }
}

TEST_P(TunnelFaults, F4_AnIdleTunnelSurvivesAnOutage) {
  // Only ticks are lost, frames of length nil.
  lab_.world.after(1s, [&] { lab_.broker.silent = true; });
  lab_.world.after(6s, [&] { lab_.broker.silent = false; });
  for (int i = 0; i < 10; ++i) {
    send("");
    lab_.world.run_for(990ms);
  }
  EXPECT_THAT(lab_.dist_b().frames, SizeIs(5));
  EXPECT_THAT(lab_.dist_b().rest, IsEmpty());
  expect_silence();
}

TEST_P(TunnelFaults, F5_OneMessageTwiceIsDeliveredTwice) {
  // A small one: the process it is for gets it twice. Inside a larger frame: a hole, as in F1, but the
  // other way round.
  fault(MessageFaultKind::duplicate);
  send("pay 10");
  EXPECT_EQ(lab_.dist_b().frames, (Strings{"pay 10", "pay 10"}));
  expect_silence();

  fault(MessageFaultKind::duplicate, 2);
  send(std::string(5000, 'x'));
  for (int i = 0; i < 100; ++i) send(std::string(1000, 'z'));
  EXPECT_THAT(lab_.dist_b().frames, SizeIs(3)) << "the large one, damaged, and nothing after it";
  expect_silence();
}

TEST_P(TunnelFaults, ReorderedMessagesAreDeliveredAsTheyCome) {
  // Facts section 3.1, 1.4.24: nothing numbers messages. Whole frames change places.
  fault(MessageFaultKind::swap);
  for (const char* text : {"one", "two", "three"}) send(text);
  EXPECT_EQ(lab_.dist_b().frames, (Strings{"two", "one", "three"}));
  fault(MessageFaultKind::replay);
  for (const char* text : {"four", "five", "six"}) send(text);
  EXPECT_EQ(lab_.dist_b().frames, (Strings{"two", "one", "three", "four", "five", "four", "six"}));
  expect_silence();
}

TEST_P(TunnelFaults, ACorruptMessageIsAsGoodAsALostOne) {
  // It does not decrypt; a warning is all.
  fault(MessageFaultKind::corrupt);
  for (const char* text : {"one", "two"}) send(text);
  EXPECT_EQ(lab_.dist_b().frames, Strings{"two"});
  EXPECT_THAT(lab_.events(lab_.b, kinds::decrypt_failed), ElementsAre("a@host: bytes=35"));
}

TEST_P(TunnelFaults, F7_TheOtherSideKeepsTheOldTunnel) {
  // A disconnects and connects again: a second tunnel, of another id, beside the old one, of which B's
  // distribution still thinks well.
  lab_.dist_a().close();
  lab_.world.run_for(1s);
  lab_.connect();
  EXPECT_EQ(lab_.a.carrier->tunnels(), 1u);
  EXPECT_EQ(lab_.b.carrier->tunnels(), 2u);
  EXPECT_FALSE(lab_.dist_b().closed);
  lab_.dist_b().send("to nobody");
  lab_.world.run_for(1s);
  EXPECT_THAT(lab_.a.ends.at(1)->frames, IsEmpty());
}

TEST(WrongCookie, F8_TheRequestSucceedsAndNothingElse) {
  // One "Decrypt failed" for what A says first; no byte reaches B's distribution, and nobody is told why.
  for (const auto* name : {"documented", "macula-3.13"}) {
    Lab lab(*preset(name));
    lab.a.cookie = "another";
    lab.connect();
    lab.dist_a().send("send_name");
    lab.world.run_for(10min);
    EXPECT_THAT(lab.events(lab.b, kinds::decrypt_failed), ElementsAre("a@host: bytes=41")) << name;
    EXPECT_THAT(lab.dist_b().frames, IsEmpty());
    EXPECT_THAT(lab.dist_b().rest, IsEmpty());
    EXPECT_FALSE(lab.dist_a().closed || lab.dist_b().closed);
    EXPECT_EQ(lab.b.carrier->tunnel_metrics().at(0).metrics.bytes_in, 0u);
  }
}

TEST(WrongCookie, ACookieForThePeerHelpsOnlyAsDocumented) {
  // tunnel_key/0 takes erlang:get_cookie/0, whatever erlang:set_cookie/2 has set for the peer.
  for (const auto* name : {"documented", "macula-3.13"}) {
    Lab lab(*preset(name));
    lab.a.cookie = "another";
    lab.a.cookies["b@host"] = "c";
    lab.connect();
    lab.dist_a().send("send_name");
    lab.world.run_for(1s);
    EXPECT_EQ(lab.dist_b().frames.size(), name == std::string("documented") ? 1u : 0u) << name;
  }
}

TEST(WrongCookie, AKeyLastsAsLongAsItsTunnel) {
  // A new cookie counts for new tunnels only (facts section 1.3).
  Lab lab;
  lab.connect();
  lab.a.cookie = lab.b.cookie = "new";
  lab.dist_a().send("one");
  lab.world.run_for(1s);
  EXPECT_EQ(lab.dist_b().frames, Strings{"one"});
  EXPECT_THAT(lab.events(lab.b, kinds::decrypt_failed), IsEmpty());
}

TEST(WrongCookie, TheAcceptFlushWritesCiphertextIntoTheHandshake) {
  // What arrives while the tunnel is accepted and does not decrypt goes to dist_util as it is (facts
  // section 1.3): 28 + 13 bytes of noise at the head of the stream.
  TunnelSettings settings = macula_3_13();
  settings.controller_delay = 50ms;
  int noisy = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Lab lab(settings, seed);
    lab.a.cookie = "another";
    const auto dialled = lab.dial(lab.a, lab.b.name);
    lab.world.run_until([&] { return dialled->end != nullptr; }, 1s);
    dialled->end->send("send_name");
    lab.world.run_for(10s);
    ASSERT_THAT(lab.b.ends, SizeIs(1));
    if (lab.dist_b().rest.empty() && lab.dist_b().frames.empty()) continue;
    ++noisy;
    EXPECT_EQ(lab.dist_b().rest.size(), 41u);
    EXPECT_EQ(lab.broker.carried.at(0).payload, lab.dist_b().rest);
    EXPECT_THAT(lab.events(lab.b, kinds::decrypt_failed), SizeIs(1));
  }
  EXPECT_GT(noisy, 10);
}

TEST(LateSubscription, F9_WhatComesBeforeItIsLost) {
  // A SUBSCRIBE that takes effect 20 or 200 ms late on a fast link: dist_util's first word is gone, and
  // nobody says it again.
  for (const auto* name : {"documented", "macula-3.13"}) {
    for (const Duration lag : {Duration{0}, Duration{20ms}, Duration{200ms}}) {
      Lab lab(*preset(name));
      lab.broker.subscribe_lag = lag;
      const auto dialled = lab.dial(lab.a, lab.b.name);
      lab.world.run_until([&] { return dialled->end != nullptr; }, 1s);
      dialled->end->send("send_name");
      lab.world.run_for(10min);
      ASSERT_THAT(lab.b.ends, SizeIs(1));
      EXPECT_EQ(lab.dist_b().frames.size(), lag == 0s ? 1u : 0u) << name;
      EXPECT_FALSE(lab.dist_a().closed);
    }
  }
}

TEST(LateSubscription, F10_TheAcceptingSideIsDeafForAMoment) {
  // Between unsubscribing and subscribing again. At a relay without delay dist_util's first word falls into
  // it now and then; by the documentation's words there is no such moment.
  const auto deaf = [](TunnelSettings settings) {
    int lost = 0;
    for (uint64_t seed = 1; seed <= 300; ++seed) {
      Lab lab(settings, seed);
      lab.broker.delay = 0s;
      lab.world.run_for(1ms);
      const auto dialled = lab.dial(lab.a, lab.b.name);
      lab.world.run_until([&] { return dialled->end != nullptr; }, 1s);
      lab.world.run_for(100us);  // dist_util takes a moment, too
      dialled->end->send("send_name");
      lab.world.run_for(10s);
      lost += lab.dist_b().frames.empty();
    }
    return lost;
  };
  EXPECT_EQ(deaf(documented()), 0);
  const int lost = deaf(macula_3_13());
  EXPECT_GT(lost, 10);
  EXPECT_LT(lost, 200);
}

TEST(LateSubscription, WhatComesWhileATunnelIsAcceptedIsKept) {
  // Before net_kernel has taken it, in either order of subscribing. Only in the code's order it may not
  // count as received, as its flush counts nothing.
  for (const auto* name : {"documented", "macula-3.13"}) {
    TunnelSettings settings = *preset(name);
    settings.controller_delay = 20ms;
    settings.resubscribe_gap = 0s;
    int uncounted = 0;
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      Lab lab(settings, seed);
      const auto dialled = lab.dial(lab.a, lab.b.name);
      lab.world.run_until([&] { return dialled->end != nullptr; }, 1s);
      dialled->end->send("send_name");
      lab.world.run_for(1s);
      ASSERT_THAT(lab.b.ends, SizeIs(1));
      EXPECT_EQ(lab.dist_b().frames, Strings{"send_name"}) << name << " " << seed;
      const auto metrics = lab.b.carrier->tunnel_metrics().at(0).metrics;
      EXPECT_EQ(metrics.delivered, 13u);
      uncounted += metrics.bytes_in == 0;
    }
    EXPECT_EQ(uncounted > 10, settings.resubscribe_on_accept) << uncounted;
    EXPECT_LT(uncounted, 20);
  }
}

TEST(LateSubscription, AcceptingHasItsLimits) {
  // Bytes that arrive before the bridge runs, and the time net_kernel may take.
  TunnelSettings settings = macula_3_13();
  settings.controller_delay = 1h;
  settings.controller_timeout = 30s;
  Lab lab(settings);
  const auto dialled = lab.dial(lab.a, lab.b.name);
  lab.world.run_until([&] { return dialled->end != nullptr; }, 1s);
  EXPECT_EQ(lab.b.carrier->being_accepted(), 1u);
  lab.world.run_for(31s);
  EXPECT_THAT(lab.events(lab.b, kinds::tunnel_failed),
              ElementsAre("a@host: reason=controller_timeout elapsed_ns=30000000000"));
  EXPECT_EQ(lab.b.carrier->being_accepted() + lab.b.client->subscriptions(), 0u);

  const auto again = lab.dial(lab.a, lab.b.name);
  lab.world.run_until([&] { return again->end != nullptr; }, 1s);
  again->end->write(conformance::pattern(2'000'000));
  lab.world.run_for(1s);
  EXPECT_EQ(lab.values(lab.b, kinds::tunnel_failed, "reason").back(), "limit: max_accept_buffer");
  EXPECT_EQ(lab.b.carrier->being_accepted() + lab.b.client->subscriptions(), 0u);
}

TEST(LateSubscription, ADocumentedSetUpThatTimesOutLeavesNoBridge) {
  // Its bridge listens from the start, and must go with it.
  TunnelSettings settings = documented();
  settings.controller_delay = 1h;
  Lab lab(settings);
  lab.dial(lab.a, lab.b.name);
  lab.world.run_for(10s);
  EXPECT_EQ(lab.b.carrier->tunnels(), 1u);
  lab.world.run_for(30s);
  EXPECT_EQ(lab.b.carrier->tunnels() + lab.b.client->subscriptions(), 0u);
}

}  // namespace
}  // namespace distlab::tunnel
