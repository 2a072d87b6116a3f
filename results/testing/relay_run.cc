#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "results/testing/events.h"
#include "results/testing/synthetic_run.h"

namespace distlab::results {

namespace {

using Fields = std::vector<std::pair<std::string, Value>>;

std::string named(const std::string& host) {
  return fmt::format("{0}@{0}.example", host);
}

class RelayScript {
 public:
  void add(double at_s, const std::string& host, const std::string& subject, const std::string& kind,
           Fields fields = {}) {
    events.push_back(event(at_s, host, subject, kind, std::move(fields)));
  }

  void client(double at_s, const std::string& node, double elapsed_s) {
    add(at_s - 0.02, "berlin", named(node), "session_up",
        {{"realm", std::string("io.macula")}, {"remote", std::string("198.51.100.7:40000")}});
    add(at_s, node, "berlin", "mesh_up", {{"elapsed_ns", seconds(elapsed_s)}});
  }

  void tunnel(double at_s, const std::string& id) {
    for (const auto& [node, peer, direction] : {std::tuple("bob", "alice", "in"), std::tuple("alice", "bob", "out")}) {
      const std::string known = std::string(direction) == "in" ? "?" : named(peer);
      add(at_s, node, known, "tunnel_opened",
          {{"id", id}, {"direction", std::string(direction)}, {"elapsed_ns", seconds(0.08)}});
      bridge(at_s + 0.01, node, peer, id, "running", "");
      add(at_s + 0.3, node, named(peer), "node_up",
          {{"direction", std::string(direction)}, {"setup_ns", seconds(0.4)}});
    }
  }

  void bridge(double at_s, const std::string& node, const std::string& peer, const std::string& id,
              const std::string& state, const std::string& reason) {
    add(at_s, node, named(peer), "bridge_state", {{"id", id}, {"state", state}, {"reason", reason}});
  }

  void metrics(double at_s, const std::string& node, const std::string& peer, const std::string& id, int64_t accepted,
               int64_t sent_bytes, int64_t delivered) {
    add(at_s, node, named(peer), "tunnel_metrics",
        {{"id", id},
         {"bytes_out", sent_bytes},
         {"bytes_in", delivered},
         {"msgs_out", sent_bytes / 256},
         {"msgs_in", delivered / 256},
         {"accepted", accepted},
         {"delivered", delivered}});
  }

  // One side gives up: its tick timer is the first to know.
  void give_up(double at_s, const std::string& node, const std::string& peer, const std::string& id, int64_t accepted,
               int64_t delivered) {
    add(at_s, node, named(peer), "log",
        {{"level", std::string("error")}, {"text", fmt::format("** Node '{}' not responding **", named(peer))}});
    add(at_s, node, named(peer), "node_down", {{"reason", std::string("net_tick_timeout")}});
    bridge(at_s, node, peer, id, "stopped", "distribution closed");
    add(at_s, node, named(peer), "tunnel_closed", {{"id", id}, {"reason", std::string("distribution closed")}});
    metrics(at_s, node, peer, id, accepted, accepted, delivered);
  }

  void talk(const std::string& from, const std::string& to, double down_at, double latency_s) {
    int64_t seq = 0;
    for (double t = 2; t < 169; t += 0.25) {
      if (t >= down_at && t < 126.5) continue;
      const bool lost = (t >= 60 && t < 126.5) || (t >= 140 && t < 146 && from == "alice");
      const bool late = from == "bob" && t == 25;
      const double latency = late ? 1.4 : latency_s;
      add(t, from, from + "->" + to, "message_sent", {{"seq", ++seq}});
      if (lost) continue;
      events.push_back(received(t + latency, from, to, seq, latency));
      if (from == "alice" && t == 20) events.push_back(received(t + 0.3, from, to, seq, 0.3));
      events.push_back(call_done(t + 2 * latency, from, to, "ok", 2 * latency));
    }
  }

