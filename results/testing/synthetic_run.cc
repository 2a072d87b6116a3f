#include "results/testing/synthetic_run.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "results/testing/events.h"

namespace distlab::results {

namespace {

class Script {
 public:
  explicit Script(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}

  double chance() {  // in [0, 1)
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state_ >> 11) / 9007199254740992.0;
  }

  void add(EventRecord event) { events.push_back(std::move(event)); }

  void talk(const std::string& from, const std::string& to, double lost_from, double lost_to, double down_at,
            double delay) {
    int64_t seq = 0;
    for (double t = 2 + chance() * 0.2; t < 89; t += 0.25) {
      if (t > down_at && t < lost_to + 1) continue;
      const bool lost = t >= lost_from && t < lost_to;
      const double latency = delay * (1 + 0.3 * chance() + (chance() < 0.02 ? 4 * chance() : 0));
      add(sent(t, from, to, ++seq));
      if (!lost) add(received(t + latency, from, to, seq, latency));
      if (lost && seq % 8 == 0)
        add(call_done(std::min(t + 5, down_at), from, to, "nodedown", std::min(5.0, down_at - t)));
      if (!lost) add(call_done(t + 2 * latency, from, to, "ok", 2 * latency));
    }
  }

  void connect(const std::string& a, const std::string& b, double at) {
    add(node_up(at, a, b + "@" + b + ".example", 0.11));
    add(node_up(at + 0.02, b, a + "@" + a + ".example", 0.09));
  }

  void notice(const std::string& a, const std::string& b, double at) {
    add(event(
        at, a, b + "@" + b + ".example", "log",
        {{"level", std::string("error")}, {"text", fmt::format("** Node '{0}@{0}.example' not responding **", b)}}));
    add(node_down(at, a, b + "@" + b + ".example"));
  }

  void ticks(const std::string& a, const std::string& b, double from, double to) {
    for (double t = from; t < to; t += 4) add(event(t, a, b + "@" + b + ".example", "tick"));
  }

  std::vector<EventRecord> events;

 private:
  uint64_t state_;
};

}  // namespace

SyntheticRun synthetic_run(uint64_t seed, bool passes) {
  SyntheticRun result;
  RunRecord& run = result.run;
  run.id = static_cast<int64_t>(seed);
  run.family = 1;
  run.scenario = "tick-timeout";
  run.scenario_file = "scenarios/tick-timeout.yaml";
  run.scenario_text = "name: tick-timeout\nsummary: made up </script><!-- <b>for tests</b>\n";
  run.scenario_hash = "5f2c9e";
  run.ground = "sim";
  run.seed = seed;
  run.commit = "0123abc";
  run.host = "lab";
  run.versions = "distlab 0.1.0, ns-3 3.37";
  run.started_at = "2026-01-02T03:04:05Z";
  run.status = RunStatus::complete;
  run.wall_seconds = 0.8;
  run.virtual_seconds = 90;
  run.trace_hash = fmt::format("{:016x}", seed * 77777);
  Script s(seed);
  for (const char* host : {"alice", "bob", "carol"}) {
    run.nodes[fmt::format("{0}@{0}.example", host)] = host;
    s.add(event(0, host, host, "process_started"));
  }
  const double noticed = 33 + 2 * s.chance();
  const double noticed_by_bob = 33 + 2 * s.chance();
  s.connect("alice", "bob", 1);
  s.connect("alice", "carol", 1.3);
  s.connect("bob", "carol", 1.5);
  s.add(fault(30, "home", "down", "down-1"));
  s.notice("alice", "bob", noticed);
  s.notice("bob", "alice", noticed_by_bob);
  s.notice("alice", "carol", noticed + 0.3);
  s.notice("carol", "alice", noticed_by_bob + 0.2);
  s.add(event(40, "alice", "bob@bob.example", "connect_failed",
              {{"reason", std::string("setup_timeout")}, {"elapsed_ns", seconds(7)}}));
  s.add(fault(48, "home", "up", "down-1"));
  s.connect("alice", "bob", 49);
  s.connect("alice", "carol", 49.5);
  s.add(fault(60, "carol", "freeze", "freeze-2"));
  s.add(event(60, "carol", "carol", "process_frozen"));
  s.add(event(66, "carol", "carol", "process_thawed"));
  s.add(fault(66, "carol", "thaw", "freeze-2"));
  s.talk("alice", "bob", 30, 48, noticed, 0.02);
  s.talk("bob", "alice", 30, 48, noticed_by_bob, 0.021);
  s.talk("bob", "carol", 200, 0, 200, 0.035);
  s.ticks("alice", "carol", 4, noticed);
  s.ticks("alice", "carol", 52, 90);
  s.ticks("carol", "alice", 5, noticed_by_bob);
  std::stable_sort(s.events.begin(), s.events.end(),
                   [](const EventRecord& a, const EventRecord& b) { return a.time_ns < b.time_ns; });
  result.events = std::move(s.events);
  result.verdicts = {
      {"connected", "alice and bob are connected by 5 s", Outcome::pass, "both sides up at 1.02 s", run.scenario_file,
       21},
      {"detected", "alice sees bob down 3 s to 5 s after down-1", Outcome::pass,
       fmt::format("alice saw bob down at {:.2f} s (net_tick_timeout), {:.2f} s after the fault", noticed,
                   noticed - 30),
       run.scenario_file, 24},
      {"lost_messages", "no message is lost between alice and bob", passes ? Outcome::pass : Outcome::fail,
       passes ? "none of 600 was lost" : "28 of 600 messages were lost, the first at 30.04 s", run.scenario_file, 27},
      {"pings", "every ping is answered", passes ? Outcome::pass : Outcome::unknown, "there was no ping",
       run.scenario_file, 30}};
  return result;
}

}  // namespace distlab::results
