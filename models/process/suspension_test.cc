// busy_dist_port: a process that sends to a busy peer stands still until there is room.
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/process/call.h"
#include "models/process/testing/cluster.h"

namespace distlab::process {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

struct SuspensionTest : testing::Test {
  Cluster cluster;
  TestNode& a = cluster.add("a@hosta.test");
  TestNode& b = cluster.add("b@hostb.test");
  TestNode& c = cluster.add("c@hostc.test");
  Probe* pa = a.runtime().spawn<Probe>();
  Probe* pb = b.runtime().spawn<Probe>();
  Probe* pc = c.runtime().spawn<Probe>();

  void SetUp() override {
    ASSERT_TRUE(cluster.connect(a, b));
    ASSERT_TRUE(cluster.connect(a, c));
    a.set_busy(b.self(), true);
  }
  void settle() { cluster.run_for(100ms); }
};

// The message that met the busy peer is queued; all the process does afterwards waits, also towards
// others, and happens in order when there is room.
TEST_F(SuspensionTest, WorkWaitsInOrder) {
  pa->send(pb->self(), Term(1));
  pa->send(pc->self(), Term(2));
  pa->send(pb->self(), Term(3));
  settle();
  EXPECT_THAT(pb->messages, ElementsAre(Term(1)));
  EXPECT_TRUE(pc->messages.empty());
  a.set_busy(b.self(), false);
  settle();
  EXPECT_THAT(pc->messages, ElementsAre(Term(2)));
  EXPECT_THAT(pb->messages, ElementsAre(Term(1), Term(3)));
}

// A suspended process handles no signal and no timer; they wait in its mailbox.
TEST_F(SuspensionTest, MailboxAndTimersWait) {
  bool fired = false;
  pa->start_timer(10ms, [&] { fired = true; });
  pa->send(pb->self(), Term(1));
  a.runtime().send(pa->self(), etf::atom("hello"));
  settle();
  EXPECT_TRUE(pa->messages.empty());
  EXPECT_FALSE(fired);
  a.set_busy(b.self(), false);
  settle();
  EXPECT_EQ(pa->messages.size(), 1u);
  EXPECT_TRUE(fired);
}

// A process suspended by one peer does not hold up the others of its node.
TEST_F(SuspensionTest, OthersGoOn) {
  Probe* other = a.runtime().spawn<Probe>();
  pa->send(pb->self(), Term(1));
  other->send(pc->self(), Term(2));
  settle();
  EXPECT_THAT(pc->messages, ElementsAre(Term(2)));
}

// A gen_server whose reply meets a busy peer answers nobody else until that peer has room.
TEST_F(SuspensionTest, AServerStandsStill) {
  a.start_services();
  settle();
  std::vector<std::string> answered;
  const auto call = [&](TestNode& from, const char* name) {
    from.runtime().spawn<CallClient>(RemoteName{"echo", a.self()}, Term(1), std::nullopt,
                                     [&answered, name](const CallOutcome&) { answered.push_back(name); });
  };
  call(b, "b1");
  settle();
  call(c, "c");
  settle();
  EXPECT_THAT(answered, ElementsAre("b1"));  // that reply was queued; the server waits behind it
  a.set_busy(b.self(), false);
  settle();
  EXPECT_THAT(answered, ElementsAre("b1", "c"));
}

// A call whose reply is there returns only when its demonitor/2 does, which the busy peer holds up; the word itself is
// queued at once (gen.erl:do_call/4, dist.c:erts_dsig_send_demonitor).
TEST_F(SuspensionTest, ACallStandsStillInDemonitor) {
  b.start_services();
  a.set_busy(b.self(), false);
  std::optional<CallOutcome> done;
  a.runtime().spawn<CallClient>(RemoteName{"echo", b.self()}, Term(1), std::nullopt,
                                [&](const CallOutcome& outcome) { done = outcome; });
  cluster.run_for(Cluster::one_way / 2);
  a.set_busy(b.self(), true);
  settle();
  EXPECT_FALSE(done);
  EXPECT_EQ(cluster.ops(a, b).back(), 20) << "DEMONITOR_P";
  a.set_busy(b.self(), false);
  settle();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->result, "ok");
  EXPECT_GE(done->elapsed, 100ms);
}

// unlink/1 is held up likewise.
TEST_F(SuspensionTest, UnlinkStandsStill) {
  a.set_busy(b.self(), false);
  pa->link(pb->self());
  settle();
  a.set_busy(b.self(), true);
  pa->unlink(pb->self());
  pa->send(pc->self(), Term(2));
  settle();
  EXPECT_TRUE(pc->messages.empty());
  a.set_busy(b.self(), false);
  settle();
  EXPECT_THAT(pc->messages, ElementsAre(Term(2)));
}

// When the busy peer goes down, whoever it suspended goes on.
TEST_F(SuspensionTest, NodeDownReleases) {
  pa->send(pb->self(), Term(1));
  pa->send(pc->self(), Term(2));
  cluster.cut(a, b);
  settle();
  EXPECT_THAT(pc->messages, ElementsAre(Term(2)));
}

// `nosuspend` queues and goes on.
TEST_F(SuspensionTest, NosuspendGoesOn) {
  pa->send(pb->self(), Term(1), {.nosuspend = true});
  pa->send(pc->self(), Term(2));
  settle();
  EXPECT_THAT(pc->messages, ElementsAre(Term(2)));
}

// A suspended process can be killed; what it had waiting is not done.
TEST_F(SuspensionTest, KilledWhileSuspended) {
  pa->send(pb->self(), Term(1));
  pa->send(pc->self(), Term(2));
  const Pid pid = pa->self();
  a.runtime().exit_process(pid, etf::atom("kill"));
  settle();
  EXPECT_FALSE(a.runtime().alive(pid));
  a.set_busy(b.self(), false);
  settle();
  EXPECT_TRUE(pc->messages.empty());
}

}  // namespace
}  // namespace distlab::process
