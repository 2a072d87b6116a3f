// How sessions end, who notices when, and what comes after: the policies of the client against the ways a
// relay can go (facts relay-distribution.md section 1.4, F11, F12, F15).
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
using ::testing::StartsWith;
using testing::text_of;

class Loss : public ::testing::Test, public MeshWorld {
 protected:
  // From now until the client records an event of this kind.
  Duration until(const std::string& name, std::string_view kind, Duration limit = 200s) {
    const Time start = world.now();
    const size_t before = world.events_of(name, kind).size();
    EXPECT_TRUE(world.run_until([&] { return world.events_of(name, kind).size() > before; }, limit)) << kind;
    return world.now() - start;
  }
  void use(const MembershipSettings& preset) { client_settings = preset.client; }
};

// A relay that shuts down is seen at once under both presets: the documented client dies of it, that of
// 3.13 dials again by itself.
TEST_F(Loss, GracefulShutdown) {
  start_relay();
  use(documented(client_settings));
  RelayClient& dying = join("d");
  use(macula_3_13(client_settings));
  RelayClient& staying = join("s");
  bool down = false;
  relay->shutdown("upgrade", [&] { down = true; });
  EXPECT_LT(until("d", kinds::client_died), 20ms);
  world.run_for(50ms);
  EXPECT_FALSE(dying.alive());
  EXPECT_TRUE(staying.alive());
  EXPECT_FALSE(staying.connected());
  EXPECT_THAT(told("d", kinds::client_died, "reason"), ElementsAre(": disconnect: upgrade"));
  EXPECT_THAT(told("s", kinds::mesh_down, "reason"), ElementsAre("berlin: disconnect: upgrade"));
  EXPECT_TRUE(world.run_until([&] { return down; }, 1s));
  relay.reset();
  start_relay();
  EXPECT_TRUE(connect("s", 10s));
}

// A relay that dies without a word: the documented client sees it when QUIC's idle timeout is over.
TEST_F(Loss, CrashIsSeenByTheIdleTimeout) {
  use(documented(client_settings));
  start_relay();
  RelayClient& client = join("a");
  world.run_for(100s);
  crash_relay();
  const Duration noticed = until("a", kinds::client_died);
  // Counted from the first packet after the crash, which comes with the next keep-alive (RFC 9000 10.1).
  EXPECT_GT(noticed, 60s);
  EXPECT_LT(noticed, 80s);
  EXPECT_THAT(told("a", kinds::client_died, "reason"), ElementsAre(StartsWith(": idle")));
  EXPECT_FALSE(client.alive());
}

// That of 3.13 does not see the end of the connection, goes on publishing into the void, and finds out by
// PING 60 to 90 s after the crash, wherever between two PINGs it came; then it dials until there is a relay.
TEST_F(Loss, CrashIsSeenByPingOnly) {
  for (const Duration offset : {0s, 1s, 10s, 20s, 29s}) {
    MeshWorld mesh;
    mesh.client_settings = macula_3_13(mesh.client_settings).client;
    mesh.start_relay();
    RelayClient& client = mesh.join("a");
    mesh.world.run_for(60s + 100ms + offset);
    mesh.crash_relay();
    const Time crashed = mesh.world.now();
    ASSERT_TRUE(mesh.world.run_until([&] { return !client.connected(); }, 200s));
    EXPECT_GE(mesh.world.now() - crashed, 60s) << offset / 1s;
    EXPECT_LE(mesh.world.now() - crashed, 90s) << offset / 1s;
    EXPECT_THAT(mesh.told("a", kinds::mesh_down, "reason"), ElementsAre("berlin: ping_timeout"));
    mesh.restart_relay();
    EXPECT_TRUE(mesh.connect("a", 60s));
    EXPECT_TRUE(client.alive());
  }
}

// In between it says that it is connected; what it writes is lost, and counted as sent by nobody but us.
TEST_F(Loss, ADeafClientWritesIntoTheVoid) {
  use(macula_3_13(client_settings));
  start_relay();
  RelayClient& client = join("a");
  crash_relay();
  restart_relay();
  world.run_for(85s);  // the QUIC connection is over, the PING that reveals it still to come
  ASSERT_TRUE(client.connected());
  const uint64_t lost = client.stats().lost_frames;
  client.publish("x", bytes_of("y"));
  EXPECT_EQ(client.stats().lost_frames, lost + 1);
  EXPECT_EQ(outcome(client, "p"), "timeout");
  EXPECT_EQ(relay->stats().sessions, 0u);
}

