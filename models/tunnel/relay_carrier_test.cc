#include "models/tunnel/relay_carrier.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/host/event_kinds.h"
#include "models/host/testing/peer.h"
#include "models/tunnel/request.h"
#include "models/tunnel/testing/lab.h"

namespace distlab::tunnel {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Lab;
using ::testing::SizeIs;
using testing::Station;
using Strings = std::vector<std::string>;

class RelayCarrierOfBoth : public ::testing::TestWithParam<std::string> {
 protected:
  TunnelSettings settings_ = *preset(GetParam());
};

INSTANTIATE_TEST_SUITE_P(Presets, RelayCarrierOfBoth, ::testing::Values("documented", "macula-3.13"),
                         [](const auto& preset) { return preset.param == "documented" ? "documented" : "macula"; });

TEST_P(RelayCarrierOfBoth, BytesOfDistributionPassBothWays) {
  // As they were written, in both directions, within a round trip each.
  Lab lab(settings_);
  lab.connect();
  lab.dist_a().send("send_name");
  lab.world.run_for(10ms);
  lab.dist_b().send("status ok");
  lab.world.run_for(10ms);
  EXPECT_EQ(lab.dist_b().frames, Strings{"send_name"});
  EXPECT_EQ(lab.dist_a().frames, Strings{"status ok"});

  const auto bulk = conformance::pattern(1'000'000);
  lab.dist_a().send({reinterpret_cast<const char*>(bulk.data()), bulk.size()});
  lab.world.run_for(1s);
  ASSERT_EQ(lab.dist_b().frames.size(), 2u);
  EXPECT_TRUE(std::equal(bulk.begin(), bulk.end(), lab.dist_b().frames[1].begin(),
                         [](uint8_t x, char y) { return x == uint8_t(y); }));
}

TEST_P(RelayCarrierOfBoth, ATunnelIsOneCallAndTwoTopics) {
  // Facts section 1.2: the id is 24 characters of base64, the asking side sends to `.out`, a tick of 4
  // bytes is a message of 32.
  Lab lab(settings_);
  lab.connect();
  const auto of_a = lab.a.carrier->tunnel_metrics(), of_b = lab.b.carrier->tunnel_metrics();
  ASSERT_THAT(of_a, SizeIs(1));
  ASSERT_THAT(of_b, SizeIs(1));
  EXPECT_EQ(of_a[0].id.size(), 24u);
  EXPECT_EQ(of_a[0].id, of_b[0].id);
  EXPECT_EQ(of_a[0].peer + " " + of_b[0].peer, "b@host a@host");
  EXPECT_EQ(of_a[0].direction, Direction::out);
  EXPECT_EQ(of_b[0].direction, Direction::in);

  const std::vector<uint8_t> tick(4);
  lab.dist_a().write(tick);
  lab.world.run_for(10ms);
  lab.dist_b().write(tick);
  lab.world.run_for(10ms);
  ASSERT_THAT(lab.broker.carried, SizeIs(2));
  EXPECT_EQ(lab.broker.carried[0].topic, "_dist.data." + of_a[0].id + ".out");
  EXPECT_EQ(lab.broker.carried[1].topic, "_dist.data." + of_a[0].id + ".in");
  EXPECT_EQ(lab.broker.carried[0].payload.size(), 32u);
}

TEST_P(RelayCarrierOfBoth, NothingReadableCrossesTheMesh) {
  // Names and payload are in none of the messages the relay carries.
  Lab lab(settings_);
  lab.connect();
  const Strings words{"gen_server", "rex", "a@host", "hello world"};
  for (int i = 0; i < 50; ++i) {
    for (const auto& word : words) lab.dist_a().send(word);
    lab.world.run_for(10ms);
  }
  EXPECT_THAT(lab.dist_b().frames, SizeIs(200));
  size_t bytes = 0;
  for (const auto& message : lab.broker.carried) {
    const std::string text(message.payload.begin(), message.payload.end());
    for (const auto& word : words) EXPECT_EQ(text.find(word), std::string::npos) << word;
    bytes += message.payload.size();
  }
  EXPECT_GT(bytes, 50 * (4 * 4 + 33u));
}

TEST_P(RelayCarrierOfBoth, TheRecordTellsTheLifeOfATunnel) {
  // Opened, running, stopped, counted, closed, on both sides; the peer's side only when its own
  // distribution closes, as nothing tells it (facts section 1.2 step 8).
  Lab lab(settings_);
  lab.connect();
  lab.dist_a().send("hello");
  lab.world.run_for(1s);
  lab.dist_a().close();
  lab.world.run_for(1h);
  EXPECT_THAT(lab.events(lab.a, kinds::tunnel_opened), ElementsAre("b@host: direction=out elapsed_ns=4000000"));
  EXPECT_THAT(lab.events(lab.a, kinds::bridge_state),
              ElementsAre("b@host: state=running reason=socket_ready", "b@host: state=stopped reason=closed"));
  EXPECT_THAT(lab.events(lab.a, kinds::tunnel_metrics),
              ElementsAre("b@host: bytes_out=9 bytes_in=0 msgs_out=1 msgs_in=0 accepted=9 delivered=0"));
  EXPECT_THAT(lab.events(lab.a, kinds::tunnel_closed), ElementsAre("b@host: reason=closed"));
  EXPECT_EQ(lab.a.carrier->tunnels(), 0u);
  EXPECT_EQ(lab.a.client->subscriptions(), 0u);

  EXPECT_EQ(lab.b.carrier->tunnels(), 1u);
  EXPECT_FALSE(lab.dist_b().closed);
  lab.dist_b().close();
  lab.world.run_for(1ms);
  EXPECT_THAT(lab.events(lab.b, kinds::tunnel_metrics),
              ElementsAre("a@host: bytes_out=0 bytes_in=9 msgs_out=0 msgs_in=1 accepted=0 delivered=9"));
  EXPECT_EQ(lab.b.carrier->tunnels(), 0u);
  EXPECT_EQ(lab.b.client->subscriptions(), 0u);
}

TEST_P(RelayCarrierOfBoth, TheCreationIsAlwaysTheSame) {
  // listen/1 returns 1, for every incarnation (facts section 4), and needs no client.
  TestWorld world;
  testing::Broker broker(world);
  TestHost& host = world.add_host("a", Ipv4{0x0a000001});
  mesh::ClientSlot slot;
  RelayCarrier carrier(host, settings_, slot, [](auto) { return "c"; });
  std::optional<tl::expected<uint32_t, NetError>> creation;
  carrier.listen(
      "a@host", [](auto) {}, [&](auto outcome) { creation = outcome; });
  EXPECT_FALSE(creation);
  world.run_for(1ms);
  ASSERT_TRUE(creation && *creation);
  EXPECT_EQ(**creation, 1u);
}

TEST_P(RelayCarrierOfBoth, FailuresSayWhere) {
  // No client, nobody of that name, and no answer in time: dist_timeout of the preset.
  Lab lab(settings_);
  const auto unknown = lab.dial(lab.a, "c@host");
  lab.world.run_for(10ms);
  ASSERT_TRUE(unknown->error);
  EXPECT_EQ(unknown->error->step, "request: unknown_procedure");
  EXPECT_EQ(unknown->error->error, NetError::not_found);

  lab.broker.mute = true;
  const auto mute = lab.dial(lab.a, lab.b.name);
  lab.world.run_for(settings_.dist_timeout - 1ns);
  EXPECT_EQ(mute->told, 0);
  lab.world.run_for(1ns);
  ASSERT_TRUE(mute->error);
  EXPECT_EQ(mute->error->step, "request: timeout");
  EXPECT_EQ(mute->error->error, NetError::timed_out);

  const auto killed = lab.dial(lab.a, lab.b.name);
  lab.a.kill_client();
  lab.world.run_for(1ms);
  ASSERT_TRUE(killed->error);
  EXPECT_EQ(killed->error->step, "request: client_down");

  const auto none = lab.dial(lab.a, lab.b.name);
  EXPECT_EQ(none->told, 0) << "from inside dial()";
  lab.world.run_for(1ms);
  ASSERT_TRUE(none->error);
  EXPECT_EQ(none->error->step, "client");
  EXPECT_THAT(lab.values(lab.a, kinds::tunnel_failed, "reason"),
              ElementsAre("request: unknown_procedure", "request: timeout", "request: client_down", "client"));
}

TEST_P(RelayCarrierOfBoth, ADialCanBeGivenUpAtAnyMoment) {
  // As the set-up timer does it: no callback follows, and no tunnel stays at this side.
  for (Duration after{0}; after < 6ms; after += 500us) {
    Lab lab(settings_);
    const auto dialled = lab.dial(lab.a, lab.b.name);
    lab.world.run_for(after);
    if (dialled->told > 0) continue;
    dialled->dial.reset();
    lab.world.run_for(1min);
    EXPECT_EQ(dialled->told, 0);
    EXPECT_EQ(lab.a.carrier->tunnels(), 0u);
  }
}

TEST_P(RelayCarrierOfBoth, ALaterClientIsReachableToo) {
  // Killed and registered again: new tunnels come about (facts section 1.4, join_mesh/1 advertises).
  Lab lab(settings_);
  lab.b.kill_client();
  const auto before = lab.dial(lab.a, lab.b.name);
  lab.world.run_for(1s);
  ASSERT_TRUE(before->error);
  lab.b.register_client();
  lab.world.run_for(1s);
  lab.connect();
  EXPECT_EQ(lab.b.client->procedures(), 1u);
}

TEST_P(RelayCarrierOfBoth, HostileRequestsAreRefused) {
  // Bodies that are none; the name in them is only what the asker says.
  Lab lab(settings_);
  const auto stranger = lab.broker.connect(lab.a.host);
  const std::vector<mesh::Json> bodies{nullptr,
                                       7,
                                       "text",
                                       mesh::Json::array({1, 2}),
                                       {{"from_node", 5}},
                                       {{"from_node", std::string(2000, 'x')}},
                                       {{"from_node", "a\nb"}}};
  int refused = 0;
  for (const auto& body : bodies) {
    stranger->call(procedure_of(lab.b.name), body, 5s,
                   [&](const mesh::CallResult& result) { refused += !result && result.error().code == "bad_request"; });
  }
  lab.world.run_for(1s);
  EXPECT_EQ(refused, int(bodies.size()));
  EXPECT_EQ(lab.b.carrier->tunnels() + lab.b.carrier->being_accepted(), 0u);
  EXPECT_THAT(lab.events(lab.b, kinds::tunnel_failed), ElementsAre("?: reason=bad_request elapsed_ns=0"));

  std::optional<mesh::CallResult> nameless;
  stranger->call(procedure_of(lab.b.name), mesh::Json::object(), 5s, [&](auto result) { nameless = result; });
  lab.world.run_for(1s);
  ASSERT_TRUE(nameless && *nameless);
  EXPECT_EQ(lab.b.carrier->tunnel_metrics().at(0).peer, "?");
}

TEST_P(RelayCarrierOfBoth, HostileAnswersAreErrors) {
  // What a callee may say instead of a tunnel.
  Lab lab(settings_);
  const auto stranger = lab.broker.connect(lab.b.host);
  const std::vector<std::pair<mesh::Json, std::string>> answers{
      {nullptr, "request: unexpected_result"},
      {{{"tunnel_id", 5}}, "request: unexpected_result"},
      {{{"tunnel_id", ""}}, "request: unexpected_result"},
      {{{"tunnel_id", std::string(65, 'x')}}, "request: unexpected_result"},
      {{{"error", "no_mesh_client"}}, "request: no_mesh_client"},
      {{{"error", std::string(5000, 'x')}}, "request: " + std::string(200, 'x') + "..."},
  };
  for (const auto& [answer, step] : answers) {
    stranger->advertise(procedure_of("evil@host"),
                        [body = answer](const mesh::Json&, const auto& reply) { reply(body); });
    lab.world.run_for(10ms);
    const auto dialled = lab.dial(lab.a, "evil@host");
    lab.world.run_for(1s);
    ASSERT_TRUE(dialled->error);
    EXPECT_EQ(dialled->error->step, step);
    EXPECT_EQ(dialled->error->error, NetError::refused);
  }
}

TEST_P(RelayCarrierOfBoth, AFloodOfRequestsMeetsTheLimit) {
  // F16: without a limit each request would cost a process and two sockets.
  settings_.max_tunnels = 20;
  Lab lab(settings_);
  const auto stranger = lab.broker.connect(lab.a.host);
  int granted = 0, refused = 0;
  for (int i = 0; i < 1000; ++i) {
    stranger->call(procedure_of(lab.b.name), request_body("evil@host", lab.b.name), 5s, [&](const auto& result) {
      ++(result ? granted : refused);
      EXPECT_TRUE(result || result.error().code == "limit");
    });
  }
  lab.world.run_for(1s);
  EXPECT_EQ(granted, 20);
  EXPECT_EQ(refused, 980);
  EXPECT_EQ(lab.b.carrier->tunnels(), 20u);
  EXPECT_THAT(lab.events(lab.b, kinds::tunnel_failed), ElementsAre("evil@host: reason=limit elapsed_ns=0"));
  for (auto& end : lab.b.ends) end->close();  // as the set-up timers do it after 7 s
  lab.world.run_for(1s);
  lab.b.ends.clear();
  lab.connect();
}

TEST_P(RelayCarrierOfBoth, ANodeDiesWithoutAWord) {
  // Destroyed in the middle of traffic and of accepting: nothing is recorded, nothing is left behind.
  Lab lab(settings_);
  lab.connect();
  lab.dist_a().send("hello");
  const auto dialled = lab.dial(lab.a, lab.b.name);
  lab.world.run_for(2100us);
  const size_t events = lab.world.events_of("b", "").size();
  lab.b.ends.clear();
  lab.b.carrier.reset();
  EXPECT_EQ(lab.world.events_of("b", "").size(), events);
  EXPECT_EQ(lab.b.client->subscriptions() + lab.b.client->procedures(), 0u);
  lab.world.run_for(1min);
}

}  // namespace
}  // namespace distlab::tunnel
