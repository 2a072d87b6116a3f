// What happens to a tunnel when the mesh client of one side dies: facts relay-distribution.md section 1.4
// and rows F11 and F12 of section 3.2.
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
using conformance::pattern;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Lab;
using ::testing::SizeIs;
using Strings = std::vector<std::string>;

// When the events of one kind came, counted from `since`.
std::vector<Duration> times(const Lab& lab, const testing::Station& station, std::string_view kind, Time since) {
  std::vector<Duration> out;
  for (const auto& event : lab.world.events_of(station.host.name(), kind)) {
    if (event.time >= since) out.push_back(event.time - since);
  }
  return out;
}

class ReconnectOfBoth : public ::testing::TestWithParam<std::string> {
 protected:
  TunnelSettings settings_ = *preset(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Reconnect, ReconnectOfBoth, ::testing::Values("documented", "macula-3.13"),
                         [](const auto& preset) { return preset.param == "documented" ? "documented" : "macula"; });

TEST_P(ReconnectOfBoth, ADeadClientThatStaysDeadEndsTheTunnelAfterThirtySeconds) {
  // F12: the first attempt at once, then every 2 s, 15 in all; the real bridge was measured to stop at
  // 30.03 s. The other side notices nothing.
  Lab lab(settings_);
  lab.connect();
  const Time died = lab.world.now();
  lab.a.kill_client();
  lab.world.run_for(30s - 1ns);
  EXPECT_FALSE(lab.dist_a().closed);
  lab.world.run_for(1ms);
  EXPECT_TRUE(lab.dist_a().closed);
  EXPECT_THAT(lab.events(lab.a, kinds::bridge_state),
              ElementsAre("b@host: state=running reason=socket_ready", "b@host: state=reconnecting reason=client_down",
                          "b@host: state=stopped reason=relay_reconnect_failed"));
  EXPECT_THAT(times(lab, lab.a, kinds::bridge_state, died), ElementsAre(0s, 30s));
  lab.world.run_for(1h);
  EXPECT_FALSE(lab.dist_b().closed);
  EXPECT_THAT(lab.events(lab.b, kinds::bridge_state), ElementsAre("a@host: state=running reason=socket_ready"));
}

TEST_P(ReconnectOfBoth, TheWindowIsInterval_x_Attempts) {
  // Both are parameters; a client that comes back with the last attempt is still found.
  settings_.reconnect_interval = 500ms;
  settings_.reconnect_max_attempts = 4;
  for (const bool in_time : {true, false}) {
    Lab lab(settings_);
    lab.connect();
    lab.a.kill_client();
    lab.dist_a().write(pattern(10));  // the reader does not sit in recv/3 all the time
    lab.world.run_for(in_time ? 1499ms : 1501ms);
    lab.a.register_client();
    lab.world.run_for(10s);
    EXPECT_EQ(lab.dist_a().closed.has_value(), !in_time);
    EXPECT_EQ(
        lab.events(lab.a, kinds::bridge_state).back(),
        in_time ? "b@host: state=running reason=reconnected" : "b@host: state=stopped reason=relay_reconnect_failed");
  }
}

TEST(Reconnect, DocumentedLosesNothingThatItWasGiven) {
  // F11 by the documentation's words: the client is back after 5 s, the bridge notices with its attempt
  // at 6 s, and what distribution wrote meanwhile goes out then, in order.
  Lab lab(documented());
  lab.connect();
  const Time died = lab.world.now();
  lab.a.kill_client();
  for (int second = 0; second < 10; ++second) {
    if (second == 5) lab.a.register_client();
    lab.dist_a().send("message " + std::to_string(second));
    lab.world.run_for(1s);
  }
  EXPECT_THAT(times(lab, lab.a, kinds::bridge_state, died), ElementsAre(0s, 6s));
  ASSERT_THAT(lab.dist_b().frames, SizeIs(10));
  for (int second = 0; second < 10; ++second) {
    EXPECT_EQ(lab.dist_b().frames[size_t(second)], "message " + std::to_string(second));
    EXPECT_EQ(lab.dist_b().times[size_t(second)] - died, std::max<Duration>(6s, second * 1s) + 2ms);
  }
  EXPECT_THAT(lab.events(lab.a, kinds::tunnel_lost), IsEmpty());
  const auto metrics = lab.a.carrier->tunnel_metrics().at(0).metrics;
  EXPECT_EQ(metrics.bytes_out, metrics.accepted);
}

TEST(Reconnect, EvenDocumentedLosesWhatThePeerSendsMeanwhile) {
  // The other side's client lives, so it publishes; nobody is subscribed; nobody is told.
  Lab lab(documented());
  lab.connect();
  lab.a.kill_client();
  lab.world.run_for(1s);
  lab.dist_b().send("into the void");
  lab.world.run_for(4s);
  lab.a.register_client();
  lab.world.run_for(5s);
  lab.dist_b().send("hello again");
  lab.world.run_for(1s);
  EXPECT_EQ(lab.dist_a().frames, Strings{"hello again"});
  EXPECT_THAT(lab.events(lab.b, kinds::tunnel_lost), IsEmpty());
  const auto of_b = lab.b.carrier->tunnel_metrics().at(0).metrics;
  EXPECT_EQ(of_b.bytes_out, 17u + 15u);
}

TEST(Reconnect, TheRealBridgeDiesOfItsFirstReconnect) {
  // F11 in the code: the reader sits in recv/3 when it is killed, and the one that takes its place gets
  // ealready from the driver, ends normally, and the bridge with it. "Survives transparently" it does not.
  Lab lab(macula_3_13());
  lab.connect();
  const Time died = lab.world.now();
  lab.a.kill_client();
  lab.world.run_for(5s);
  lab.a.register_client();
  lab.world.run_for(10s);
  EXPECT_TRUE(lab.dist_a().closed);
  EXPECT_FALSE(lab.dist_b().closed);
  EXPECT_THAT(times(lab, lab.a, kinds::tunnel_closed, died), ElementsAre(6s));
  EXPECT_THAT(lab.events(lab.a, kinds::tunnel_closed), ElementsAre("b@host: reason=ealready"));
}

TEST(Reconnect, UnderTrafficTheRealBridgeSurvivesAndLoses) {
  // The reader is killed in one of its sleeps, which leaves no receive behind. What it took in the meantime
  // is gone: 3 x 1 s for each message, then lost and counted as sent; the one in hand lost and not counted.
  Lab lab(macula_3_13());
  lab.connect();
  const Time died = lab.world.now();
  lab.a.kill_client();
  lab.world.run_for(500ms);
  for (int second = 0; second < 5; ++second) {
    lab.dist_a().write(pattern(1460));
    lab.world.run_for(1s);
  }
  lab.a.register_client();
  lab.world.run_for(5s);
  EXPECT_THAT(times(lab, lab.a, kinds::bridge_state, died), ElementsAre(0s, 6s));
  EXPECT_FALSE(lab.dist_a().closed);
  EXPECT_THAT(lab.events(lab.a, kinds::tunnel_lost),
              ElementsAre("b@host: reason=publish_retries bytes=1460", "b@host: reason=reader_killed bytes=1460"));
  EXPECT_THAT(times(lab, lab.a, kinds::tunnel_lost, died), ElementsAre(3500ms, 6s));
  const auto metrics = lab.a.carrier->tunnel_metrics().at(0).metrics;
  EXPECT_EQ(metrics.accepted, 5 * 1460u);
  EXPECT_EQ(metrics.lost, 2 * 1460u);
  EXPECT_EQ(metrics.bytes_out, 4 * 1460u) << "one of them lost";
  EXPECT_EQ(metrics.msgs_out, 4u);
  EXPECT_EQ(lab.b.carrier->tunnel_metrics().at(0).metrics.delivered, 3 * 1460u);
}

TEST(Reconnect, RetriesAreParameters) {
  // So many sleeps of so long for each message.
  TunnelSettings settings = macula_3_13();
  settings.publish_retries = 5;
  settings.publish_retry_interval = 100ms;
  Lab lab(settings);
  lab.connect();
  const Time died = lab.world.now();
  lab.a.kill_client();
  lab.dist_a().write(pattern(3 * 1460));
  lab.world.run_for(5s);
  EXPECT_THAT(times(lab, lab.a, kinds::tunnel_lost, died), ElementsAre(500ms, 1000ms, 1500ms));
}

TEST(Reconnect, ADeadClientIsNoBackpressure) {
  // process_info/2 of a dead process is undefined: no pause.
  TunnelSettings settings = macula_3_13();
  Lab lab(settings);
  lab.connect();
  lab.a.client->queue = 1000;
  lab.a.kill_client();
  const Time died = lab.world.now();
  lab.dist_a().write(pattern(10));
  lab.world.run_for(5s);
  EXPECT_THAT(times(lab, lab.a, kinds::tunnel_lost, died), ElementsAre(3s));
}

TEST(Reconnect, AClientWithoutASession) {
  // Alive, but no relay has accepted it: enough for the code, not for the documentation's words.
  for (const bool documented_words : {true, false}) {
    TunnelSettings settings = macula_3_13();
    settings.recv_outlives_reader = false;
    settings.reconnect_needs_session = documented_words;
    Lab lab(settings);
    lab.connect();
    const Time died = lab.world.now();
    lab.a.kill_client();
    lab.world.run_for(1s);
    lab.a.register_client();
    lab.a.client->session = false;
    lab.world.run_for(8s);
    lab.a.client->session = true;
    lab.world.run_for(8s);
    EXPECT_THAT(times(lab, lab.a, kinds::bridge_state, died), ElementsAre(0s, documented_words ? 10s : 2s));
  }
}

TEST_P(ReconnectOfBoth, AReplacedClientIsDead) {
  // Another one takes its place without a gap: the bridge follows at once, its subscription with it.
  settings_.recv_outlives_reader = false;
  Lab lab(settings_);
  lab.connect();
  lab.a.register_client();
  lab.world.run_for(10ms);
  EXPECT_THAT(lab.values(lab.a, kinds::bridge_state, "state"), ElementsAre("running", "reconnecting", "running"));
  lab.dist_a().send("to b");
  lab.dist_b().send("to a");
  lab.world.run_for(10ms);
  EXPECT_EQ(lab.dist_b().frames, Strings{"to b"});
  EXPECT_EQ(lab.dist_a().frames, Strings{"to a"});
  EXPECT_EQ(lab.a.client->subscriptions(), 1u);
}

TEST_P(ReconnectOfBoth, DistributionMayCloseMeanwhile) {
  // A bridge without a client still ends with its socket; a reader asleep notices when it wakes.
  Lab lab(settings_);
  lab.connect();
  lab.a.kill_client();
  lab.world.run_for(1s);
  lab.dist_a().close();
  lab.world.run_for(1ms);
  EXPECT_EQ(lab.a.carrier->tunnels(), 0u);

  Lab asleep(settings_);
  asleep.connect();
  asleep.a.kill_client();
  const Time died = asleep.world.now();
  asleep.dist_a().send("lost");
  asleep.dist_a().close();
  asleep.world.run_for(1min);
  EXPECT_EQ(asleep.a.carrier->tunnels(), 0u);
  EXPECT_THAT(times(asleep, asleep.a, kinds::tunnel_closed, died),
              ElementsAre(settings_.reader_runs_while_reconnecting ? 3s : 30s));
  EXPECT_THAT(asleep.values(asleep.a, kinds::tunnel_lost, "bytes"), ElementsAre("8"));
}

TEST(Reconnect, AClientThatDiesWhileATunnelIsAccepted) {
  // In the code the bridge cannot start; the connection that net_kernel has been given is closed.
  TunnelSettings settings = macula_3_13();
  settings.resubscribe_gap = 1h;
  Lab lab(settings);
  const auto dialled = lab.dial(lab.a, lab.b.name);
  lab.world.run_until([&] { return !lab.b.ends.empty(); }, 1s);
  lab.b.kill_client();
  lab.world.run_for(24h);
  EXPECT_TRUE(lab.dist_b().closed);
  EXPECT_THAT(lab.values(lab.b, kinds::tunnel_failed, "reason"), ElementsAre("client_down"));
  EXPECT_EQ(lab.b.carrier->being_accepted() + lab.b.carrier->tunnels(), 0u);
}

}  // namespace
}  // namespace distlab::tunnel
