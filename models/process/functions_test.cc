#include "models/process/functions.h"

#include <gtest/gtest.h>

#include "models/process/testing/cluster.h"

namespace distlab::process {
namespace {

using namespace std::chrono_literals;
using Kind = Evaluation::Kind;

struct FunctionsTest : testing::Test {
  Cluster cluster;
  TestNode& a = cluster.add("a@hosta.test");
  TestNode& b = cluster.add("b@hostb.test");

  Evaluation apply(const char* module, const char* function, const std::vector<Term>& arguments) {
    return a.runtime().functions().apply(a.runtime(), module, function, arguments);
  }
};

// The functions that ask about the node answer as erlang's do.
TEST_F(FunctionsTest, AboutTheNode) {
  EXPECT_TRUE(apply("erlang", "node", {}).value.is_atom(a.self()));
  EXPECT_EQ(apply("erlang", "nodes", {}).value, etf::list({}));
  ASSERT_TRUE(cluster.connect(a, b));
  EXPECT_EQ(apply("erlang", "nodes", {}).value, etf::list({etf::atom(b.self())}));
  Probe* probe = a.runtime().spawn<Probe>();
  a.runtime().register_name("probe", probe->self());
  EXPECT_EQ(apply("erlang", "whereis", {etf::atom("probe")}).value, Term(probe->self()));
  EXPECT_TRUE(apply("erlang", "whereis", {etf::atom("other")}).value.is_atom("undefined"));
}

// Wrong arguments are badarg, not a crash.
TEST_F(FunctionsTest, BadArguments) {
  EXPECT_TRUE(apply("erlang", "length", {etf::atom("a")}).value.is_atom("badarg"));
  EXPECT_TRUE(apply("erlang", "whereis", {Term(1)}).value.is_atom("badarg"));
  EXPECT_TRUE(apply("timer", "sleep", {Term(-1)}).value.is_atom("timeout_value"));
  EXPECT_EQ(apply("erlang", "length", {etf::list({Term(1), Term(2)})}).value, Term(2));
}

// A function that was added is found by its arity; others are undef.
TEST_F(FunctionsTest, AddedAndUnknown) {
  a.runtime().functions().add("m", "f", 1, [](Runtime&, auto) { return Evaluation{Kind::returned, Term(9), {}, {}}; });
  EXPECT_EQ(apply("m", "f", {Term(1)}).value, Term(9));
  const Evaluation unknown = apply("m", "f", {});
  EXPECT_EQ(unknown.kind, Kind::error);
  EXPECT_TRUE(unknown.value.is_atom("undef"));
  EXPECT_EQ(apply("m", "f", std::vector<Term>(300)).kind, Kind::error);
}

}  // namespace
}  // namespace distlab::process
