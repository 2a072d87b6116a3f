// global between native nodes: joining, names, locks, conflicts.
#include "models/process/global.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/host/event_kinds.h"
#include "models/process/call.h"
#include "models/process/testing/cluster.h"

namespace distlab::process {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr ServiceOptions with_global{.pg = false, .global = true, .global_options = {}};

struct GlobalTest : testing::Test {
  Cluster cluster;
  TestNode& a = cluster.add("a@hosta.test");
  TestNode& b = cluster.add("b@hostb.test");
  TestNode& c = cluster.add("c@hostc.test");
  const Term name = etf::atom("the_name");

  void SetUp() override {
    for (TestNode* node : {&a, &b, &c}) node->start_services(with_global);
    cluster.run_for(1ms);
  }
  static Global& global(TestNode& node) { return *node.services().global(); }
  bool sync(TestNode& node) {
    bool done = false;
    global(node).sync([&] { done = true; });
    return cluster.run_until([&] { return done; });
  }
  void join(TestNode& x, TestNode& y) {
    ASSERT_TRUE(cluster.connect(x, y));
    ASSERT_TRUE(sync(x));
    ASSERT_TRUE(sync(y));
    cluster.run_for(1s);
  }
  bool register_at(TestNode& node, const Term& what, const Pid& pid) {
    std::optional<bool> yes;
    global(node).register_name(what, pid, [&](bool result) { yes = result; });
    EXPECT_TRUE(cluster.run_until([&] { return yes.has_value(); }));
    return yes.value_or(false);
  }
  std::vector<std::string> casts(const TestNode& from, const TestNode& to) {
    std::vector<std::string> tags;
    for (const Wire& wire : cluster.wires(from, to)) {
      const bool to_global = wire.op == 6 && wire.control.as_tuple(4)[3].is_atom("global_name_server");
      if (!to_global) continue;
      const auto request = as_gen_cast(*wire.payload);
      const Term& message = request ? *request : *wire.payload;
      if (as_gen_call(message)) continue;
      tags.push_back((*message.as<etf::Tuple>()->elements)[0].as_atom()->text);
    }
    return tags;
  }
};

// Two nodes that connect are in sync soon, and exchange what the algorithm's description lists.
TEST_F(GlobalTest, TwoNodesSync) {
  ASSERT_TRUE(cluster.connect(a, b));
  const Time start = cluster.world().now();
  ASSERT_TRUE(sync(a));
  ASSERT_TRUE(sync(b));
  EXPECT_LT(cluster.world().now() - start, 1s);  // lockers wait 200 ms before they begin
  EXPECT_THAT(global(a).known(), ElementsAre(b.self()));
  EXPECT_THAT(global(b).synced(), ElementsAre(a.self()));
  cluster.run_for(5s);
  const auto tags = casts(a, b);
  ASSERT_GE(tags.size(), 5u);
  EXPECT_THAT(std::vector(tags.begin(), tags.begin() + 2), ElementsAre("init_connect", "init_connect_ack"));
  EXPECT_THAT(std::vector(tags.end() - 2, tags.end()), ElementsAre("exchange", "resolved"));
}

// The first message to a new node is init_connect of protocol version 8.
TEST_F(GlobalTest, InitConnectOnTheWire) {
  ASSERT_TRUE(cluster.connect(a, b));
  cluster.run_for(10ms);
  std::optional<Term> init;
  for (const Wire& wire : cluster.wires(a, b)) {
    const auto request = wire.op == 6 ? as_gen_cast(*wire.payload) : std::nullopt;
    if (request && !request->as_tagged("init_connect", 4).empty()) init = request;
  }
  ASSERT_TRUE(init);
  const auto parts = init->as_tuple(4);
  EXPECT_EQ(parts[1].as_tuple(2)[0], Term(8));
  EXPECT_TRUE(parts[1].as_tuple(2)[1].as_int());
  EXPECT_TRUE(parts[2].is_atom(a.self()));
  const auto locker = parts[3].as_tagged("locker", 4);
  ASSERT_FALSE(locker.empty());
  EXPECT_NE(locker[3].as<Pid>(), nullptr);
}

// A node that connects to one node of a partition is connected to all of it, and in sync with all.
TEST_F(GlobalTest, PartitionsBecomeAMesh) {
  join(a, b);
  ASSERT_TRUE(cluster.connect(b, c));
  ASSERT_TRUE(cluster.run_until([&] { return global(a).synced().size() == 2 && global(c).synced().size() == 2; }));
  for (TestNode* node : {&a, &b, &c}) {
    EXPECT_EQ(node->visible_nodes().size(), 2u) << node->self();
    EXPECT_EQ(global(*node).known().size(), 2u) << node->self();
  }
}

// A name registered at one node is known at all, taken for everyone, and free again once it is
// unregistered or its process is gone.
TEST_F(GlobalTest, NamesAreShared) {
  join(a, b);
  Probe* p = a.runtime().spawn<Probe>();
  Probe* q = b.runtime().spawn<Probe>();
  EXPECT_TRUE(register_at(a, name, p->self()));
  EXPECT_EQ(global(b).whereis_name(name), p->self());
  EXPECT_FALSE(register_at(b, name, q->self()));
  EXPECT_FALSE(register_at(a, etf::atom("second_name"), p->self()));
  bool done = false;
  global(b).unregister_name(name, [&] { done = true; });
  ASSERT_TRUE(cluster.run_until([&] { return done; }));
  EXPECT_EQ(global(a).whereis_name(name), std::nullopt);
  EXPECT_TRUE(register_at(b, name, q->self()));
  EXPECT_EQ(global(a).whereis_name(name), q->self());
  q->exit(etf::atom("crash"));
  cluster.run_for(100ms);
  EXPECT_EQ(global(a).whereis_name(name), std::nullopt);
  EXPECT_EQ(global(b).whereis_name(name), std::nullopt);
}

// register_name asks set_lock of all, the boss first, then register, then del_lock, the boss last.
TEST_F(GlobalTest, RegistrationOnTheWire) {
  join(a, b);
  cluster.forget_wires();
  ASSERT_TRUE(register_at(a, name, a.runtime().spawn<Probe>()->self()));
  cluster.run_for(100ms);
  std::vector<std::string> requests;
  for (const Wire& wire : cluster.wires(a, b)) {
    const auto call = wire.op == 6 ? as_gen_call(*wire.payload) : std::nullopt;
    if (call) requests.push_back((*call->request.as<etf::Tuple>()->elements)[0].as_atom()->text);
  }
  // b is the boss: the greatest name.
  EXPECT_THAT(requests, ElementsAre("set_lock", "set_lock", "register", "del_lock"));
}

// Two who register the same name at the same time: one gets it.
TEST_F(GlobalTest, SimultaneousRegistration) {
  join(a, b);
  std::vector<bool> results;
  for (TestNode* node : {&a, &b}) {
    global(*node).register_name(name, node->runtime().spawn<Probe>()->self(),
                                [&](bool yes) { results.push_back(yes); });
  }
  ASSERT_TRUE(cluster.run_until([&] { return results.size() == 2; }));
  EXPECT_THAT(results, UnorderedElementsAre(true, false));
  cluster.run_for(1s);
  EXPECT_EQ(global(a).whereis_name(name), global(b).whereis_name(name));
}

// Names registered apart meet at the connection: different ones are known on both sides afterwards;
// of two processes with the same name one survives, on both sides the same.
TEST_F(GlobalTest, NamesMeet) {
  Probe* p = a.runtime().spawn<Probe>();
  Probe* q = b.runtime().spawn<Probe>();
  const Pid p_pid = p->self();
  const Pid q_pid = q->self();
  const Pid r_pid = a.runtime().spawn<Probe>()->self();
  ASSERT_TRUE(register_at(a, name, p_pid));
  ASSERT_TRUE(register_at(a, etf::atom("only_a"), r_pid));
  ASSERT_TRUE(register_at(b, name, q_pid));
  join(a, b);
  EXPECT_EQ(global(b).whereis_name(etf::atom("only_a")), r_pid);
  // random_exit_name/3 kills the process of the node with the greater name.
  EXPECT_EQ(global(a).whereis_name(name), p_pid);
  EXPECT_EQ(global(b).whereis_name(name), p_pid);
  EXPECT_TRUE(a.runtime().alive(p_pid));
  EXPECT_FALSE(b.runtime().alive(q_pid));
}

// The conflict is with a process of a third node: its node is asked by rpc.
TEST_F(GlobalTest, ConflictWithAThirdNode) {
  join(b, c);
  const Pid mine = a.runtime().spawn<Probe>()->self();
  const Pid theirs = c.runtime().spawn<Probe>()->self();
  ASSERT_TRUE(register_at(a, name, mine));
  ASSERT_TRUE(register_at(b, name, theirs));
  ASSERT_TRUE(cluster.connect(a, b));
  ASSERT_TRUE(cluster.run_until([&] { return global(a).synced().size() == 2 && global(c).synced().size() == 2; }));
  cluster.run_for(5s);
  EXPECT_EQ(global(a).whereis_name(name), mine);
  EXPECT_EQ(global(c).whereis_name(name), mine);
  EXPECT_FALSE(c.runtime().alive(theirs));
}

// The holder of a lock that dies gives it up.
TEST_F(GlobalTest, LocksEndWithTheirHolder) {
  ASSERT_TRUE(cluster.connect(a, b));
  cluster.run_for(5s);
  Probe* holder = a.runtime().spawn<Probe>();
  const Term id = etf::tuple(etf::atom("res"), Term(1));
  const RemoteName server{"global_name_server", b.self()};
  holder->send(server, gen_call(holder->self(), Term(1), etf::tuple(etf::atom("set_lock"), id)));
  cluster.run_for(100ms);
  Probe* other = c.runtime().spawn<Probe>();
  const Term other_id = etf::tuple(etf::atom("res"), Term(2));
  const auto try_lock = [&] {
    other->send(server, gen_call(other->self(), Term(1), etf::tuple(etf::atom("set_lock"), other_id)));
    cluster.run_for(5s);
    return other->messages.back();
  };
  EXPECT_EQ(try_lock(), etf::tuple(Term(1), etf::atom("false")));
  holder->exit(etf::atom("normal"));
  EXPECT_EQ(try_lock(), etf::tuple(Term(1), etf::atom("true")));
  EXPECT_THAT(holder, testing::NotNull());
}

// The names of a node that goes down are gone, and back after it is.
TEST_F(GlobalTest, NodeDownAndBack) {
  join(a, b);
  const Pid pid = a.runtime().spawn<Probe>()->self();
  ASSERT_TRUE(register_at(a, name, pid));
  cluster.cut(a, b);
  cluster.run_for(100ms);
  EXPECT_EQ(global(b).whereis_name(name), std::nullopt);
  EXPECT_THAT(global(b).known(), IsEmpty());
  cluster.forbid(a, b, false);
  join(b, a);
  EXPECT_EQ(global(b).whereis_name(name), pid);
}

// The servers of many nodes that connect at once end up in one mesh.
TEST_F(GlobalTest, ManyAtOnce) {
  std::vector<TestNode*> nodes = {&a, &b, &c};
  for (int i = 0; i < 5; ++i) nodes.push_back(&cluster.add("n" + std::to_string(i) + "@host.test"));
  for (size_t i = 3; i < nodes.size(); ++i) nodes[i]->start_services(with_global);
  for (size_t i = 0; i + 1 < nodes.size(); ++i) nodes[i]->connect(nodes[i + 1]->self(), [](bool) {});
  const auto meshed = [&] {
    return std::all_of(nodes.begin(), nodes.end(),
                       [&](TestNode* node) { return global(*node).synced().size() == nodes.size() - 1; });
  };
  EXPECT_TRUE(cluster.run_until(meshed, 120s));
  cluster.run_for(10s);
  // No lock is left behind: a name can be registered.
  EXPECT_TRUE(register_at(a, name, a.runtime().spawn<Probe>()->self()));
  for (TestNode* node : nodes) EXPECT_TRUE(global(*node).whereis_name(name)) << node->self();
}

// The helpers die with the server and the server with its helpers; nothing is left that a message
// could reach.
TEST_F(GlobalTest, KilledHelper) {
  join(a, b);
  const Pid server = global(a).self();
  Pid locker;
  for (const Wire& wire : cluster.wires(a, b)) {
    const auto request = wire.op == 6 ? as_gen_cast(*wire.payload) : std::nullopt;
    const auto init = request ? request->as_tagged("init_connect", 4) : std::span<const Term>();
    if (!init.empty()) locker = *init[3].as_tuple(4)[3].as<Pid>();
  }
  ASSERT_TRUE(a.runtime().alive(locker));
  Probe* killer = b.runtime().spawn<Probe>();
  killer->exit_other(locker, etf::atom("kill"));
  cluster.run_for(100ms);
  EXPECT_FALSE(a.runtime().alive(locker));
  EXPECT_FALSE(a.runtime().alive(server));
  EXPECT_EQ(a.services().global(), nullptr);
}

// Nonsense from a peer is ignored, and the server goes on.
TEST_F(GlobalTest, NonsenseIsIgnored) {
  join(a, b);
  Probe* probe = a.runtime().spawn<Probe>();
  const RemoteName server{"global_name_server", b.self()};
  for (const char* tag : {"init_connect", "lock_is_set", "exchange", "exchange_ops", "resolved", "new_nodes", "in_sync",
                          "lock_set", "lost_connection", "remove_connection", "cancel_connect", "init_connect_ack",
                          "set_lock", "del_lock", "register", "unregister", "sync"}) {
    for (size_t arity = 1; arity <= 8; ++arity) {
      etf::Terms elements(arity, Term(7));
      elements[0] = etf::atom(tag);
      const Term message = etf::tuple(elements);
      probe->send(server, message);
      probe->send(server, gen_cast(message));
      probe->send(server, gen_call(probe->self(), Term(1), message));
      if (arity > 1) elements[1] = etf::atom(a.self());
      probe->send(server, etf::tuple(elements));
      probe->send(server, gen_cast(etf::tuple(elements)));
    }
  }
  cluster.run_for(5s);
  probe->messages.clear();
  probe->send(server, gen_call(probe->self(), Term(1), etf::atom("get_protocol_version")));
  cluster.run_for(5s);
  EXPECT_THAT(probe->messages, ElementsAre(etf::tuple(Term(1), Term(8))));
}

// The same seed gives the same sequence of messages.
TEST(GlobalDeterminism, SameSeedSameWires) {
  const auto run = [](uint64_t seed) {
    Cluster cluster(seed);
    std::vector<TestNode*> nodes;
    for (const char* name : {"a@h.test", "b@h.test", "c@h.test", "d@h.test"}) nodes.push_back(&cluster.add(name));
    for (TestNode* node : nodes) node->start_services(with_global);
    for (size_t i = 0; i + 1 < nodes.size(); ++i) nodes[i]->connect(nodes[i + 1]->self(), [](bool) {});
    cluster.run_for(30s);
    std::string text;
    for (TestNode* from : nodes) {
      for (TestNode* to : nodes) {
        for (const Wire& wire : cluster.wires(*from, *to)) text += wire.control.to_string() + "\n";
      }
    }
    return text;
  };
  EXPECT_EQ(run(5), run(5));
  EXPECT_NE(run(5), "");
}

}  // namespace
}  // namespace distlab::process