  std::vector<EventRecord> events;
};

void first_life(RelayScript& s) {
  for (const char* process : {"berlin", "alice", "bob"}) s.add(0, process, process, "process_started");
  for (const char* node : {"alice", "bob"}) s.add(0.1, node, "", "client_started");
  s.client(0.4, "alice", 0.3);
  s.client(0.42, "bob", 0.32);
  s.add(5, "berlin", "mallory", "session_refused",
        {{"reason", std::string("wrong_realm")},
         {"realm", std::string("evil")},
         {"remote", std::string("203.0.113.9:666")}});
  s.tunnel(1, "AbC1+/==");
  s.add(15, "bob", named("alice"), "decrypt_failed", {{"id", std::string("AbC1+/==")}, {"bytes", int64_t{288}}});
}

void relay_dies(RelayScript& s) {
  s.events.push_back(fault(60, "berlin", "kill", "kill-1"));
  s.add(60, "berlin", "berlin", "process_killed");
  s.add(75, "berlin", "berlin", "process_started");
  s.events.push_back(fault(75, "berlin", "start", "start-1"));
  s.give_up(105.2, "alice", "bob", "AbC1+/==", 120'000, 70'400);
  s.add(112, "alice", named("bob"), "tunnel_failed", {{"reason", std::string("timeout")}, {"elapsed_ns", seconds(5)}});
  s.add(112, "alice", named("bob"), "connect_failed",
        {{"reason", std::string("tunnel_timeout")}, {"elapsed_ns", seconds(5)}});
  s.give_up(112, "bob", "alice", "AbC1+/==", 112'000, 76'800);
  s.add(122.4, "alice", "berlin", "mesh_down", {{"reason", std::string("ping")}});
  s.add(123, "alice", "berlin", "mesh_failed", {{"reason", std::string("timeout")}, {"elapsed_ns", seconds(0.6)}});
  s.add(124.1, "bob", "berlin", "mesh_down", {{"reason", std::string("ping")}});
  s.client(124.5, "alice", 0.4);
  s.client(125.3, "bob", 0.35);
  s.add(125, "berlin", named("bob"), "relay_dropped",
        {{"reason", std::string("no_subscriber")}, {"bytes", int64_t{512}}, {"messages", int64_t{2}}});
  s.tunnel(126, "Zz9x");
}

void client_dies(RelayScript& s) {
  s.events.push_back(fault(140, "alice", "kill_client", "client-1"));
  s.add(140, "alice", "", "client_died", {{"reason", std::string("kill")}});
  s.add(140.05, "berlin", named("alice"), "session_down",
        {{"reason", std::string("closed")}, {"realm", std::string("io.macula")}});
  s.bridge(140, "alice", "bob", "Zz9x", "reconnecting", "client down");
  for (const double t : {140.5, 142.0, 143.5, 145.0})
    s.add(t, "alice", named("bob"), "tunnel_lost",
          {{"id", std::string("Zz9x")}, {"reason", std::string("no_client")}, {"bytes", int64_t{1536}}});
  s.add(145, "alice", "", "client_started");
  s.client(145.4, "alice", 0.4);
  s.bridge(146, "alice", "bob", "Zz9x", "running", "");
  s.metrics(170, "alice", "bob", "Zz9x", 44'032, 44'032, 43'264);
  s.metrics(170, "bob", "alice", "Zz9x", 43'264, 43'264, 37'888);
}

}  // namespace

SyntheticRun synthetic_relay_run() {
  SyntheticRun result;
  RunRecord& run = result.run;
  run.id = 1;
  run.family = 1;
  run.scenario = "relay-restart";
  run.scenario_file = "scenarios/relay-restart.yaml";
  run.scenario_text = "name: relay-restart\n";
  run.ground = "sim";
  run.seed = 1;
  run.status = RunStatus::complete;
  run.wall_seconds = 0.9;
  run.virtual_seconds = 170;
  for (const char* host : {"alice", "bob"}) run.nodes[named(host)] = host;
  RelayScript s;
  first_life(s);
  relay_dies(s);
  client_dies(s);
  s.talk("alice", "bob", 105.2, 0.06);
  s.talk("bob", "alice", 112, 0.061);
  std::stable_sort(s.events.begin(), s.events.end(),
                   [](const EventRecord& a, const EventRecord& b) { return a.time_ns < b.time_ns; });
  result.events = std::move(s.events);
  result.verdicts = {{"lost_messages", "no message is lost between alice and bob", Outcome::fail,
                      "414 of 1196 messages were lost", run.scenario_file, 27}};
  return result;
}

}  // namespace distlab::results
