#include "models/tunnel/bridge.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/host/event_kinds.h"
#include "models/host/testing/peer.h"
#include "models/tunnel/testing/lab.h"

namespace distlab::tunnel {
namespace {

using namespace std::chrono_literals;
using conformance::pattern;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Lab;
using ::testing::SizeIs;
using Strings = std::vector<std::string>;

TunnelSnapshot tunnel_of(const testing::Station& station) {
  return station.carrier->tunnel_metrics().at(0);
}
// Whoever knows the topic can send to it.
void inject(Lab& lab, const std::string& topic, Bytes bytes) {
  const auto stranger = lab.broker.connect(lab.b.host);
  stranger->publish(topic, bytes);
  lab.world.run_for(10ms);
}

TEST(Bridge, EveryMessageCountsOnBothSides) {
  // bytes and msgs as get_tunnel_metrics/1 counts them, plaintext; and what was accepted and delivered.
  Lab lab;
  lab.connect();
  lab.dist_a().write(pattern(5000));
  lab.world.run_for(10ms);
  lab.dist_b().write(pattern(10));
  lab.world.run_for(10ms);
  const auto id = tunnel_of(lab.a).id;
  const auto a = lab.a.carrier->tunnel_metrics(id)->metrics, b = lab.b.carrier->tunnel_metrics(id)->metrics;
  EXPECT_EQ(a.bytes_out, 5000u);
  EXPECT_EQ(a.msgs_out, 4u);  // of at most 1460 bytes
  EXPECT_EQ(a.accepted, 5000u);
  EXPECT_EQ(b.bytes_in, 5000u);
  EXPECT_EQ(b.msgs_in, 4u);
  EXPECT_EQ(b.delivered, 5000u);
  EXPECT_EQ(b.bytes_out, 10u);
  EXPECT_EQ(a.bytes_in, 10u);
  EXPECT_EQ(a.lost + b.lost, 0u);
  EXPECT_FALSE(lab.a.carrier->tunnel_metrics("no such tunnel"));
}

TEST(Bridge, BackpressureIsOnePauseForEachMessage) {
  // Beyond 64 waiting in the client the reader sleeps 1 ms before each message, and no more than that
  // (facts section 1.4: not a bound).
  Lab lab;
  lab.connect();
  const auto spread = [&](size_t waiting) {
    lab.broker.carried.clear();
    lab.a.client->queue = waiting;
    lab.dist_a().write(pattern(10 * 1460));
    lab.world.run_for(1s);
    EXPECT_THAT(lab.broker.carried, SizeIs(10));
    return lab.broker.carried.back().time - lab.broker.carried.front().time;
  };
  EXPECT_EQ(spread(64), 0ms);
  EXPECT_EQ(spread(65), 9ms);
  EXPECT_EQ(spread(1'000'000), 9ms);
}

TEST(Bridge, ADistributionThatDoesNotReadFillsTheMailbox) {
  // The socket takes what its buffers hold, the rest waits in the process; all of it arrives, in order,
  // once distribution reads on.
  Lab lab;
  lab.connect();
  const auto bulk = pattern(6'000'000);
  lab.dist_b().stream().set_reading(false);
  lab.dist_a().send({reinterpret_cast<const char*>(bulk.data()), bulk.size()});
  lab.world.run_for(10s);
  EXPECT_EQ(lab.dist_a().unsent(), 0u);
  const auto held = tunnel_of(lab.b).metrics;
  EXPECT_EQ(held.delivered, 3'931'072u);
  EXPECT_GT(held.mailbox_peak, 2'000'000u);
  lab.dist_b().stream().set_reading(true);
  lab.world.run_for(1s);
  ASSERT_THAT(lab.dist_b().frames, SizeIs(1));
  EXPECT_TRUE(lab.dist_b().frames[0] == std::string(bulk.begin(), bulk.end()));
  EXPECT_EQ(tunnel_of(lab.b).metrics.delivered, 6'000'004u);
}

TEST(Bridge, TheMailboxHasALimit) {
  // A peer that floods a node that does not read ends its tunnel, not the node.
  TunnelSettings settings;
  settings.max_bridge_mailbox = 100'000;
  Lab lab(settings);
  lab.connect();
  lab.dist_b().stream().set_reading(false);
  lab.dist_a().write(pattern(3'900'000));
  lab.world.run_for(1s);
  EXPECT_EQ(lab.b.carrier->tunnels(), 1u);
  lab.dist_a().write(pattern(200'000));
  lab.world.run_for(1s);
  EXPECT_EQ(lab.b.carrier->tunnels(), 0u);
  EXPECT_THAT(lab.events(lab.b, kinds::tunnel_closed), ElementsAre("a@host: reason=mailbox"));
  ASSERT_THAT(lab.values(lab.b, kinds::tunnel_lost, "bytes"), SizeIs(1));
  EXPECT_GT(std::stoi(lab.values(lab.b, kinds::tunnel_lost, "bytes")[0]), 90'000);
  lab.dist_b().stream().set_reading(true);
  lab.world.run_for(1s);
  EXPECT_TRUE(lab.dist_b().closed);
}

TEST(Bridge, WhatDoesNotDecryptIsDropped) {
  // With a warning (facts section 1.3), and the stream goes on as if nothing had been.
  Lab lab;
  lab.connect();
  const std::string topic = "_dist.data." + tunnel_of(lab.a).id + ".out";
  inject(lab, topic, pattern(100));
  inject(lab, topic, pattern(5));
  inject(lab, topic, {});
  lab.dist_a().send("hello");
  lab.world.run_for(10ms);
  EXPECT_EQ(lab.dist_b().frames, Strings{"hello"});
  EXPECT_THAT(lab.dist_b().rest, IsEmpty());
  EXPECT_THAT(lab.events(lab.b, kinds::decrypt_failed),
              ElementsAre("a@host: bytes=100", "a@host: bytes=5", "a@host: bytes=0"));
  EXPECT_EQ(tunnel_of(lab.b).metrics.decrypt_failures, 3u);
  EXPECT_EQ(tunnel_of(lab.b).metrics.bytes_in, 9u);
}

TEST(Bridge, AFloodOfGarbageDoesNotFloodTheRecord) {
  // A thousand events for a tunnel, then only the count.
  Lab lab;
  lab.connect();
  const auto stranger = lab.broker.connect(lab.b.host);
  for (int i = 0; i < 1500; ++i) stranger->publish("_dist.data." + tunnel_of(lab.a).id + ".out", pattern(40));
  lab.world.run_for(10ms);
  EXPECT_THAT(lab.events(lab.b, kinds::decrypt_failed), SizeIs(1000));
  EXPECT_EQ(tunnel_of(lab.b).metrics.decrypt_failures, 1500u);
}

TEST(Bridge, AFailureToDecryptMayEndTheTunnel) {
  // What the real code does not do.
  TunnelSettings settings;
  settings.close_on_decrypt_failure = true;
  Lab lab(settings);
  lab.connect();
  inject(lab, "_dist.data." + tunnel_of(lab.a).id + ".out", pattern(100));
  EXPECT_TRUE(lab.dist_b().closed);
  EXPECT_THAT(lab.events(lab.b, kinds::tunnel_closed), ElementsAre("a@host: reason=decrypt_failed"));
}

TEST(Bridge, NothingBindsAMessageToItsPlace) {
  // Facts section 1.3: what was sent once opens again: replayed, sent back to where it came from, and in
  // another tunnel.
  Lab lab;
  lab.connect();
  lab.connect();
  lab.dist_a().send("pay");
  lab.world.run_for(10ms);
  const auto recorded = lab.broker.carried.at(0);
  const auto all = lab.a.carrier->tunnel_metrics();
  ASSERT_THAT(all, SizeIs(2));
  inject(lab, "_dist.data." + all[0].id + ".out", recorded.payload);
  inject(lab, "_dist.data." + all[0].id + ".in", recorded.payload);
  inject(lab, "_dist.data." + all[1].id + ".out", recorded.payload);
  EXPECT_EQ(lab.b.ends[0]->frames, (Strings{"pay", "pay"}));
  EXPECT_EQ(lab.a.ends[0]->frames, Strings{"pay"});
  EXPECT_EQ(lab.b.ends[1]->frames, Strings{"pay"});
}

TEST(Bridge, AnIdleTunnelLives) {
  // The receive's timeout of 60 s starts another receive; only before 1.4.9 it was fatal (facts 3.1).
  Lab lab;
  lab.connect();
  lab.world.run_for(1h);
  lab.dist_a().send("still here");
  lab.world.run_for(10ms);
  EXPECT_EQ(lab.dist_b().frames, Strings{"still here"});

  TunnelSettings old;
  old.recv_timeout_fatal = true;
  Lab flapping(old);
  flapping.connect();
  flapping.world.run_for(40s);
  flapping.dist_a().send("tick");  // of A only
  flapping.world.run_for(30s);
  EXPECT_FALSE(flapping.dist_a().closed);
  EXPECT_TRUE(flapping.dist_b().closed);
  EXPECT_THAT(flapping.events(flapping.b, kinds::tunnel_closed), ElementsAre("a@host: reason=timeout"));
  flapping.world.run_for(31s);
  EXPECT_TRUE(flapping.dist_a().closed);
}

TEST(Bridge, NoSideHearsOfTheOthersEnd) {
  // There is no close message (facts section 1.2 step 8); with one, the other side would know at once.
  for (const bool close_message : {false, true}) {
    TunnelSettings settings;
    settings.close_message = close_message;
    Lab lab(settings);
    lab.connect();
    lab.dist_a().send("last words");
    lab.dist_a().close();
    lab.world.run_for(10min);
    EXPECT_EQ(lab.dist_b().frames, Strings{"last words"});
    EXPECT_EQ(lab.dist_b().closed.has_value(), close_message);
    EXPECT_EQ(lab.b.carrier->tunnels(), close_message ? 0u : 1u);
    EXPECT_EQ(lab.broker.carried.size(), close_message ? 2u : 1u) << "the answer to a farewell is none";
  }
}

TEST(Bridge, WhatDistributionCannotReadAnyMoreIsLost) {
  // It closes while the bridge is blocked in its socket: the send fails, and the rest is accounted for.
  Lab lab;
  lab.connect();
  lab.dist_b().stream().set_reading(false);
  lab.dist_a().write(pattern(5'000'000));
  lab.world.run_for(10s);
  lab.dist_b().close();
  lab.world.run_for(1ms);
  EXPECT_THAT(lab.events(lab.b, kinds::tunnel_closed), ElementsAre("a@host: reason=send_error: econnreset"));
  EXPECT_THAT(lab.values(lab.b, kinds::tunnel_lost, "bytes"), ElementsAre("1068928"));
}

}  // namespace
}  // namespace distlab::tunnel
