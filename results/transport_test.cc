#include "results/transport.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "results/testing/events.h"
#include "results/testing/synthetic_run.h"

namespace distlab::results {
namespace {

const std::map<std::string, std::string> names = {{"a@a.example", "a"}, {"b@b.example", "b"}};

Transport of(const std::vector<EventRecord>& events, double end_s = 60) {
  return transport(events, Naming(names), names, seconds(end_s));
}

EventRecord of_tunnel(double at_s, const std::string& node, const std::string& peer, const std::string& kind,
                      const std::string& id, std::vector<std::pair<std::string, Value>> fields = {}) {
  fields.insert(fields.begin(), {"id", id});
  return event(at_s, node, peer, kind, std::move(fields));
}

EventRecord state(double at_s, const std::string& node, const std::string& what, const std::string& reason = "") {
  return of_tunnel(at_s, node, "?", "bridge_state", "t1", {{"state", what}, {"reason", reason}});
}

std::string text(const std::vector<Span>& spans) {
  std::string out;
  for (const Span& span : spans)
    out += fmt::format("{}-{}{} ", span.from_ns / 1'000'000'000, span.to_ns / 1'000'000'000,
                       span.ended ? "(" + span.reason + ")" : "");
  return out;
}

// Sessions end by their relay's word, with its process, or with the run; the oldest of two goes first.
TEST(Transport, FollowsSessions) {
  const Transport seen = of({event(0, "r", "r", "process_started"), event(0, "a", "a", "process_started"),
                             event(1, "r", "a@a.example", "session_up"), event(5, "r", "a@a.example", "session_up"),
                             event(7, "r", "a@a.example", "session_down", {{"reason", std::string("idle")}}),
                             event(8, "r", "b@b.example", "session_up"), event(9, "r", "r", "process_killed"),
                             event(20, "r", "b@b.example", "session_up"),
                             event(21, "r", "eve", "session_refused", {{"reason", std::string("wrong_realm")}})});
  ASSERT_EQ(seen.relays.size(), 1u);  // a is a node
  const RelayView& relay = seen.relays.at("r");
  EXPECT_EQ(text(relay.sessions.at("a")), "1-7(idle) 5-9(process killed) ");
  EXPECT_EQ(text(relay.sessions.at("b")), "8-9(process killed) 20-60 ");
  ASSERT_EQ(relay.refused.size(), 1u);
  EXPECT_EQ(relay.refused[0].who + " " + relay.refused[0].reason, "eve wrong_realm");
}

// Who never said who he is is counted by what became of him.
TEST(Transport, CountsStrangers) {
  const auto stranger = [](const std::string& kind, const std::string& reason, int64_t count) {
    return event(1, "r", "", kind, {{"reason", reason}, {"remote", std::string("10.0.0.1:1")}, {"count", count}});
  };
  const Transport seen = of({stranger("quic_failed", "handshake timeout", 1), stranger("quic_refused", "full", 40),
                             stranger("session_abandoned", "idle", 1), stranger("quic_refused", "full", 2)});
  EXPECT_EQ(seen.relays.at("r").strangers,
            (std::map<std::string, int64_t>{
                {"failed handshake (handshake timeout)", 1}, {"no room (full)", 42}, {"gave up (idle)", 1}}));
}

// What a relay dropped is summed by reason.
TEST(Transport, SumsWhatWasDropped) {
  const auto dropped = [](double at_s, const std::string& reason, int64_t bytes) {
    return event(at_s, "r", "a@a.example", "relay_dropped",
                 {{"reason", reason}, {"bytes", bytes}, {"messages", int64_t{2}}});
  };
  const Transport seen = of({dropped(1, "queue", 100), dropped(2, "queue", 50), dropped(3, "size", 7)});
  const RelayView& relay = seen.relays.at("r");
  EXPECT_EQ(relay.dropped.at("queue").events, 2);
  EXPECT_EQ(relay.dropped.at("queue").messages, 4);
  EXPECT_EQ(relay.dropped.at("queue").bytes, 150);
  EXPECT_EQ(relay.dropped.at("size").bytes, 7);
  EXPECT_EQ(relay.dropped_ns.size(), 3u);
}

// A client's sessions end with mesh_down, with the client, or with the node's process.
TEST(Transport, FollowsClients) {
  const Transport seen =
      of({event(1, "a", "", "client_started"), event(2, "a", "r", "mesh_up"),
          event(5, "a", "r", "mesh_down", {{"reason", std::string("ping")}}),
          event(6, "a", "r", "mesh_failed", {{"reason", std::string("timeout")}}), event(7, "a", "r", "mesh_up"),
          event(9, "a", "", "client_died", {{"reason", std::string("kill")}}), event(10, "a", "", "client_started"),
          event(11, "a", "r", "mesh_up"), event(30, "a", "a", "process_killed")});
  const ClientView& client = seen.clients.at("a");
  EXPECT_EQ(text(client.processes), "1-9(kill) 10-30(process killed) ");
  EXPECT_EQ(text(client.relays.at("r").up), "2-5(ping) 7-9(the client died) 11-30(process killed) ");
  EXPECT_EQ(client.relays.at("r").failures.size(), 1u);
  EXPECT_EQ(seen.relays.count("r"), 1u);
}

// The states of a bridge follow each other until its tunnel is closed; the other side names a peer that
// this one did not know.
TEST(Transport, FollowsTunnels) {
  const Transport seen = of(
      {of_tunnel(1, "b", "?", "tunnel_opened", "t1", {{"direction", std::string("in")}}),
       of_tunnel(1, "a", "b@b.example", "tunnel_opened", "t1", {{"direction", std::string("out")}}),
       state(1, "b", "running"), state(10, "b", "reconnecting", "client down"), state(16, "b", "running"),
       of_tunnel(20, "b", "?", "tunnel_lost", "t1", {{"bytes", int64_t{32}}}),
       of_tunnel(21, "b", "?", "decrypt_failed", "t1"),
       of_tunnel(40, "b", "?", "tunnel_closed", "t1", {{"reason", std::string("closed")}}), state(40, "b", "stopped")});
  ASSERT_EQ(seen.tunnels.size(), 2u);
  const TunnelEnd& end = seen.tunnels[1];
  EXPECT_EQ(end.node + end.peer + end.direction, "bain");
  EXPECT_EQ(
      history_text(end),
      "running 1.00 s, reconnecting 10.00 s (client down), running 16.00 s, closed 40.00 s (closed); 1 not decrypted");
  ASSERT_EQ(end.lost.size(), 1u);
  EXPECT_EQ(end.lost[0].bytes, 32);
  EXPECT_EQ(seen.other_end(end), seen.tunnels.data());
  EXPECT_FALSE(seen.tunnels[0].open.ended);
}

// An id that comes again after its end is another tunnel; one never opened begins with its first event.
TEST(Transport, TellsTunnelsOfOneIdApart) {
  const Transport seen =
      of({of_tunnel(1, "a", "b@b.example", "decrypt_failed", "t1"),
          of_tunnel(2, "a", "b@b.example", "tunnel_closed", "t1"),
          of_tunnel(3, "a", "b@b.example", "tunnel_opened", "t1", {{"direction", std::string("out")}})});
  ASSERT_EQ(seen.tunnels.size(), 2u);
  EXPECT_EQ(seen.tunnels[0].direction, "");
  EXPECT_TRUE(seen.tunnels[0].open.ended);
  EXPECT_EQ(seen.tunnels[1].direction, "out");
  EXPECT_FALSE(seen.tunnels[1].open.ended);
}

// Bytes are lost when one side accepted them and the other did not deliver them; without both counters
// nobody can say.
TEST(Transport, CountsLostBytes) {
  const auto metrics = [](const std::string& node, const std::string& peer, int64_t accepted, int64_t delivered) {
    return of_tunnel(50, node, peer, "tunnel_metrics", "t1",
                     {{"bytes_out", accepted + 1}, {"accepted", accepted}, {"delivered", delivered}});
  };
  const Transport both = of({metrics("a", "b@b.example", 1000, 500), metrics("b", "a@a.example", 500, 900)});
  const TunnelBytes bytes = bytes_of(both, both.tunnels[0]);
  EXPECT_EQ(bytes.accepted, 1000);
  EXPECT_EQ(bytes.counted_as_sent, 1001);
  EXPECT_EQ(bytes.delivered, 900);
  EXPECT_EQ(bytes.lost(), 100);
  EXPECT_EQ(bytes_of(both, both.tunnels[1]).lost(), 0);
  const Transport one = of({metrics("a", "b@b.example", 1000, 500)});
  EXPECT_EQ(bytes_of(one, one.tunnels[0]).lost(), std::nullopt);
}

// A run without relays has nothing of all this.
TEST(Transport, IsEmptyWithoutRelays) {
  const SyntheticRun made = synthetic_run(1, true);
  EXPECT_TRUE(digest(made.run, made.events).transport.empty());
}

}  // namespace
}  // namespace distlab::results
