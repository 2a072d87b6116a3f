// erpc and rpc between two nodes, with the messages seen on the wire in the facts.
#include "models/process/rpc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/process/testing/cluster.h"

namespace distlab::process {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

struct RpcTest : testing::Test {
  Cluster cluster;
  TestNode& a = cluster.add("a@hosta.test");
  TestNode& b = cluster.add("b@hostb.test");

  RpcOutcome call(RpcKind kind, const std::string& module, const std::string& function, std::vector<Term> arguments,
                  std::optional<Duration> timeout = std::nullopt) {
    std::optional<RpcOutcome> outcome;
    a.runtime().spawn<RpcClient>(RpcClient::Request{kind, b.self(), module, function, std::move(arguments), timeout},
                                 [&](const RpcOutcome& result) { outcome = result; });
    EXPECT_TRUE(cluster.run_until([&] { return outcome.has_value(); }));
    cluster.run_for(100ms);
    return outcome.value_or(RpcOutcome{});
  }
  static Term badrpc_exit(Term reason) {
    return etf::tuple(etf::atom("badrpc"), etf::tuple(etf::atom("EXIT"), std::move(reason)));
  }
};

// SPAWN_REQUEST {erpc,execute_call,4} [monitor] [Ref,M,F,A] -> SPAWN_REPLY with the monitor flag ->
// PAYLOAD_MONITOR_P_EXIT with {Ref, return, Value}.
TEST_F(RpcTest, WireSequence) {
  const RpcOutcome outcome = call(RpcKind::erpc, "erlang", "node", {});
  EXPECT_EQ(outcome.result, "ok");
  EXPECT_TRUE(outcome.value.is_atom(b.self()));
  EXPECT_EQ(outcome.elapsed, 4 * Cluster::one_way);  // two to connect, two for the call

  ASSERT_THAT(cluster.ops(a, b), ElementsAre(29));
  const Wire request = cluster.wires(a, b)[0];
  const auto control = request.control.as_tuple(6);
  ASSERT_EQ(control.size(), 6u);
  EXPECT_EQ(control[4], etf::tuple(etf::atom("erpc"), etf::atom("execute_call"), Term(4)));
  EXPECT_EQ(control[5], etf::list({etf::atom("monitor")}));
  const auto arguments = *request.payload->as_list();
  ASSERT_EQ(arguments.size(), 4u);
  EXPECT_NE(arguments[0].as<Ref>(), nullptr);
  EXPECT_TRUE(arguments[1].is_atom("erlang"));
  EXPECT_TRUE(arguments[2].is_atom("node"));
  EXPECT_EQ(arguments[3], etf::list({}));

  ASSERT_THAT(cluster.ops(b, a), ElementsAre(31, 28));
  const auto reply = cluster.wires(b, a)[0].control.as_tuple(5);
  EXPECT_EQ(reply[1], control[1]);
  EXPECT_EQ(reply[2], control[2]);
  EXPECT_EQ(reply[3], Term(2));
  EXPECT_NE(reply[4].as<Pid>(), nullptr);
  const Wire down = cluster.wires(b, a)[1];
  EXPECT_EQ(down.control, etf::tuple(Term(28), reply[4], control[2], control[1]));
  EXPECT_EQ(*down.payload, etf::tuple(arguments[0], etf::atom("return"), etf::atom(b.self())));
}

// What the function raises comes back by class: erpc as an exception, rpc as rpcify makes it.
TEST_F(RpcTest, Exceptions) {
  const Term reason = etf::atom("why");
  EXPECT_EQ(call(RpcKind::erpc, "erlang", "exit", {reason}).value,
            etf::tuple(etf::atom("exit"), etf::tuple(etf::atom("exception"), reason)));
  EXPECT_EQ(call(RpcKind::rpc, "erlang", "exit", {reason}).value, badrpc_exit(reason));
  EXPECT_EQ(call(RpcKind::erpc, "erlang", "throw", {reason}).value, etf::tuple(etf::atom("throw"), reason));
  EXPECT_EQ(call(RpcKind::rpc, "erlang", "throw", {reason}).value, reason);
  const RpcOutcome error = call(RpcKind::erpc, "erlang", "error", {reason});
  EXPECT_EQ(error.result, "exception");
  const auto parts = error.value.as_tuple(2)[1].as_tagged("exception", 3);
  ASSERT_FALSE(parts.empty());
  EXPECT_EQ(parts[1], reason);
}

// An unknown function is undef with the call as its stack, as a BEAM's is.
TEST_F(RpcTest, Undefined) {
  const Term frame = etf::tuple(etf::atom("no"), etf::atom("where"), etf::list({Term(1)}), etf::list({}));
  EXPECT_EQ(call(RpcKind::rpc, "no", "where", {Term(1)}).value,
            badrpc_exit(etf::tuple(etf::atom("undef"), etf::list({frame}))));
}

// A call that takes longer than its timeout ends with it, and the late answer is of no effect:
// DEMONITOR_P goes out instead.
TEST_F(RpcTest, Timeout) {
  const RpcOutcome rpc = call(RpcKind::rpc, "timer", "sleep", {Term(1000)}, 50ms);
  EXPECT_EQ(rpc.result, "timeout");
  EXPECT_EQ(rpc.value, etf::tuple(etf::atom("badrpc"), etf::atom("timeout")));
  EXPECT_EQ(rpc.elapsed, 50ms);
  EXPECT_THAT(cluster.ops(a, b), ElementsAre(29, 20));
  EXPECT_EQ(call(RpcKind::erpc, "timer", "sleep", {Term(1000)}, 50ms).value,
            etf::tuple(etf::atom("error"), etf::tuple(etf::atom("erpc"), etf::atom("timeout"))));
}

// A request abandoned before its reply came is taken back when the reply arrives.
TEST_F(RpcTest, AbandonedBeforeTheReply) {
  ASSERT_TRUE(cluster.connect(a, b));
  EXPECT_EQ(call(RpcKind::rpc, "timer", "sleep", {Term(1000)}, 1ms).result, "timeout");
  EXPECT_THAT(cluster.ops(a, b), ElementsAre(29, 20));
}

// Without a connection: erpc raises {erpc, noconnection}, rpc returns {badrpc, nodedown}.
TEST_F(RpcTest, NoConnection) {
  cluster.forbid(a, b);
  const RpcOutcome rpc = call(RpcKind::rpc, "erlang", "node", {});
  EXPECT_EQ(rpc.result, "nodedown");
  EXPECT_EQ(rpc.value, etf::tuple(etf::atom("badrpc"), etf::atom("nodedown")));
  EXPECT_EQ(call(RpcKind::erpc, "erlang", "node", {}).value,
            etf::tuple(etf::atom("error"), etf::tuple(etf::atom("erpc"), etf::atom("noconnection"))));
}

// The connection goes down while the function runs.
TEST_F(RpcTest, ConnectionLost) {
  cluster.world().after(50ms, [&] { cluster.cut(a, b); });
  EXPECT_EQ(call(RpcKind::rpc, "timer", "sleep", {Term(1000)}).value,
            etf::tuple(etf::atom("badrpc"), etf::atom("nodedown")));
}

// A spawned process that is killed is a signal to erpc.
TEST_F(RpcTest, Killed) {
  cluster.world().after(50ms, [&] {
    const Pid child = *cluster.wires(b, a)[0].control.as_tuple(5)[4].as<Pid>();
    b.runtime().exit_process(child, etf::atom("kill"));
  });
  EXPECT_EQ(call(RpcKind::rpc, "timer", "sleep", {Term(1000)}).value, badrpc_exit(etf::atom("killed")));
}

// spawn_monitor of a plain function: its pid, then `normal`.
TEST_F(RpcTest, SpawnMonitor) {
  std::vector<Term> seen;
  a.runtime().spawn<SpawnMonitor>(b.self(), "distlab", "echo", std::vector<Term>{Term(1)},
                                  SpawnMonitor::Handlers{[&](const Term& pid) { seen.push_back(pid); },
                                                         [&](const Term& reason) { seen.push_back(reason); }});
  cluster.run_for(100ms);
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].as<Pid>()->node, b.self());
  EXPECT_TRUE(seen[1].is_atom("normal"));
}

}  // namespace
}  // namespace distlab::process
