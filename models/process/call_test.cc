// gen_server:call/3 and net_adm:ping/1 between two nodes.
#include "models/process/call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/process/testing/cluster.h"

namespace distlab::process {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

struct CallTest : testing::Test {
  Cluster cluster;
  TestNode& a = cluster.add("a@hosta.test");
  TestNode& b = cluster.add("b@hostb.test");

  void SetUp() override { b.start_services({.pg = false, .global = false, .global_options = {}}); }

  CallOutcome call(const MonitorTarget& server, Term request, std::optional<Duration> timeout = 5s) {
    std::optional<CallOutcome> outcome;
    a.runtime().spawn<CallClient>(server, std::move(request), timeout,
                                  [&](const CallOutcome& result) { outcome = result; });
    EXPECT_TRUE(cluster.run_until([&] { return outcome.has_value(); }));
    cluster.run_for(100ms);
    return outcome.value_or(CallOutcome{});
  }
};

// ping as in the facts: MONITOR_P, REG_SEND {'$gen_call',{Pid,[alias|Ref]},{is_auth,N}} to
// net_kernel, ALIAS_SEND {[alias|Ref],yes}, DEMONITOR_P.
TEST_F(CallTest, PingOnTheWire) {
  const CallOutcome outcome =
      call(RemoteName{"net_kernel", b.self()}, etf::tuple(etf::atom("is_auth"), etf::atom(a.self())));
  EXPECT_EQ(outcome.result, "ok");
  EXPECT_TRUE(outcome.value.is_atom("yes"));
  const auto sent = cluster.wires(a, b);
  ASSERT_THAT(cluster.ops(a, b), ElementsAre(19, 6, 20));
  const auto monitor = sent[0].control.as_tuple(4);
  const Term& client = monitor[1];
  const Term& ref = monitor[3];
  EXPECT_TRUE(monitor[2].is_atom("net_kernel"));
  EXPECT_EQ(sent[1].control, etf::tuple(Term(6), client, etf::atom(""), etf::atom("net_kernel")));
  const Term tag = alias_tag(*ref.as<Ref>());
  EXPECT_EQ(*sent[1].payload, etf::tuple(etf::atom("$gen_call"), etf::tuple(client, tag),
                                         etf::tuple(etf::atom("is_auth"), etf::atom(a.self()))));
  // The answer leaves first: rex at b has asked a for its features as soon as it saw the node.
  std::vector<Wire> answers;
  for (const Wire& wire : cluster.wires(b, a)) {
    if (wire.op == 33) answers.push_back(wire);
  }
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].control.as_tuple(3)[2], ref);
  EXPECT_EQ(*answers[0].payload, etf::tuple(tag, etf::atom("yes")));
  EXPECT_EQ(sent[2].control, etf::tuple(Term(20), client, etf::atom("net_kernel"), ref));
}

// echo answers with the request, by name and by pid, and takes about a round trip.
TEST_F(CallTest, Echo) {
  ASSERT_TRUE(cluster.connect(a, b));
  const Term request = etf::tuple(etf::atom("hello"), etf::binary("world"));
  const CallOutcome by_name = call(RemoteName{"echo", b.self()}, request);
  EXPECT_EQ(by_name.value, request);
  EXPECT_EQ(by_name.elapsed, 2 * Cluster::one_way);
  EXPECT_EQ(call(*b.runtime().whereis("echo"), request).value, request);
}

// A name nobody has: noproc.
TEST_F(CallTest, Noproc) {
  const CallOutcome outcome = call(RemoteName{"nobody", b.self()}, Term(1));
  EXPECT_EQ(outcome.result, "noproc");
  EXPECT_TRUE(outcome.value.is_atom("noproc"));
}

// A server that does not answer: timeout after exactly that time, and DEMONITOR_P; its late answer
// finds no alias any more.
TEST_F(CallTest, Timeout) {
  Probe* server = b.runtime().spawn<Probe>();
  const CallOutcome outcome = call(server->self(), Term(1), 50ms);
  EXPECT_EQ(outcome.result, "timeout");
  EXPECT_TRUE(outcome.value.is_atom("timeout"));
  EXPECT_EQ(outcome.elapsed, 50ms);
  EXPECT_THAT(cluster.ops(a, b), ElementsAre(19, 22, 20));
}

// No connection, and one that is lost: {nodedown, Node}.
TEST_F(CallTest, Nodedown) {
  Probe* server = b.runtime().spawn<Probe>();
  cluster.world().after(50ms, [&] { cluster.cut(a, b); });
  const CallOutcome lost = call(server->self(), Term(1), std::nullopt);
  EXPECT_EQ(lost.result, "nodedown");
  EXPECT_EQ(lost.value, etf::tuple(etf::atom("nodedown"), etf::atom(b.self())));
  EXPECT_EQ(call(server->self(), Term(1)).result, "nodedown");
}

// The server dies of something else: its reason.
TEST_F(CallTest, ServerDies) {
  Probe* server = b.runtime().spawn<Probe>();
  server->react = [](Probe& self, const Term&) { self.exit(etf::atom("bug")); };
  const CallOutcome outcome = call(server->self(), Term(1));
  EXPECT_EQ(outcome.result, "exit");
  EXPECT_TRUE(outcome.value.is_atom("bug"));
}

// A tag without an alias is answered by a plain message to the pid.
TEST_F(CallTest, PlainTag) {
  Probe* client = a.runtime().spawn<Probe>();
  client->send(RemoteName{"echo", b.self()}, gen_call(client->self(), Term(42), Term(7)));
  cluster.run_for(100ms);
  ASSERT_EQ(client->messages.size(), 1u);
  EXPECT_EQ(client->messages[0], etf::tuple(Term(42), Term(7)));
}

}  // namespace
}  // namespace distlab::process
