// Real processes on loopback addresses: what they say to each other and to their coordinator, however they end.
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/host/event_kinds.h"
#include "real/actor/runner.h"
#include "real/actor/testing/troupe.h"

namespace distlab::actor {
namespace {

using namespace std::chrono_literals;
using results::text_field;
using testing::HasSubstr;
using testing::IsEmpty;

const Ipv4 alice_at = *Ipv4::parse("127.0.0.2"), bob_at = *Ipv4::parse("127.0.0.3"),
           berlin_at = *Ipv4::parse("127.0.0.4");

// The sequence numbers of the ledger's events.
std::vector<int64_t> numbers(const std::vector<results::EventRecord>& events) {
  std::vector<int64_t> out;
  for (const auto& event : events) out.push_back(results::int_field(event, "seq").value_or(-1));
  return out;
}

std::vector<int64_t> counting_to(size_t n) {
  std::vector<int64_t> out;
  for (size_t i = 1; i <= n; ++i) out.push_back(static_cast<int64_t>(i));
  return out;
}

// Both nodes behind one relay, each sending and calling all the time.
class ThroughARelay : public testing::Test {
 protected:
  explicit ThroughARelay(const std::string& more = "")
      : troupe_(
            "name: t\nduration: 60s\nsites: { s: {} }\n"
            "relays: { berlin: { site: s, host: berlin.test, boot: 0s, port: " +
                std::to_string(free_udp_port()) +
                " } }\n"
                "node_defaults: { site: s, carrier: relay, relays: [berlin], boot: 0s, net_ticktime: 1s" +
                more +
                " }\n"
                "nodes: { alice: { name: alice@a.test }, bob: { name: bob@b.test } }\n"
                "workload:\n  - { from: 0s, connect: alice -> bob, every: 200ms }\n"
                "  - { from: 0s, call: alice -> bob, rate: 20/s, timeout: 1s }\n"
                "  - { from: 0s, send: bob -> alice, rate: 100/s }\n"
                "  - { from: 0s, send: alice -> bob, rate: 100/s }\n",
            {{"berlin.test", berlin_at}, {"a.test", alice_at}, {"b.test", bob_at}}) {}

  void start_all() {
    troupe_.start("berlin", berlin_at);
    troupe_.start("alice", alice_at);
    troupe_.start("bob", bob_at);
    ASSERT_TRUE(troupe_.seen("bob", kinds::message_received, 20)) << troupe_.log("alice") << troupe_.log("bob");
    ASSERT_TRUE(troupe_.seen("alice", kinds::message_received, 20));
  }
  size_t ok_calls() const {
    size_t ok = 0;
    for (const auto& call : troupe_.events("alice", kinds::call_done)) ok += text_field(call, "result") == "ok";
    return ok;
  }