// A relay that comes back with its reset key tells its old clients so: the documented one dies with the
// next packet it sends.
TEST_F(Loss, AStatelessResetIsSeen) {
  use(documented(client_settings));
  relay_settings.reset_key = std::vector<uint8_t>(32, 7);
  start_relay();
  join("a");
  world.run_for(1s);
  crash_relay();
  restart_relay();
  EXPECT_LT(until("a", kinds::client_died), 21s);
  EXPECT_THAT(told("a", kinds::client_died, "reason"), ElementsAre(StartsWith(": stateless")));
}

// A wedged relay answers QUIC and nothing else: only PING finds out.
TEST_F(Loss, AWedgedRelay) {
  for (const auto& preset : {documented(client_settings), macula_3_13(client_settings)}) {
    MeshWorld mesh;
    mesh.client_settings = preset.client;
    mesh.start_relay();
    RelayClient& client = mesh.join("a");
    mesh.world.run_for(10s);
    mesh.relay->wedge(true);
    const Time wedged = mesh.world.now();
    EXPECT_EQ(mesh.outcome(client, "p"), "timeout");
    ASSERT_TRUE(mesh.world.run_until([&] { return !client.connected(); }, 200s));
    EXPECT_GE(mesh.world.now() - wedged, 60s);
    EXPECT_LE(mesh.world.now() - wedged, 90s);
    EXPECT_EQ(mesh.told("a", kinds::mesh_down, "reason").at(0), "berlin: ping_timeout");
    EXPECT_GT(mesh.relay->stats().dropped[size_t(DropReason::wedged)].messages, 0u);
  }
}

// A client that is killed says goodbye by QUIC; its calls end, its routes go.
TEST_F(Loss, AKilledClient) {
  start_relay();
  std::string died;
  RelayClient& a = add_client("a", {.on_died = [&](const std::string& reason) { died = reason; }});
  connect("a");
  a.subscribe("x", [](Bytes) {});
  a.advertise("p", [](const Json&, const Client::Reply&) {});
  RelayClient& b = join("b");
  b.advertise("q", [](const Json&, const Client::Reply&) {});
  world.run_for(100ms);
  std::vector<std::string> ended;
  a.call("q", nullptr, 5s, [&](const CallResult& result) { ended.push_back(result.error().code); });
  a.kill("test");
  EXPECT_THAT(ended, IsEmpty());  // from the loop, not from inside kill()
  EXPECT_EQ(died, "");
  a.publish("x", bytes_of("1"));
  a.call("q", nullptr, 5s, [&](const CallResult& result) { ended.push_back(result.error().code); });
  world.run_for(11ms);
  EXPECT_THAT(ended, ElementsAre("client_down", "client_down"));
  EXPECT_EQ(died, "test");
  EXPECT_THAT(told("berlin", kinds::session_down, "reason"), ElementsAre(StartsWith("a: application 0")));
  EXPECT_EQ(relay->stats().subscriptions, 0u);
  EXPECT_EQ(outcome(b, "p"), "unknown_procedure");
}

// A node that dies without a word is missed by the relay after QUIC's idle timeout, the smaller of the two.
TEST_F(Loss, ADeadNode) {
  start_relay();
  join("a");
  hosts["a"]->kill();
  clients["a"].reset();
  EXPECT_FALSE(world.run_until([&] { return relay->stats().sessions == 0; }, 39s));
  EXPECT_TRUE(world.run_until([&] { return relay->stats().sessions == 0; }, 22s));
  EXPECT_THAT(told("berlin", kinds::session_down, "reason"), ElementsAre(StartsWith("a: idle")));
}

// A relay knows nothing of earlier sessions; the client tells it all again, late and early registrations alike.
TEST_F(Loss, ReplaysAfterAReconnect) {
  use(macula_3_13(client_settings));
  start_relay();
  RelayClient& a = join("a");
  RelayClient& b = join("b");
  std::vector<std::string> got;
  a.subscribe("kept", [&](Bytes payload) { got.push_back("kept " + text_of(payload)); });
  const auto gone = a.subscribe("gone", [&](Bytes) { got.emplace_back("gone"); });
  a.advertise("p", [](const Json&, const Client::Reply& reply) { reply(Json(1)); });
  world.run_for(100ms);
  relay->shutdown("", nullptr);
  world.run_for(500ms);
  ASSERT_FALSE(a.connected());
  a.unsubscribe(gone);
  a.subscribe("late", [&](Bytes payload) { got.push_back("late " + text_of(payload)); });
  relay.reset();
  start_relay();
  ASSERT_TRUE(connect("a", 10s));
  ASSERT_TRUE(connect("b", 10s));
  world.run_for(100ms);
  for (const char* topic : {"kept", "gone", "late"}) b.publish(topic, bytes_of("1"));
  EXPECT_EQ(outcome(b, "p"), "ok");
  EXPECT_THAT(got, ElementsAre("kept 1", "late 1"));
  EXPECT_EQ(relay->stats().subscriptions, 2u);
}

