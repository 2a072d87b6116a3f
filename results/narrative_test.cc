#include "results/narrative.h"

#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "results/testing/events.h"
#include "results/testing/synthetic_run.h"

namespace distlab::results {
namespace {

std::string told(const RunRecord& run, std::vector<EventRecord> events) {
  std::stable_sort(events.begin(), events.end(),
                   [](const EventRecord& a, const EventRecord& b) { return a.time_ns < b.time_ns; });
  std::string out;
  for (const Story& story : narrative(digest(run, events))) {
    out += story.what + "\n";
    for (const std::string& sentence : story.sentences) out += "- " + sentence + "\n";
  }
  return out;
}

RunRecord run_of(std::initializer_list<const char*> nodes, double seconds) {
  RunRecord run;
  run.virtual_seconds = seconds;
  for (const std::string node : nodes) run.nodes[node + "@" + node + ".example"] = node;
  return run;
}

EventRecord of_client(double at_s, const std::string& node, const std::string& kind, const std::string& reason = "",
                      const std::string& relay = "berlin") {
  return event(at_s, node, relay, kind, {{"reason", reason}});
}

// A relay that is killed and restarted, and a client that is killed: what was lost, who called whom up
// meanwhile, who noticed, when and why.
TEST(Narrative, TellsOfARestart) {
  const SyntheticRun made = synthetic_relay_run();
  EXPECT_EQ(told(made.run, made.events),
            "Before the first fault:\n"
            "- berlin refused mallory at 5.00 s (wrong_realm).\n"
            "- bob could not decrypt what came from alice at 15.00 s.\n"
            "berlin was killed at 60.00 s and started again at 75.00 s.\n"
            "- alice's client noticed after 62.40 s (ping) that berlin was lost and had a session again at 124.5 s.\n"
            "- bob's client noticed after 64.10 s (ping) that berlin was lost and had a session again at 125.3 s.\n"
            "- alice's bridge to bob and bob's bridge to alice never began to reconnect.\n"
            "- 181 messages alice->bob sent between 60.00 s and 105.0 s are lost; alice called bob up until 105.2 s "
            "(net_tick_timeout), 45.20 s after the fault, and again from 126.3 s.\n"
            "- 208 messages bob->alice sent between 60.00 s and 111.8 s are lost; bob called alice up until 112.0 s "
            "(net_tick_timeout), 52.00 s after the fault, and again from 126.3 s.\n"
            "- alice's client failed to get a session with berlin at 123.0 s (timeout).\n"
            "- alice failed to open a tunnel to bob at 112.0 s (timeout).\n"
            "- alice failed to connect to bob at 112.0 s (tunnel_timeout).\n"
            "alice lost its mesh client at 140.0 s.\n"
            "- alice's client died at 140.0 s (kill); the next one began at 145.0 s.\n"
            "- alice's bridge to bob began to reconnect at once (client down) and ran again at 146.0 s.\n"
            "- berlin ended the session of alice after 50 ms (closed).\n"
            "- 24 messages alice->bob sent between 140.0 s and 145.8 s are lost; alice called bob up all the while, "
            "5.75 s.\n");
}

// Nothing is told of a run without relays, and no more than events say of one whose relay has no history.
TEST(Narrative, IsSilentWhereNothingIsKnown) {
  const SyntheticRun without = synthetic_run(1, false);
  EXPECT_EQ(told(without.run, without.events), "");
  const RunRecord run = run_of({"a", "b"}, 60);
  EXPECT_EQ(told(run, {of_client(1, "a", "mesh_up")}), "");
  EXPECT_EQ(told(run, {event(0, "berlin", "berlin", "process_started"), fault(20, "berlin", "kill", "k")}),
            "berlin was killed at 20.00 s.\n");
}

// A fault that nobody noticed and that cost nothing is told as such: who slept, and that nothing was lost.
TEST(Narrative, TellsOfAHarmlessFault) {
  const RunRecord run = run_of({"a", "b"}, 60);
  std::vector<EventRecord> events = {of_client(1, "a", "mesh_up"), node_up(2, "a", "b@b.example"),
                                     fault(20, "berlin", "freeze", "f"), fault(21, "berlin", "thaw", "t")};
  for (int i = 0; i < 50; ++i) {
    events.push_back(sent(3 + i, "a", "b", i));
    events.push_back(received(3.1 + i, "a", "b", i));
  }
  EXPECT_EQ(told(run, events),
            "berlin was frozen at 20.00 s and thawed at 21.00 s.\n- a's client noticed nothing.\n"
            "- No message was lost, and no node called another down.\n");
}

// What a client makes of one relay belongs to the fault of that relay, not to a later one of another.
TEST(Narrative, KeepsRelaysApart) {
  const RunRecord run = run_of({"a", "b"}, 90);
  EXPECT_EQ(told(run, {of_client(1, "a", "mesh_up"), of_client(1, "b", "mesh_up", "", "helsinki"),
                       fault(20, "berlin", "kill", "k1"), fault(30, "helsinki", "kill", "k2"),
                       of_client(35, "b", "mesh_down", "closed", "helsinki"), of_client(50, "a", "mesh_down", "ping")}),
            "berlin was killed at 20.00 s.\n"
            "- a's client noticed after 30.00 s (ping) that berlin was lost and had no session again.\n"
            "helsinki was killed at 30.00 s.\n"
            "- b's client noticed after 5.00 s (closed) that helsinki was lost and had no session again.\n");
}

// One lost message is one; some sent after node_down, and some in several stretches, are told apart.
TEST(Narrative, CountsWhatWasLostWhileUp) {
  const RunRecord run = run_of({"a", "b"}, 60);
  const std::vector<EventRecord> base = {of_client(1, "a", "mesh_up"), node_up(2, "a", "b@b.example"),
                                         fault(20, "berlin", "wedge", "w"), sent(19.5, "a", "b", 1)};
  EXPECT_EQ(told(run, base),
            "berlin stopped answering at 20.00 s.\n- a's client noticed nothing.\n"
            "- 1 message a->b sent at 19.50 s is lost; a called b up all the while.\n");
  std::vector<EventRecord> more = base;
  for (const EventRecord& one : {sent(21, "a", "b", 2), received(21.1, "a", "b", 2), sent(22, "a", "b", 3),
                                 node_down(23, "a", "b@b.example"), sent(24, "a", "b", 4)})
    more.push_back(one);
  EXPECT_EQ(told(run, more),
            "berlin stopped answering at 20.00 s.\n- a's client noticed nothing.\n"
            "- 3 messages a->b sent between 19.50 s and 24.00 s are lost, in 2 stretches, 2 of them while a called b "
            "up; a called b up until 23.00 s (net_tick_timeout), 3.00 s after the fault.\n");
}

// A run without faults tells why nothing came about: each failure once, however often it came.
TEST(Narrative, TellsWhatFailedWithoutAFault) {
  const RunRecord run = run_of({"a", "b"}, 60);
  std::vector<EventRecord> events = {of_client(1, "a", "mesh_up"), of_client(2, "b", "mesh_failed", "bad_certificate")};
  for (const double at_s : {8.0, 16.0, 24.0}) {
    events.push_back(event(at_s, "a", "b@b.example", "tunnel_failed", {{"reason", std::string("unknown_procedure")}}));
    events.push_back(event(at_s, "a", "b@b.example", "connect_failed", {{"reason", std::string("setup_timeout")}}));
    events.push_back(call_done(at_s, "a", "b", at_s < 20 ? "nodedown" : "timeout", 7));
  }
  EXPECT_EQ(told(run, events),
            "No fault was done.\n"
            "- 3 calls a->b begun between 1.00 s and 17.00 s failed (2 nodedown, 1 timeout).\n"
            "- b's client failed to get a session with berlin at 2.00 s (bad_certificate).\n"
            "- a failed to open a tunnel to b 3 times from 8.00 s to 24.00 s (unknown_procedure).\n"
            "- a failed to connect to b 3 times from 8.00 s to 24.00 s (setup_timeout).\n");
}

// Of many nodes the story gives sums, the first and the last.
TEST(Narrative, SumsUpManyNodes) {
  RunRecord run = run_of({"hub"}, 120);
  std::vector<EventRecord> events = {fault(20, "berlin", "kill", "k")};
  for (int i = 0; i < 50; ++i) {
    const std::string node = fmt::format("n{:02}", i), name = node + "@" + node + ".example";
    run.nodes[name] = node;
    events.push_back(of_client(1, node, "mesh_up"));
    if (i < 40) events.push_back(of_client(50 + i * 0.5, node, "mesh_down", "ping"));
    events.push_back(node_up(2, node, "hub@hub.example"));
    events.push_back(node_down(80 + i * 0.1, node, "hub@hub.example"));
    for (int n = 0; n < 1 + i; ++n) events.push_back(sent(30 + n * 0.1, node, "hub", n));
    events.push_back(event(3, node, "hub@hub.example", "tunnel_opened", {{"id", node}}));
    events.push_back(
        event(3, node, "hub@hub.example", "bridge_state", {{"id", node}, {"state", std::string("running")}}));
  }
  EXPECT_EQ(told(run, events),
            "berlin was killed at 20.00 s.\n"
            "- 40 clients noticed that a relay was lost, the first n00's after 30.00 s (ping), the last n39's after "
            "49.50 s (ping).\n"
            "- 10 clients noticed nothing.\n"
            "- 50 bridges never began to reconnect.\n"
            "- 1275 messages of 50 pairs are lost, 1275 of them while the sender called the receiver up; the most: 50 "
            "messages n49->hub sent between 30.00 s and 34.90 s are lost; n49 called hub up until 84.90 s "
            "(net_tick_timeout), 64.90 s after the fault.\n"
            "- In 50 cases a node called its peer down, the first n00 of hub after 60.00 s (net_tick_timeout), the "
            "last n49 of hub after 64.90 s (net_tick_timeout).\n");
}

}  // namespace
}  // namespace distlab::results