  Troupe troupe_;
};

// Nodes find the relay by name, verify its certificate, connect through it and call each other.
class ThroughAVerifiedRelay : public ThroughARelay {
 protected:
  ThroughAVerifiedRelay() : ThroughARelay(", tls_verify: peer") {}
};
TEST_F(ThroughAVerifiedRelay, NodesCallEachOther) {
  start_all();
  EXPECT_TRUE(troupe_.until([&] { return ok_calls() >= 5; }));
  EXPECT_EQ(troupe_.count("berlin", kinds::session_up), 2u);
  EXPECT_THAT(troupe_.events("berlin", kinds::log), IsEmpty());
}

// Times of all processes are of one clock: nothing is received before it was sent, nor long after.
TEST_F(ThroughARelay, ClocksAgree) {
  start_all();
  const auto sent = troupe_.events("alice", kinds::message_sent);
  const auto received = troupe_.events("bob", kinds::message_received);
  for (const auto& event : received) {
    const auto seq = results::int_field(event, "seq");
    const auto from = std::find_if(sent.begin(), sent.end(), [&](const auto& s) { return int_field(s, "seq") == seq; });
    if (from == sent.end()) continue;  // read before the sender's pipe
    EXPECT_LE(from->time_ns, event.time_ns);
    EXPECT_GT(from->time_ns + 20'000'000'000, event.time_ns);
  }
}

// A killed process has said all it saw up to the last turn of its loop, and its peer notices that it is gone.
TEST_F(ThroughARelay, AKillLosesNothingThatWasRecorded) {
  start_all();
  troupe_.signal("bob", SIGKILL);
  EXPECT_EQ(troupe_.end("bob"), -SIGKILL);
  EXPECT_EQ(troupe_.incomplete("bob"), 0u);
  ASSERT_TRUE(troupe_.seen("alice", kinds::node_down));
  EXPECT_EQ(text_field(troupe_.events("alice", kinds::node_down).front(), "reason"), "net_tick_timeout");

  const auto sent = numbers(troupe_.events("bob", kinds::message_sent));
  EXPECT_EQ(sent, counting_to(sent.size()));
  // What alice has of it bob had recorded, but for the turn in which he died.
  EXPECT_LE(troupe_.count("alice", kinds::message_received), sent.size() + 1);
  // His next life starts anew.
  const size_t before = troupe_.count("bob", kinds::message_received);
  troupe_.start("bob", bob_at);
  EXPECT_TRUE(troupe_.seen("bob", kinds::message_received, before + 5));
}

// How often a process was woken in the run, by its last report.
uint64_t times_woken(const std::optional<Woken>& woken) {
  uint64_t out = 0;
  for (const auto& [bucket, count] : woken.value_or(Woken{}).counts) out += count;
  return out;
}

// A frozen process is silent, and its peer's ticks notice; thawed, it goes on. At its end it says how late it was woken
// for its timers: not while it was frozen.
TEST_F(ThroughARelay, AFrozenProcessThaws) {
  start_all();
  troupe_.signal("bob", SIGSTOP);
  ASSERT_TRUE(troupe_.seen("alice", kinds::node_down));
  const auto frozen_until = troupe_.events("alice", kinds::node_down).front().time_ns;
  troupe_.signal("bob", SIGCONT);
  ASSERT_TRUE(troupe_.seen("bob", kinds::node_down));
  EXPECT_GT(troupe_.events("bob", kinds::node_down).front().time_ns, frozen_until);
  EXPECT_TRUE(troupe_.seen("alice", kinds::node_up, 2));
  EXPECT_TRUE(troupe_.tell("bob", Finish{}));
  EXPECT_TRUE(troupe_.until([&] { return troupe_.woken("bob").has_value(); }));
  EXPECT_EQ(troupe_.end("bob"), 0);
  EXPECT_GT(times_woken(troupe_.woken("bob")), 20u);
  EXPECT_LT(troupe_.woken("bob")->max, 500ms);  // of the 750 and more of a tick's timeout
}

// A wedged relay passes nothing on, until it is well again.
TEST_F(ThroughARelay, AWedgedRelayIsSilent) {
  start_all();
  EXPECT_TRUE(troupe_.tell("berlin", Wedge{true}));
  EXPECT_TRUE(troupe_.seen("alice", kinds::node_down));
  EXPECT_TRUE(troupe_.seen("bob", kinds::node_down));
  EXPECT_TRUE(troupe_.tell("berlin", Wedge{false}));
  EXPECT_TRUE(troupe_.seen("alice", kinds::node_up, 2));
}

// A relay that is asked to end, by command or by SIGTERM, says goodbye to its sessions first.
TEST_F(ThroughARelay, ARelaySaysGoodbye) {
  start_all();
  EXPECT_TRUE(troupe_.tell("berlin", Shutdown{}));
  EXPECT_TRUE(troupe_.until([&] { return troupe_.woken("berlin").has_value(); }));
  EXPECT_EQ(troupe_.end("berlin"), 0);
  EXPECT_TRUE(troupe_.seen("alice", kinds::mesh_down));
  EXPECT_TRUE(troupe_.seen("bob", kinds::mesh_down));
  troupe_.start("berlin", berlin_at);
  ASSERT_TRUE(troupe_.seen("alice", kinds::mesh_up, 2));
  troupe_.signal("berlin", SIGINT);  // ctrl-C is not meant for it
  troupe_.signal("berlin", SIGTERM);
  EXPECT_EQ(troupe_.end("berlin"), 0);
  EXPECT_TRUE(troupe_.seen("alice", kinds::mesh_down, 2));
}

// At the end of the run counts are recorded; a process that stays is not missed by those who still record.
TEST_F(ThroughARelay, FinishesInTwoSteps) {
  start_all();
  EXPECT_TRUE(troupe_.tell("bob", Finish{.stay = true}));
  ASSERT_TRUE(troupe_.until([&] { return troupe_.silent("bob"); }));
  EXPECT_EQ(troupe_.events("bob", "").back().kind, kinds::tunnel_metrics);
  const size_t before = ok_calls();
  EXPECT_TRUE(troupe_.until([&] { return ok_calls() > before + 2; })) << "bob answers no more";
  EXPECT_EQ(troupe_.count("alice", kinds::node_down), 0u);
  troupe_.hang_up("bob");
  EXPECT_EQ(troupe_.end("bob"), 0);
  EXPECT_TRUE(troupe_.tell("alice", Finish{}));
  EXPECT_EQ(troupe_.end("alice"), 0);
  EXPECT_EQ(troupe_.events("alice", "").back().kind, kinds::tunnel_metrics);
  EXPECT_EQ(troupe_.incomplete("alice"), 0u);
}

// The mesh client dies and returns as told.
TEST_F(ThroughARelay, ClientsComeAndGo) {
  start_all();
  EXPECT_TRUE(troupe_.tell("alice", KillClient{}));
  EXPECT_TRUE(troupe_.seen("alice", kinds::client_died));
  EXPECT_TRUE(troupe_.tell("alice", StartClient{}));
  EXPECT_TRUE(troupe_.seen("alice", kinds::mesh_up, 2));
}

// A message is harmed when it is its turn, and the coordinator hears of it; one that is armed by the plan too.
TEST_F(ThroughARelay, HarmsMessages) {
  start_all();
  EXPECT_TRUE(troupe_.tell("alice", HarmMessage{77, "bob@b.test", scenario::MessageHarm::corrupt, 2}));
  EXPECT_TRUE(troupe_.seen("bob", kinds::decrypt_failed));
  EXPECT_TRUE(troupe_.until([&] { return !troupe_.harmed().empty(); }));
  EXPECT_EQ(troupe_.harmed().front(), Harmed{77});

  troupe_.signal("alice", SIGKILL);
  EXPECT_EQ(troupe_.end("alice"), -SIGKILL);
  Plan plan = troupe_.plan("alice", alice_at);
  EXPECT_EQ(plan.life, 1u);
  plan.harms = {{78, "bob@b.test", scenario::MessageHarm::duplicate, 1}};
  troupe_.start("alice", encode(plan));
  EXPECT_TRUE(troupe_.until([&] { return troupe_.harmed().size() == 2; }));
  EXPECT_EQ(troupe_.harmed().back(), Harmed{78});
}

// Who has lost the coordinator, by either channel, ends at once and says why; so does who is told nonsense.
TEST_F(ThroughARelay, NobodyOutlivesTheCoordinator) {
  start_all();
  troupe_.hang_up("alice");
  EXPECT_EQ(troupe_.end("alice"), exit_internal);
  EXPECT_THAT(troupe_.log("alice"), HasSubstr("distlab actor: the coordinator is gone\n"));
  EXPECT_TRUE(troupe_.tell_bytes("berlin", "wedge, please"));
  EXPECT_EQ(troupe_.end("berlin"), exit_internal);
  EXPECT_THAT(troupe_.log("berlin"), HasSubstr("distlab actor: bad command: it is not CBOR\n"));
  troupe_.stop_listening("bob");
  EXPECT_EQ(troupe_.end("bob"), exit_internal);
  EXPECT_THAT(troupe_.log("bob"), HasSubstr("distlab actor: nobody reads the events\n"));
}

// Over TCP, with an EPMD as a third process on their machine; a closed connection is noticed at once.
TEST(OverTcp, NodesFindEachOtherThroughEpmd) {
  const std::string port = std::to_string(free_tcp_port());
  Troupe troupe(
      "name: t\nduration: 60s\nsites: { s: {} }\n"
      "node_defaults: { site: s, boot: 0s, epmd_port: " +
          port +
          " }\nnodes: { alice: { name: alice@m.test }, bob: { name: bob@m.test } }\n"
          "workload:\n  - { from: 0s, connect: alice -> bob, every: 200ms }\n"
          "  - { from: 0s, send: alice -> bob, rate: 100/s }\n",
      {{"m.test", alice_at}});
  const std::string epmd = "epmd:m.test:" + port;
  troupe.start(epmd, alice_at);
  ASSERT_TRUE(troupe.until([&] { return troupe.ready(epmd); }));
  troupe.start("bob", alice_at);
  ASSERT_TRUE(troupe.seen(epmd, kinds::epmd_registered)) << troupe.log("bob");
  troupe.start("alice", alice_at);
  ASSERT_TRUE(troupe.seen("bob", kinds::message_received, 20));
  EXPECT_TRUE(troupe.tell("alice", KillClient{}));  // she has none
  troupe.signal("bob", SIGKILL);
  EXPECT_EQ(troupe.end("bob"), -SIGKILL);
  ASSERT_TRUE(troupe.seen("alice", kinds::node_down));
  EXPECT_EQ(text_field(troupe.events("alice", kinds::node_down).front(), "reason"), "connection_closed");
  const auto received = numbers(troupe.events("bob", kinds::message_received));
  EXPECT_EQ(received, counting_to(received.size()));
  EXPECT_TRUE(troupe.tell(epmd, Finish{}));
  EXPECT_EQ(troupe.end(epmd), 0);
}

// A process that cannot have its port says so in an event, and stays: the scenario is told, not the shell.
TEST(OverTcp, SaysWhenAPortIsTaken) {
  const std::string port = std::to_string(free_tcp_port());
  Troupe troupe("name: t\nduration: 60s\nsites: { s: {} }\nnodes: { a: { site: s, name: a@m.test, epmd_port: " + port +
                    " }, b: { site: s, name: b@n.test, epmd_port: " + port + " } }\n",
                {});
  troupe.start("epmd:m.test:" + port, alice_at);
  troupe.start("epmd:n.test:" + port, alice_at);
  const auto complaints = [&] {
    return troupe.count("epmd:m.test:" + port, kinds::log) + troupe.count("epmd:n.test:" + port, kinds::log);
  };
  EXPECT_TRUE(troupe.until([&] { return complaints() == 1; }));
}

// A plan that is garbled, empty, or about something that is not there: code 64 and a line that says why.
TEST(BadPlan, IsRefusedInWords) {
  Troupe troupe("name: t\nduration: 9s\nsites: { s: {} }\nnodes: { a: { site: s } }\n", {});
  const auto refused = [&](const std::vector<uint8_t>& plan) {
    static int n = 0;
    const std::string key = "p" + std::to_string(++n);
    troupe.start(key, plan);
    EXPECT_EQ(troupe.end(key), exit_bad_plan);
    return troupe.log(key);
  };
  EXPECT_EQ(refused({}), "distlab actor: bad plan: it is empty\n");
  EXPECT_EQ(refused({1, 2, 3}), "distlab actor: bad plan: it is not CBOR\n");
  EXPECT_EQ(refused(encode(troupe.plan("b", alice_at))), "distlab actor: bad plan: its scenario has no process 'b'\n");
  Plan plan = troupe.plan("a", alice_at);
  plan.qlog_directory = "/nonexistent";
  EXPECT_THAT(refused(encode(plan)), HasSubstr("bad plan: /nonexistent: No such file or directory\n"));
  plan.scenario = "name: [";
  EXPECT_THAT(refused(encode(plan)), HasSubstr("bad plan: plan:1"));
}

}  // namespace
}  // namespace distlab::actor
