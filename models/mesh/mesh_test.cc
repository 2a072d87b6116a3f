// A relay and its clients over real QUIC: what a node can do through them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/mesh/testing/mesh_world.h"

namespace distlab::mesh {
namespace {

using namespace std::chrono_literals;
using testing::bytes_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::MeshWorld;
using testing::text_of;

class Mesh : public ::testing::Test, public MeshWorld {};

// A client connects in two round trips of QUIC and one of CONNECT, and both sides record it.
TEST_F(Mesh, Connects) {
  start_relay();
  add_client("a");
  ASSERT_TRUE(connect("a", 1s));
  EXPECT_EQ(relay->stats().sessions, 1u);
  EXPECT_THAT(told("berlin", kinds::session_up, "realm"), ElementsAre("a: io.macula"));
  const auto up = world.events_of("a", kinds::mesh_up);
  ASSERT_EQ(up.size(), 1u);
  EXPECT_EQ(up[0].event.subject, "berlin");
  EXPECT_EQ(world.events_of("a", kinds::client_started).size(), 1u);
}

// What one client offers another can call, with arguments and answer carried faithfully.
TEST_F(Mesh, CallsAProcedure) {
  start_relay();
  RelayClient& a = join("a");
  RelayClient& b = join("b");
  b.advertise("_dist.tunnel.b", [](const Json& args, const Client::Reply& reply) {
    reply(Json{{"echo", args}, {"blob", Json::binary({1, 2, 3})}});
  });
  world.run_for(100ms);
  const auto result = call(a, "_dist.tunnel.b", {{"from_node", "a"}, {"n", -3}});
  ASSERT_TRUE(result && *result);
  EXPECT_EQ((**result)["echo"], (Json{{"from_node", "a"}, {"n", -3}}));
  EXPECT_EQ((**result)["blob"], Json::binary({1, 2, 3}));
  EXPECT_EQ(relay->stats().calls, 0u);
}

// A published payload reaches every subscriber once, in order, and nobody else.
TEST_F(Mesh, PublishesToSubscribers) {
  start_relay();
  RelayClient& a = join("a");
  RelayClient& b = join("b");
  RelayClient& c = join("c");
  std::vector<std::string> at_b, at_c;
  b.subscribe("x", [&](Bytes payload) { at_b.push_back(text_of(payload)); });
  c.subscribe("y", [&](Bytes payload) { at_c.push_back(text_of(payload)); });
  world.run_for(100ms);
  for (int i = 0; i < 3; ++i) a.publish("x", bytes_of(std::to_string(i)));
  world.run_for(100ms);
  EXPECT_THAT(at_b, ElementsAre("0", "1", "2"));
  EXPECT_THAT(at_c, IsEmpty());
}

// Another realm does not see a procedure, and is told so in one round trip.
TEST_F(Mesh, RealmsAreApart) {
  start_relay();
  RelayClient& here = join("a");
  here.advertise("p", [](const Json&, const Client::Reply& reply) { reply(Json(1)); });
  client_settings.realm = "io.other";
  RelayClient& there = join("b");
  size_t heard = 0;
  there.subscribe("x", [&](Bytes) { ++heard; });
  world.run_for(100ms);
  const Time start = world.now();
  EXPECT_EQ(outcome(there, "p"), "unknown_procedure");
  EXPECT_LT(world.now() - start, 25ms);
  here.publish("x", bytes_of("1"));
  world.run_for(100ms);
  EXPECT_EQ(heard, 0u);
}

// A callee that does not answer, or dies, ends the call in time.
TEST_F(Mesh, CallsEnd) {
  start_relay();
  RelayClient& a = join("a");
  RelayClient& b = join("b");
  std::vector<Client::Reply> open;
  b.advertise("p", [&](const Json&, const Client::Reply& reply) { open.push_back(reply); });
  world.run_for(100ms);
  Time start = world.now();
  EXPECT_EQ(outcome(a, "p"), "timeout");
  EXPECT_EQ(world.now() - start, 5s);
  open[0](Json("late"));
  open[0](Json("twice"));
  world.run_for(100ms);
  // The relay still waited for the first, but nobody else.
  EXPECT_EQ(relay->stats().calls, 0u);
  EXPECT_EQ(relay->stats().dropped[size_t(DropReason::late_reply)].messages, 0u);
  start = world.now();
  world.after(1s, [&] { b.kill("test"); });
  EXPECT_EQ(outcome(a, "p", 10s), "callee_gone");
  EXPECT_LT(world.now() - start, 1100ms);
  clients["b"].reset();
  open.back()(Json("from the grave"));
}

// Answers may come in any order and as errors, and a client may call itself.
TEST_F(Mesh, AnswersInAnyOrder) {
  start_relay();
  RelayClient& a = join("a");
  std::vector<Client::Reply> open;
  a.advertise("p", [&](const Json&, const Client::Reply& reply) { open.push_back(reply); });
  std::vector<std::string> answers;
  for (int i = 0; i < 2; ++i) {
    a.call("p", i, 5s,
           [&](const CallResult& result) { answers.push_back(result ? result->dump() : result.error().code); });
  }
  ASSERT_TRUE(world.run_until([&] { return open.size() == 2; }, 1s));
  open[1](Json("second"));
  open[0](tl::unexpected(CallError{"busy", "later"}));
  world.run_for(100ms);
  EXPECT_THAT(answers, ElementsAre("\"second\"", "busy"));
}

// A client takes only so many calls at a time, and no frames larger than its limit; it says so.
TEST_F(Mesh, ClientLimits) {
  start_relay();
  RelayClient& a = join("a");
  client_settings.answering = 2;
  client_settings.frame_bytes = 1000;
  RelayClient& b = join("b");
  b.advertise("slow", [](const Json&, const Client::Reply&) {});
  b.advertise("large", [](const Json&, const Client::Reply& reply) { reply(Json(std::string(2000, 'x'))); });
  world.run_for(100ms);
  EXPECT_EQ(outcome(a, "large"), "limit");
  EXPECT_EQ(outcome(a, "slow"), "timeout");
  EXPECT_EQ(outcome(a, "slow"), "timeout");
  EXPECT_EQ(outcome(a, "slow"), "limit");
  EXPECT_EQ(outcome(b, std::string(2000, 'p')), "limit");
  b.publish("x", std::vector<uint8_t>(2000));
  EXPECT_EQ(b.stats().dropped_oversize, 1u);
  EXPECT_TRUE(b.alive());
}

// A new certificate holds for new sessions; those that are there go on with the old one.
TEST_F(Mesh, RenewsItsCertificate) {
  const quic::Authority other("another CA", testing::secret(9));
  start_relay();
  client_settings.tls_verify = quic::TlsVerify::peer;
  RelayClient& early = join("early");
  early.advertise("echo", [](const Json& args, const Client::Reply& reply) { reply(args); });
  relay->set_credentials(
      quic::ServerCredentials::load(other.issue({"berlin.test", {"berlin.test"}, false}, testing::secret(10))).value());
  add_client("late");
  EXPECT_FALSE(connect("late"));  // it does not know the new authority
  client_settings.credentials = testing::trust(other);
  RelayClient& told = join("told");
  EXPECT_TRUE(told.connected());
  EXPECT_TRUE(early.connected());
  EXPECT_EQ(outcome(told, "echo"), "ok");
}

// A procedure that is no longer offered is unknown, on the relay and, for a call on its way, at the callee.
TEST_F(Mesh, Unadvertises) {
  start_relay();
  RelayClient& a = join("a");
  RelayClient& b = join("b");
  b.advertise("p", [](const Json&, const Client::Reply& reply) { reply(Json(1)); });
  world.run_for(100ms);
  world.after(12ms, [&] { b.unadvertise("p"); });  // the call is past the relay
  EXPECT_EQ(outcome(a, "p"), "unknown_procedure");
  EXPECT_EQ(outcome(a, "p"), "unknown_procedure");
  EXPECT_EQ(relay->stats().procedures, 0u);
}

// Listeners of a topic hear each message in the order in which they came; they may come and go meanwhile.
TEST_F(Mesh, SeveralListeners) {
  start_relay();
  RelayClient& a = join("a");
  std::vector<std::string> heard;
  SubscriptionId second = SubscriptionId::none;
  a.subscribe("x", [&](Bytes payload) {
    heard.push_back("first " + text_of(payload));
    a.unsubscribe(second);
    a.subscribe("x", [&](Bytes later) { heard.push_back("late " + text_of(later)); });
  });
  second = a.subscribe("x", [&](Bytes) { heard.emplace_back("second"); });
  a.publish("x", bytes_of("1"));
  world.run_for(100ms);
  EXPECT_THAT(heard, ElementsAre("first 1"));
  a.publish("x", bytes_of("2"));
  world.run_for(100ms);
  EXPECT_THAT(heard, ElementsAre("first 1", "first 2", "late 2"));
  EXPECT_EQ(relay->stats().subscriptions, 1u);
}

// Much data arrives whole and in order, whatever frames it is cut into.
TEST_F(Mesh, BulkArrivesInOrder) {
  start_relay();
  RelayClient& a = join("a");
  RelayClient& b = join("b");
  uint64_t next = 0, bytes = 0;
  bool ordered = true;
  b.subscribe("x", [&](Bytes payload) {
    ordered = ordered && payload[0] == uint8_t(next++);
    bytes += payload.size();
  });
  world.run_for(100ms);
  uint64_t sent = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::vector<uint8_t> payload(size_t(1 + i * 7 % 3000), uint8_t(i));
    sent += payload.size();
    a.publish("x", payload);
  }
  EXPECT_TRUE(world.run_until([&] { return bytes == sent; }, 60s));
  EXPECT_TRUE(ordered);
  EXPECT_EQ(a.mailbox(), 0u);
}

// Whatever a callback is about may be destroyed in it.
TEST_F(Mesh, CallbacksMayDestroy) {
  start_relay();
  RelayClient& helper = join("helper");
  helper.advertise("p", [](const Json&, const Client::Reply& reply) { reply(Json(1)); });
  const auto gone = [&](const std::string& name) { return clients[name] == nullptr; };
  const auto destroy = [&](const std::string& name) { clients[name].reset(); };

  add_client("connected", {.on_connected = [&] { destroy("connected"); }});
  EXPECT_TRUE(world.run_until([&] { return gone("connected"); }, 1s));

  add_client("died", {.on_died = [&](const std::string&) { destroy("died"); }}).kill("test");
  EXPECT_TRUE(world.run_until([&] { return gone("died"); }, 1s));

  join("payload").subscribe("x", [&](Bytes) { destroy("payload"); });
  world.run_for(100ms);
  for (int i = 0; i < 3; ++i) helper.publish("x", bytes_of("1"));
  EXPECT_TRUE(world.run_until([&] { return gone("payload"); }, 1s));

  join("answer").call("p", nullptr, 1s, [&](const CallResult&) { destroy("answer"); });
  EXPECT_TRUE(world.run_until([&] { return gone("answer"); }, 1s));

  join("timeout").call("p", nullptr, 1ms, [&](const CallResult&) { destroy("timeout"); });
  EXPECT_TRUE(world.run_until([&] { return gone("timeout"); }, 1s));

  join("callee").advertise("q", [&](const Json&, const Client::Reply&) { destroy("callee"); });
  world.run_for(100ms);
  helper.call("q", nullptr, 1s, [](const CallResult&) {});
  EXPECT_TRUE(world.run_until([&] { return gone("callee"); }, 1s));

  client_settings = macula_3_13(client_settings).client;
  add_client("disconnected", {.on_disconnected = [&](const std::string&) { destroy("disconnected"); }});
  connect("disconnected");
  relay->shutdown("", [&] { relay.reset(); });
  EXPECT_TRUE(world.run_until([&] { return gone("disconnected") && !relay; }, 5s));
}

// The same seed gives the same events at the same times.
TEST_F(Mesh, IsDeterministic) {
  const auto run = [](uint64_t seed) {
    MeshWorld mesh(seed);
    mesh.client_settings = macula_3_13(mesh.client_settings).client;
    mesh.start_relay();
    RelayClient& a = mesh.join("a");
    mesh.join("b").subscribe("x", [](Bytes) {});
    for (int i = 0; i < 50; ++i) {
      a.publish("x", std::vector<uint8_t>(500));
      mesh.world.run_for(10ms);
    }
    mesh.crash_relay();
    mesh.world.run_for(100s);
    mesh.restart_relay();
    mesh.world.run_for(60s);
    std::string trace;
    for (const auto& [time, host, event] : mesh.world.events()) {
      trace += std::to_string(time.time_since_epoch().count()) + host + std::string(event.kind) + event.subject + "\n";
    }
    return trace;
  };
  const std::string first = run(1);
  EXPECT_EQ(first, run(1));
  EXPECT_NE(first, run(2));
}

}  // namespace
}  // namespace distlab::mesh