// Relays are dialled in their order, the next one after each failure; a session lasts where it is.
TEST_F(Loss, FailsOver) {
  client_settings.relays = {{"nowhere", "nowhere.test"}, {"silent", "10.9.9.9"}, {"berlin", "berlin.test"}};
  use(macula_3_13(client_settings));
  start_relay();
  add_client("a");
  ASSERT_TRUE(connect("a", 60s));
  EXPECT_THAT(told("a", kinds::mesh_failed, "reason"), ElementsAre("nowhere: lookup: nxdomain", "silent: timeout"));
  EXPECT_EQ(world.events_of("a", kinds::mesh_up)[0].event.subject, "berlin");
  // 0 s, failed; 1 s +-30 %, 10 s in vain; 2 s +-30 %.
  const Time up = *first("a", kinds::mesh_up);
  EXPECT_GT(up - run_start, 0.7s + 10s + 1.4s);
  EXPECT_LT(up - run_start, 1.3s + 10s + 2.6s + 1s);
}

// The backoff doubles from 1 s to 30 s and wavers by 30 %, and starts anew after a success.
TEST_F(Loss, BacksOff) {
  use(macula_3_13(client_settings));
  add_client("a");
  world.run_for(400s);
  std::vector<double> waits;
  const auto events = world.events_of("a", kinds::mesh_failed);
  // A failed dial takes connect_timeout.
  for (size_t i = 1; i < events.size(); ++i) waits.push_back(to_seconds(events[i].time - events[i - 1].time - 10s));
  ASSERT_GE(waits.size(), 8u);
  double expected = 1;
  for (const double wait : waits) {
    EXPECT_GE(wait, expected * 0.7);
    EXPECT_LE(wait, expected * 1.3);
    expected = std::min(expected * 2, 30.0);
  }
  start_relay();
  ASSERT_TRUE(connect("a", 60s));
  relay->shutdown("", nullptr);
  world.run_for(100ms);
  relay.reset();
  start_relay();
  EXPECT_TRUE(connect("a", 2s));
}

// A session with the identity of another ends it: the older client is told so.
TEST_F(Loss, Replaced) {
  use(documented(client_settings));
  start_relay();
  RelayClient& old = join("a");
  TestHost& impostor = add_host("impostor");
  RelayClient fresh(impostor, settings_for("a"));
  ASSERT_TRUE(world.run_until([&] { return fresh.connected(); }, 5s));
  world.run_for(50ms);
  EXPECT_FALSE(old.alive());
  EXPECT_THAT(told("a", kinds::client_died, "reason"), ElementsAre(": disconnect: replaced"));
  EXPECT_EQ(relay->stats().sessions, 1u);
}

// A relay that refuses the realm, or has a certificate of a stranger, or another name, is told apart from
// one that does not answer; and the client goes on trying.
TEST_F(Loss, RefusalsSayWhy) {
  relay_settings.realms = {"io.other"};
  start_relay();
  add_client("realm");
  const quic::Authority stranger("somebody else", testing::secret(9));
  client_settings.tls_verify = quic::TlsVerify::peer;
  client_settings.credentials = testing::trust(stranger);
  add_client("ca");
  client_settings.credentials = testing::trust();
  client_settings.relays = {{"berlin", "10.0.0.1"}};
  add_client("name");
  world.run_for(500ms);
  EXPECT_THAT(told("realm", kinds::mesh_failed, "reason"), ElementsAre("berlin: refused: realm"));
  EXPECT_THAT(told("ca", kinds::mesh_failed, "reason"), ElementsAre(StartsWith("berlin: tls: ")));
  EXPECT_THAT(told("name", kinds::mesh_failed, "reason"), ElementsAre(StartsWith("berlin: tls: ")));
  EXPECT_THAT(told("berlin", kinds::session_refused, "reason"), ElementsAre("realm: refused: realm"));
  EXPECT_THAT(
      told("berlin", kinds::quic_failed, "reason"),
      ElementsAre(StartsWith(": tls: unknown_ca (alert 48): "), StartsWith(": tls: bad_certificate (alert 42): ")));
  EXPECT_TRUE(clients["realm"]->alive());
  world.run_for(10s);
  EXPECT_GT((relay->stats().refusals.at({kinds::quic_failed, "tls: unknown_ca (alert 48)"})), 2u);
  EXPECT_GT(clients["realm"]->stats().failures, 2u);
}

// With the right authority and name a verified relay is as good as an unverified one.
TEST_F(Loss, AVerifiedRelay) {
  start_relay();
  client_settings.tls_verify = quic::TlsVerify::peer;
  add_client("a");
  EXPECT_TRUE(connect("a", 1s));
}

}  // namespace
}  // namespace distlab::mesh
