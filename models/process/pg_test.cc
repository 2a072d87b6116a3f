// Process groups across nodes, with the messages seen on the wire in the facts.
#include "models/process/pg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/host/event_kinds.h"
#include "models/process/testing/cluster.h"

namespace distlab::process {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr ServiceOptions only_pg{.pg = true, .global = false, .global_options = {}};

struct PgTest : testing::Test {
  Cluster cluster;
  TestNode& a = cluster.add("a@hosta.test");
  TestNode& b = cluster.add("b@hostb.test");
  const Term group = etf::atom("g");

  Pg& pg(TestNode& node) { return *node.services().pg(); }
  Probe* member(TestNode& node) { return node.runtime().spawn<Probe>(); }
  void settle() { cluster.run_for(100ms); }
  void start(TestNode& node) {
    node.start_services(only_pg);
    settle();
  }
  // What went to the scope server of `to`, without rex's questions.
  std::vector<Term> to_pg(const TestNode& from, const TestNode& to) {
    std::vector<Term> found;
    for (const Wire& wire : cluster.wires(from, to)) {
      const bool to_name = wire.op == 6 && wire.control.as_tuple(4)[3].is_atom("pg");
      const bool to_pid = wire.op == 22 && wire.payload->as_tagged("features_reply", 3).empty();
      if (to_name || to_pid) found.push_back(*wire.payload);
    }
    return found;
  }
};

// The exchange of the facts: discover to the name pg -> sync as a cast, a monitor, and discover
// back; then join and leave.
TEST_F(PgTest, WireSequence) {
  start(a);
  start(b);
  Probe* p = member(a);
  pg(a).join(group, p->self());
  ASSERT_TRUE(cluster.connect(a, b));
  settle();
  const Pid pg_a = pg(a).self();
  const Pid pg_b = pg(b).self();
  const Term discover_a = etf::tuple(etf::atom("discover"), pg_a);
  const Term sync_a =
      gen_cast(etf::tuple(etf::atom("sync"), pg_a, etf::list({etf::tuple(group, etf::list({p->self()}))})));
  // Both discover at nodeup; each answers with sync, and asks back whom it did not know.
  EXPECT_THAT(to_pg(a, b), ElementsAre(discover_a, sync_a, discover_a, sync_a));
  EXPECT_THAT(pg(b).members(group), ElementsAre(p->self()));
  EXPECT_EQ(pg(a).peers(), 1u);

  cluster.forget_wires();
  Probe* q = member(b);
  pg(b).join(group, q->self());
  settle();
  EXPECT_TRUE(pg(b).leave(group, q->self()));
  settle();
  EXPECT_THAT(to_pg(b, a), ElementsAre(etf::tuple(etf::atom("join"), pg_b, group, q->self()),
                                       etf::tuple(etf::atom("leave"), pg_b, q->self(), etf::list({group}))));
}

// Members of both nodes are seen on both; a process that joined twice is in the group twice.
TEST_F(PgTest, MembersOnBothSides) {
  start(a);
  start(b);
  ASSERT_TRUE(cluster.connect(a, b));
  Probe* p = member(a);
  Probe* q = member(b);
  pg(a).join(group, p->self());
  pg(b).join(group, q->self());
  pg(b).join(group, q->self());
  settle();
  EXPECT_THAT(pg(a).members(group), UnorderedElementsAre(p->self(), q->self(), q->self()));
  EXPECT_THAT(pg(b).members(group), UnorderedElementsAre(p->self(), q->self(), q->self()));
  EXPECT_THAT(pg(a).local_members(group), ElementsAre(p->self()));
  EXPECT_TRUE(pg(b).leave(group, q->self()));
  settle();
  EXPECT_THAT(pg(a).members(group), UnorderedElementsAre(p->self(), q->self()));
  EXPECT_FALSE(pg(a).leave(etf::atom("other"), p->self()));
}

// A member that dies leaves all its groups, here and at the peers.
TEST_F(PgTest, MemberDies) {
  start(a);
  start(b);
  ASSERT_TRUE(cluster.connect(a, b));
  Probe* p = member(a);
  pg(a).join(group, p->self());
  pg(a).join(etf::atom("h"), p->self());
  settle();
  EXPECT_EQ(pg(b).groups().size(), 2u);
  p->exit(etf::atom("crash"));
  settle();
  EXPECT_THAT(pg(a).groups(), IsEmpty());
  EXPECT_THAT(pg(b).groups(), IsEmpty());
}

// When the connection goes, so do the peer's members; after a reconnect they are back.
TEST_F(PgTest, ConnectionLostAndBack) {
  start(a);
  start(b);
  ASSERT_TRUE(cluster.connect(a, b));
  Probe* p = member(a);
  Probe* q = member(b);
  pg(a).join(group, p->self());
  pg(b).join(group, q->self());
  settle();
  cluster.cut(a, b);
  settle();
  EXPECT_THAT(pg(a).members(group), ElementsAre(p->self()));
  EXPECT_THAT(pg(b).members(group), ElementsAre(q->self()));
  cluster.forbid(a, b, false);
  ASSERT_TRUE(cluster.connect(b, a));
  settle();
  EXPECT_THAT(pg(a).members(group), UnorderedElementsAre(p->self(), q->self()));
  EXPECT_THAT(pg(b).members(group), UnorderedElementsAre(p->self(), q->self()));
}

// Every change is recorded with the number of members.
TEST_F(PgTest, RecordsChanges) {
  start(a);
  Probe* p = member(a);
  pg(a).join(group, p->self());
  pg(a).leave(group, p->self());
  const auto events = cluster.world().events_of(a.self(), kinds::group_changed);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(std::get<int64_t>(events[0].event.fields[1].value), 1);
  EXPECT_EQ(std::get<int64_t>(events[1].event.fields[1].value), 0);
}

// A sync replaces what was known of the peer; join and leave of strangers, and nonsense, are
// ignored.
TEST_F(PgTest, SyncReplacesAndStrangersAreIgnored) {
  start(b);
  Probe* server = a.runtime().spawn<Probe>();
  const Pid peer = server->self();
  const RemoteName pg_b{"pg", b.self()};
  const Pid x{a.self(), 500, 0, a.creation()};
  const Pid y{a.self(), 501, 0, a.creation()};
  const auto sync = [&](Term groups) {
    server->send(pg_b, gen_cast(etf::tuple(etf::atom("sync"), peer, std::move(groups))));
  };
  server->send(pg_b, etf::tuple(etf::atom("join"), peer, group, x));
  settle();
  EXPECT_THAT(pg(b).groups(), IsEmpty());
  sync(etf::list({etf::tuple(group, etf::list({x})), etf::tuple(etf::atom("h"), etf::list({x, y}))}));
  settle();
  EXPECT_EQ(pg(b).groups().size(), 2u);
  sync(etf::list({etf::tuple(group, etf::list({y}))}));
  server->send(pg_b, etf::tuple(etf::atom("leave"), peer, x, etf::list({group, etf::atom("h")})));
  server->send(pg_b, etf::tuple(etf::atom("join"), peer, group, etf::atom("no_pid")));
  server->send(pg_b, etf::tuple(etf::atom("leave"), peer, etf::atom("no_pid"), Term(1)));
  sync(etf::atom("nonsense"));
  settle();
  EXPECT_THAT(pg(b).members(group), ElementsAre(y));
  EXPECT_EQ(pg(b).groups().size(), 1u);
}

}  // namespace
}  // namespace distlab::process
