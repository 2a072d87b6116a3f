#include "models/process/servers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/process/call.h"
#include "models/process/testing/cluster.h"

namespace distlab::process {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

struct ServersTest : testing::Test {
  Cluster cluster;
  TestNode& a = cluster.add("a@hosta.test");
  TestNode& b = cluster.add("b@hostb.test");
  Probe* probe = a.runtime().spawn<Probe>();

  void SetUp() override {
    b.start_services({.pg = false, .global = false, .global_options = {}});
    ASSERT_TRUE(cluster.connect(a, b));
    cluster.run_for(100ms);
    cluster.forget_wires();
  }
  void ask(const std::string& name, Term message) {
    probe->send(RemoteName{name, b.self()}, std::move(message));
    cluster.run_for(100ms);
  }
  static Term request(const char* tag, const char* module, const char* function, etf::Terms arguments) {
    return etf::tuple(etf::atom(tag), etf::atom(module), etf::atom(function), etf::list(std::move(arguments)),
                      etf::atom("user"));
  }
};

// rex tells who asks that this node has erpc, and asks every new node itself.
TEST_F(ServersTest, Features) {
  ask("rex", etf::tuple(probe->self(), etf::atom("features_request")));
  ASSERT_EQ(probe->messages.size(), 1u);
  EXPECT_EQ(probe->messages[0],
            etf::tuple(etf::atom("features_reply"), etf::atom(b.self()), etf::list({etf::atom("erpc")})));
  TestNode& c = cluster.add("c@hostc.test");
  ASSERT_TRUE(cluster.connect(b, c));
  cluster.run_for(100ms);
  ASSERT_EQ(cluster.wires(b, c).size(), 1u);
  EXPECT_TRUE(cluster.wires(b, c)[0].payload->as_tuple(2)[1].is_atom("features_request"));
}

// rex evaluates calls of old nodes in a process of their own; errors come back as {badrpc, _}.
TEST_F(ServersTest, RexCall) {
  std::vector<Term> answers;
  const auto call = [&](Term what) {
    a.runtime().spawn<CallClient>(RemoteName{"rex", b.self()}, std::move(what), 5s,
                                  [&](const CallOutcome& outcome) { answers.push_back(outcome.value); });
    cluster.run_for(100ms);
  };
  call(request("call", "timer", "sleep", {Term(50)}));
  call(request("block_call", "distlab", "echo", {Term(3)}));
  call(request("call", "erlang", "exit", {Term(4)}));
  const Term badrpc = etf::tuple(etf::atom("badrpc"), etf::tuple(etf::atom("EXIT"), Term(4)));
  EXPECT_THAT(answers, ElementsAre(etf::atom("ok"), Term(3), badrpc));
}

// A C node's {From, {call, ...}} is answered {rex, Result}.
TEST_F(ServersTest, RexCallOfACNode) {
  ask("rex", etf::tuple(probe->self(), request("call", "distlab", "echo", {Term(3)})));
  EXPECT_THAT(probe->messages, ElementsAre(etf::tuple(etf::atom("rex"), Term(3))));
}

// sbcast and send reach a registered process, or say that there is none.
TEST_F(ServersTest, RexForwards) {
  Probe* inbox = b.runtime().spawn<Probe>();
  b.runtime().register_name("inbox", inbox->self());
  const auto forward = [&](const char* how, const char* name) {
    ask("rex", etf::tuple(probe->self(), etf::tuple(etf::atom(how), etf::atom(name), Term(9))));
  };
  forward("sbcast", "inbox");
  forward("send", "inbox");
  forward("sbcast", "nobody");
  EXPECT_THAT(inbox->messages, ElementsAre(Term(9), etf::tuple(probe->self(), Term(9))));
  const Term here = etf::atom(b.self());
  const Term missing = etf::tuple(etf::atom("nonexisting_name"), etf::atom("nobody"));
  EXPECT_THAT(probe->messages,
              ElementsAre(etf::tuple(etf::atom("rex"), here, here), etf::tuple(etf::atom("rex"), here, missing)));
}

// What the servers do not understand they ignore, and go on.
TEST_F(ServersTest, NonsenseIsIgnored) {
  for (const char* name : {"rex", "net_kernel", "echo"}) {
    ask(name, Term(1));
    ask(name, gen_cast(Term(1)));
    ask(name, etf::tuple(probe->self(), etf::tuple(etf::atom("sbcast"), Term(1), Term(2))));
  }
  ask("rex", gen_call(probe->self(), Term(1), Term(2)));
  ask("net_kernel", gen_call(probe->self(), Term(1), Term(2)));
  probe->messages.clear();
  ask("echo", gen_call(probe->self(), Term(1), Term(2)));
  EXPECT_THAT(probe->messages, ElementsAre(etf::tuple(Term(1), Term(2))));
  EXPECT_TRUE(b.runtime().whereis("rex") && b.runtime().whereis("net_kernel"));
}

}  // namespace
}  // namespace distlab::process
