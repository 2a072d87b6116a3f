// Towards peers that lack capabilities: the rows of the facts' table "missing flag" that concern
// what processes send.
#include "models/process/peer_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/process/call.h"
#include "models/process/rpc.h"
#include "models/process/testing/cluster.h"

namespace distlab::process {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;

constexpr ServiceOptions small_services{.pg = false, .global = false, .global_options = {}};

struct PeerFlagsTest : testing::Test {
  Cluster cluster;
  TestNode& a = cluster.add("a@hosta.test");

  TestNode& peer_without(dist::Flags missing) {
    TestNode& b = cluster.add("b@hostb.test", dist::otp_25_visible & ~missing);
    b.start_services(small_services);
    return b;
  }
  std::string_view call(TestNode& to, const std::string& name, Duration timeout) {
    std::string_view result;
    a.runtime().spawn<CallClient>(RemoteName{name, to.self()}, Term(1), timeout,
                                  [&](const CallOutcome& outcome) { result = outcome.result; });
    EXPECT_TRUE(cluster.run_until([&] { return !result.empty(); }));
    cluster.run_for(100ms);
    return result;
  }
};

// DIST_MONITOR_NAME: no MONITOR_P by name is sent. Calls work, one to a missing name waits its
// timeout, and the monitor still fires when the connection is lost.
TEST_F(PeerFlagsTest, WithoutMonitorName) {
  TestNode& b = peer_without(dist::flag::dist_monitor_name);
  ASSERT_TRUE(cluster.connect(a, b));
  EXPECT_EQ(call(b, "echo", 1s), "ok");
  EXPECT_EQ(call(b, "nobody", 1s), "timeout");
  EXPECT_THAT(cluster.ops(a, b), Not(Contains(19)));
  Probe* probe = a.runtime().spawn<Probe>();
  probe->monitor(RemoteName{"echo", b.self()});
  cluster.run_for(100ms);
  cluster.cut(a, b);
  cluster.run_for(100ms);
  ASSERT_EQ(probe->downs.size(), 1u);
  EXPECT_TRUE(probe->downs[0].reason.is_atom("noconnection"));
}

// SPAWN: {badrpc, notsup} and no fallback to rex, also for a request that waited for the
// connection.
TEST_F(PeerFlagsTest, WithoutSpawn) {
  TestNode& b = peer_without(dist::flag::spawn);
  for (const char* when : {"while connecting", "while connected"}) {
    std::optional<RpcOutcome> outcome;
    a.runtime().spawn<RpcClient>(RpcClient::Request{RpcKind::rpc, b.self(), "erlang", "node", {}, std::nullopt},
                                 [&](const RpcOutcome& result) { outcome = result; });
    ASSERT_TRUE(cluster.run_until([&] { return outcome.has_value(); })) << when;
    EXPECT_EQ(outcome->result, "notsup") << when;
    EXPECT_EQ(outcome->value, etf::tuple(etf::atom("badrpc"), etf::atom("notsup"))) << when;
  }
  EXPECT_TRUE(cluster.wires(a, b).empty());
}

// ALIAS: a peer that does not know aliases answers calls to the pid, with the tag unchanged; what
// is sent to one of its references is lost.
TEST_F(PeerFlagsTest, WithoutAlias) {
  TestNode& b = peer_without(dist::flag::alias);
  Probe* server = b.runtime().spawn<Probe>();
  server->react = [](Probe& self, const Term& message) {
    const auto request = as_gen_call(message);
    if (request) self.send(request->from, etf::tuple(request->tag, Term(5)));
  };
  b.runtime().register_name("server", server->self());
  EXPECT_EQ(call(b, "server", 1s), "ok");
  Probe* probe = a.runtime().spawn<Probe>();
  probe->send(b.runtime().make_ref(), Term(1));
  cluster.run_for(100ms);
  EXPECT_THAT(cluster.ops(a, b), Not(Contains(33)));
}

// EXIT_PAYLOAD: reasons travel inside MONITOR_P_EXIT (21), EXIT (3) and EXIT2 (8), both ways.
TEST_F(PeerFlagsTest, WithoutExitPayload) {
  TestNode& b = cluster.add("b@hostb.test", dist::otp_25_visible & ~dist::flag::exit_payload);
  Probe* pa = a.runtime().spawn<Probe>();
  Probe* pb = b.runtime().spawn<Probe>();
  Probe* other = b.runtime().spawn<Probe>();
  pb->trap_exit(true);
  pb->link(pa->self());
  pb->monitor(pa->self());
  other->monitor(pa->self());
  cluster.run_for(100ms);
  const Pid other_pid = other->self();
  pa->exit_other(other_pid, etf::atom("go"));
  pa->exit(etf::tuple(etf::atom("end"), Term(1)));
  cluster.run_for(100ms);
  EXPECT_THAT(cluster.ops(a, b), ElementsAre(8, 21, 21, 3));
  ASSERT_EQ(pb->downs.size(), 1u);
  EXPECT_EQ(pb->downs[0].reason, etf::tuple(etf::atom("end"), Term(1)));
  ASSERT_EQ(pb->exits.size(), 1u);
  EXPECT_EQ(pb->exits[0].second, etf::tuple(etf::atom("end"), Term(1)));
  EXPECT_FALSE(b.runtime().alive(other_pid));
}

// SEND_SENDER: plain SEND.
TEST_F(PeerFlagsTest, WithoutSendSender) {
  TestNode& b = cluster.add("b@hostb.test", dist::otp_25_visible & ~dist::flag::send_sender);
  Probe* pa = a.runtime().spawn<Probe>();
  Probe* pb = b.runtime().spawn<Probe>();
  pa->send(pb->self(), Term(1));
  cluster.run_for(100ms);
  pa->send(pb->self(), Term(2));
  cluster.run_for(100ms);
  EXPECT_THAT(cluster.ops(a, b), ElementsAre(2, 2));
  EXPECT_EQ(pb->messages.size(), 2u);
}

// PUBLISHED: a hidden peer is no visible node; nobody who watches nodes hears of it.
TEST_F(PeerFlagsTest, WithoutPublished) {
  TestNode& b = cluster.add("b@hostb.test", dist::otp_25_visible & ~dist::flag::published);
  Probe* probe = a.runtime().spawn<Probe>();
  probe->watch_nodes();
  ASSERT_TRUE(cluster.connect(a, b));
  cluster.cut(a, b);
  cluster.run_for(100ms);
  EXPECT_TRUE(probe->nodes_up.empty());
  EXPECT_TRUE(probe->nodes_down.empty());
}

}  // namespace
}  // namespace distlab::process
