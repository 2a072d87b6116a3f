// Signals between processes of two nodes: links, monitors, exits, names, limits.
#include "models/process/runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/process/testing/cluster.h"

namespace distlab::process {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

struct RuntimeTest : testing::Test {
  Cluster cluster;
  TestNode& a = cluster.add("a@hosta.test");
  TestNode& b = cluster.add("b@hostb.test");
  Probe* pa = a.runtime().spawn<Probe>();
  Probe* pb = b.runtime().spawn<Probe>();

  void settle() { cluster.run_for(100ms); }
  static Term number(int64_t value) { return Term(value); }
};

// A pid carries the node's name and creation, and numbers in the ranges OTP 25 uses.
TEST_F(RuntimeTest, PidsNameTheirNode) {
  EXPECT_EQ(pa->self().node, "a@hosta.test");
  EXPECT_EQ(pa->self().creation, a.creation());
  EXPECT_LE(pa->self().id, 0x7fffu);
  EXPECT_TRUE(a.runtime().alive(pa->self()));
  Pid of_an_earlier_life = pa->self();
  of_an_earlier_life.creation += 1;
  EXPECT_FALSE(a.runtime().alive(of_an_earlier_life));
}

// A message to a pid, to a name at a node and to a local process arrive, in the order sent.
TEST_F(RuntimeTest, MessagesArriveInOrder) {
  ASSERT_TRUE(b.runtime().register_name("inbox", pb->self()));
  pa->send(pb->self(), number(1));
  pa->send(RemoteName{"inbox", b.self()}, number(2));
  pa->send(pa->self(), number(3));
  settle();
  EXPECT_THAT(pb->messages, ElementsAre(number(1), number(2)));
  EXPECT_THAT(pa->messages, ElementsAre(number(3)));
  EXPECT_THAT(cluster.ops(a, b), ElementsAre(22, 6));
}

// Signals to a process that does not exist are dropped, or answered with noproc where the protocol
// has an answer.
TEST_F(RuntimeTest, TheDeadAnswerNoproc) {
  const Pid gone = pb->self();
  pb->exit(etf::atom("normal"));
  settle();
  pa->trap_exit(true);
  pa->send(gone, number(1));
  pa->send(RemoteName{"nobody", b.self()}, number(2));
  pa->monitor(gone);
  pa->monitor(RemoteName{"nobody", b.self()});
  pa->link(gone);
  settle();
  ASSERT_EQ(pa->downs.size(), 2u);
  EXPECT_TRUE(pa->downs[0].reason.is_atom("noproc"));
  EXPECT_EQ(std::get<RemoteName>(pa->downs[1].object), (RemoteName{"nobody", b.self()}));
  ASSERT_EQ(pa->exits.size(), 1u);
  EXPECT_TRUE(pa->exits[0].second.is_atom("noproc"));
  EXPECT_THAT(cluster.ops(b, a), ElementsAre(28, 28, 24));
}

// A monitored process that ends is reported with its reason, once, to local and remote watchers.
TEST_F(RuntimeTest, MonitorsFireWithTheReason) {
  Probe* local = b.runtime().spawn<Probe>();
  const Ref remote_ref = pa->monitor(pb->self());
  const Ref local_ref = local->monitor(pb->self());
  settle();
  pb->exit(etf::tuple(etf::atom("oops"), number(7)));
  settle();
  ASSERT_EQ(pa->downs.size(), 1u);
  EXPECT_EQ(pa->downs[0].ref, remote_ref);
  EXPECT_EQ(pa->downs[0].reason, etf::tuple(etf::atom("oops"), number(7)));
  ASSERT_EQ(local->downs.size(), 1u);
  EXPECT_EQ(local->downs[0].ref, local_ref);
}

// After demonitor no DOWN comes, not even one that was already waiting in the mailbox.
TEST_F(RuntimeTest, DemonitorFlushes) {
  const Ref ref = pa->monitor(RemoteName{"nobody", a.self()});
  pa->demonitor(ref);
  const Ref remote = pa->monitor(pb->self());
  settle();
  pa->demonitor(remote);
  settle();
  pb->exit(etf::atom("gone"));
  settle();
  EXPECT_TRUE(pa->downs.empty());
  EXPECT_THAT(cluster.ops(a, b), ElementsAre(19, 20));
  EXPECT_TRUE(cluster.ops(b, a).empty());
}

// A link carries the reason to a process that traps exits, and kills one that does not.
TEST_F(RuntimeTest, LinksCarryExits) {
  Probe* victim = a.runtime().spawn<Probe>();
  const Pid victim_pid = victim->self();
  pa->trap_exit(true);
  pa->link(pb->self());
  victim->link(pb->self());
  settle();
  pb->exit(etf::atom("crash"));
  settle();
  ASSERT_EQ(pa->exits.size(), 1u);
  EXPECT_TRUE(pa->exits[0].second.is_atom("crash"));
  EXPECT_FALSE(a.runtime().alive(victim_pid));
  EXPECT_THAT(cluster.ops(b, a), ElementsAre(24, 24));
}

// `normal` passes a link without effect; exit/2 with kill ends even a process that traps exits, and
// its links and monitors see `killed`.
TEST_F(RuntimeTest, NormalAndKill) {
  Probe* quiet = b.runtime().spawn<Probe>();
  const Pid quiet_pid = quiet->self();
  pa->link(quiet_pid);
  settle();
  quiet->exit(etf::atom("normal"));
  settle();
  EXPECT_TRUE(a.runtime().alive(pa->self()));

  pb->trap_exit(true);
  pa->monitor(pb->self());
  pa->exit_other(pb->self(), etf::atom("polite"));
  settle();
  ASSERT_EQ(pb->exits.size(), 1u);
  pa->exit_other(pb->self(), etf::atom("kill"));
  settle();
  ASSERT_EQ(pa->downs.size(), 1u);
  EXPECT_TRUE(pa->downs[0].reason.is_atom("killed"));
  EXPECT_THAT(cluster.ops(a, b), ElementsAre(1, 19, 26, 26));
}

// Unlinking sends UNLINK_ID, which is answered by the acknowledgement with the same id; an exit
// that crosses it has no effect.
TEST_F(RuntimeTest, UnlinkIsAcknowledged) {
  pa->link(pb->self());
  settle();
  cluster.forget_wires();
  pa->unlink(pb->self());
  pb->exit(etf::atom("crossing"));
  settle();
  EXPECT_TRUE(a.runtime().alive(pa->self()));
  ASSERT_THAT(cluster.ops(a, b), ElementsAre(35));
  ASSERT_THAT(cluster.ops(b, a), ElementsAre(24, 36));
  const auto unlink = cluster.wires(a, b)[0].control.as_tuple(4);
  const auto ack = cluster.wires(b, a)[1].control.as_tuple(4);
  EXPECT_EQ(unlink[1], ack[1]);
  EXPECT_EQ(ack[2], unlink[3]);  // {36, Id, from the one that was unlinked, to the other}
  EXPECT_EQ(ack[3], unlink[2]);
}

// A link that is made again while the unlink is out is a new one: the late acknowledgement does not
// end it.
TEST_F(RuntimeTest, LinkAfterUnlink) {
  pa->trap_exit(true);
  pa->link(pb->self());
  settle();
  pa->unlink(pb->self());
  pa->link(pb->self());
  settle();
  pb->exit(etf::atom("crash"));
  settle();
  EXPECT_EQ(pa->exits.size(), 1u);
}

// A connection that goes down fires monitors and links with noconnection, before the nodedown; and
// the watchers the peer had are forgotten.
TEST_F(RuntimeTest, NodeDownFiresWithNoconnection) {
  pa->trap_exit(true);
  pa->watch_nodes();
  pa->monitor(pb->self());
  pa->monitor(RemoteName{"echo", b.self()});
  pb->monitor(pa->self());
  b.runtime().register_name("echo", pb->self());
  pa->link(pb->self());
  settle();
  cluster.cut(a, b);
  settle();
  ASSERT_EQ(pa->downs.size(), 2u);
  for (const Down& down : pa->downs) EXPECT_TRUE(down.reason.is_atom("noconnection"));
  ASSERT_EQ(pa->exits.size(), 1u);
  EXPECT_TRUE(pa->exits[0].second.is_atom("noconnection"));
  EXPECT_THAT(pa->nodes_up, ElementsAre("b@hostb.test"));
  EXPECT_THAT(pa->nodes_down, ElementsAre("b@hostb.test connection_closed"));
  cluster.forget_wires();
  pa->exit(etf::atom("later"));
  settle();
  EXPECT_TRUE(cluster.wires(a, b).empty());
}

// What waits for a connection that cannot be made ends with noconnection too, without a nodedown.
TEST_F(RuntimeTest, ConnectFailedFiresWithNoconnection) {
  cluster.forbid(a, b);
  pa->trap_exit(true);
  pa->watch_nodes();
  pa->monitor(pb->self());
  pa->link(pb->self());
  pa->send(pb->self(), number(1));
  pa->spawn_request(b.self(), "distlab", "echo", {number(1)}, SpawnReplies::yes);
  settle();
  ASSERT_EQ(pa->downs.size(), 1u);
  EXPECT_TRUE(pa->downs[0].reason.is_atom("noconnection"));
  ASSERT_EQ(pa->exits.size(), 1u);
  ASSERT_EQ(pa->spawn_replies.size(), 1u);
  EXPECT_TRUE(pa->spawn_replies[0].second.is_atom("noconnection"));
  EXPECT_TRUE(pa->nodes_down.empty());
}

// `noconnect` neither sets up a connection nor fails; once one is being set up it goes along.
TEST_F(RuntimeTest, NoconnectSends) {
  pa->send(pb->self(), number(1), {.noconnect = true});
  settle();
  EXPECT_FALSE(a.connected(b.self()));
  pa->send(pb->self(), number(2));
  pa->send(pb->self(), number(3), {.noconnect = true});
  settle();
  EXPECT_THAT(pb->messages, ElementsAre(number(2), number(3)));
}

// An alias takes messages until its monitor ends; with reply_demonitor, one.
TEST_F(RuntimeTest, Aliases) {
  const Ref until_demonitor = pa->monitor(pb->self(), AliasMode::demonitor);
  const Ref one = pa->monitor(pb->self(), AliasMode::reply_demonitor);
  settle();
  for (int i = 0; i < 2; ++i) {
    pb->send(until_demonitor, number(10 + i));
    pb->send(one, number(20 + i));
  }
  settle();
  EXPECT_THAT(pa->messages, ElementsAre(number(10), number(20), number(11)));
  pa->demonitor(until_demonitor);
  pb->send(until_demonitor, number(12));
  settle();
  EXPECT_EQ(pa->messages.size(), 3u);
  EXPECT_THAT(cluster.ops(a, b), ElementsAre(19, 19, 20, 20));
  EXPECT_THAT(cluster.ops(b, a), ElementsAre(33, 33, 33, 33, 33));
}

// A name belongs to one living process, and a process has one name.
TEST_F(RuntimeTest, Names) {
  Runtime& runtime = a.runtime();
  EXPECT_TRUE(runtime.register_name("one", pa->self()));
  EXPECT_FALSE(runtime.register_name("two", pa->self()));
  EXPECT_FALSE(runtime.register_name("one", runtime.spawn<Probe>()->self()));
  EXPECT_EQ(runtime.whereis("one"), pa->self());
  const Pid old = pa->self();
  pa->exit(etf::atom("normal"));
  settle();
  EXPECT_EQ(runtime.whereis("one"), std::nullopt);
  EXPECT_FALSE(runtime.register_name("three", old));
}

// A control message whose sender is not of the node it comes from takes the connection down, as
// an invalid distribution message does in OTP.
TEST_F(RuntimeTest, ForgedSendersEndTheConnection) {
  ASSERT_TRUE(cluster.connect(a, b));
  Pid forged = pb->self();
  forged.node = "c@hostc.test";
  b.inject(a.self(), {dist::Link{forged, pa->self()}, {}});
  settle();
  EXPECT_FALSE(a.connected(b.self()));
  EXPECT_THAT(cluster.logs(a), ElementsAre("Invalid distribution message from 'b@hostb.test'"));
}

// A full mailbox loses messages, logs that once, and works again when it has room.
TEST(RuntimeLimits, MailboxIsBounded) {
  Cluster cluster;
  TestNode& a = cluster.add("a@hosta.test", dist::otp_25_visible, {.mailbox = 10});
  Probe* probe = a.runtime().spawn<Probe>();
  for (int i = 0; i < 50; ++i) a.runtime().send(probe->self(), Term(i));
  cluster.run_for(1ms);
  EXPECT_LE(probe->messages.size(), 10u);
  EXPECT_GE(probe->messages.size(), 9u);  // its start is a signal too
  EXPECT_EQ(cluster.logs(a).size(), 1u);
  a.runtime().send(probe->self(), etf::atom("again"));
  cluster.run_for(1ms);
  EXPECT_TRUE(probe->messages.back().is_atom("again"));
}

// Beyond the process limit nothing starts, and a peer is told system_limit.
TEST(RuntimeLimits, ProcessesAreBounded) {
  Cluster cluster;
  TestNode& a = cluster.add("a@hosta.test");
  TestNode& b = cluster.add("b@hostb.test", dist::otp_25_visible, {.processes = 1});
  EXPECT_NE(b.runtime().spawn<Probe>(), nullptr);
  EXPECT_EQ(b.runtime().spawn<Probe>(), nullptr);
  Probe* probe = a.runtime().spawn<Probe>();
  probe->spawn_request(b.self(), "distlab", "echo", {Term(1)}, SpawnReplies::yes);
  cluster.run_for(100ms);
  ASSERT_EQ(probe->spawn_replies.size(), 1u);
  EXPECT_TRUE(probe->spawn_replies[0].second.is_atom("system_limit"));
}

// Two local processes that answer each other for ever do not stop time.
TEST(RuntimeLimits, EndlessTalkLetsOthersRun) {
  Cluster cluster;
  cluster.world().set_max_events(1000);
  TestNode& a = cluster.add("a@hosta.test");
  Probe* probe = a.runtime().spawn<Probe>();
  int rounds = 0;
  bool other_ran = false;
  probe->react = [&](Probe& self, const Term& message) {
    self.messages.clear();
    if (++rounds < 100'000) self.send(self.self(), message);
  };
  cluster.world().after(1us, [&] { other_ran = true; });
  a.runtime().send(probe->self(), etf::atom("go"));
  cluster.run_for(1ms);
  EXPECT_TRUE(other_ran);
  EXPECT_EQ(rounds, 100'000);
}

}  // namespace
}  // namespace distlab::process
