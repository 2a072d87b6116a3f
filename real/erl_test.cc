// The harness of the tests against a real Erlang node.
#include "real/testing/erl.h"

#include <gtest/gtest.h>

namespace distlab::real {
namespace {

using namespace std::chrono_literals;

TEST(Erl, EvaluatesAndRemembers) {
  // Values, bindings, exceptions, syntax errors, and what is printed besides.
  AsioLoop loop;
  Erl erl(loop, {});
  EXPECT_EQ(erl.eval("X = 6 * 7."), "42");
  EXPECT_EQ(erl.eval("{X, lists:seq(1, 3), <<\"a\">>}."), "{42,[1,2,3],<<\"a\">>}");
  EXPECT_EQ(erl.eval("exit(gone)."), "exit: gone");
  EXPECT_EQ(erl.eval("f(."), "syntax: {1,erl_parse,[\"syntax error before: \",\"'.'\"]}");
  EXPECT_EQ(erl.eval("io:format(\"hello~n\")."), "ok");
  EXPECT_NE(erl.log().find("hello\n"), std::string::npos);
  EXPECT_EQ(erl.eval("node()."), "nonode@nohost");
}

}  // namespace
}  // namespace distlab::real
