// What a peer's SPAWN_REQUEST starts, seen as raw messages.
#include "models/process/spawned.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/process/testing/cluster.h"

namespace distlab::process {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

struct SpawnedTest : testing::Test {
  Cluster cluster;
  TestNode& a = cluster.add("a@hosta.test");
  TestNode& b = cluster.add("b@hostb.test");
  Probe* probe = a.runtime().spawn<Probe>();

  void SetUp() override { ASSERT_TRUE(cluster.connect(a, b)); }

  // The request's reply and what else b sends within 100 ms.
  std::vector<Wire> request(const std::string& module, const std::string& function, uint8_t arity, Term options,
                            Term arguments) {
    cluster.forget_wires();
    dist::SpawnRequest spawn{a.runtime().make_ref(), probe->self(), probe->self(), module, function, arity,
                             std::move(options)};
    a.inject(b.self(), {spawn, std::move(arguments)});
    cluster.run_for(100ms);
    return cluster.wires(b, a);
  }
  static Term result(const Wire& reply) { return reply.control.as_tuple(5)[4]; }
};

// Options link and monitor are carried out and reported in the flags.
TEST_F(SpawnedTest, LinkAndMonitor) {
  const auto wires =
      request("distlab", "echo", 1, etf::list({etf::atom("link"), etf::atom("monitor")}), etf::list({Term(1)}));
  ASSERT_EQ(wires.size(), 3u);
  EXPECT_EQ(wires[0].op, 31);
  EXPECT_EQ(wires[0].control.as_tuple(5)[3], Term(3));
  EXPECT_EQ(wires[1].op, 28);
  EXPECT_EQ(wires[2].op, 24);
  EXPECT_TRUE(wires[1].payload->is_atom("normal"));
}

// A function that does not exist is started all the same, and ends with undef.
TEST_F(SpawnedTest, UndefinedFunction) {
  const auto wires = request("no", "where", 0, etf::list({etf::atom("monitor")}), etf::list({}));
  ASSERT_EQ(wires.size(), 2u);
  EXPECT_NE(result(wires[0]).as<Pid>(), nullptr);
  const auto reason = wires[1].payload->as_tuple(2);
  ASSERT_FALSE(reason.empty());
  EXPECT_TRUE(reason[0].is_atom("undef"));
}

// Arguments that are no proper list, that do not fit the arity, and options nobody knows: badarg.
TEST_F(SpawnedTest, BadArguments) {
  const Term monitor = etf::list({etf::atom("monitor")});
  for (const auto& wires : {request("distlab", "echo", 1, monitor, etf::atom("no_list")),
                            request("distlab", "echo", 2, monitor, etf::list({Term(1)})),
                            request("distlab", "echo", 1, etf::list({etf::atom("what")}), etf::list({Term(1)})),
                            request("distlab", "echo", 1, etf::atom("what"), etf::list({Term(1)}))}) {
    ASSERT_EQ(wires.size(), 1u);
    EXPECT_EQ(wires[0].op, 31);
    EXPECT_EQ(wires[0].control.as_tuple(5)[3], Term(0));
    EXPECT_TRUE(result(wires[0]).is_atom("badarg"));
  }
}

// Tuning options are taken.
TEST_F(SpawnedTest, TuningOptions) {
  const auto wires = request("distlab", "echo", 1, etf::list({etf::tuple(etf::atom("priority"), etf::atom("high"))}),
                             etf::list({Term(1)}));
  ASSERT_EQ(wires.size(), 1u);
  EXPECT_NE(result(wires[0]).as<Pid>(), nullptr);
}

// Exit reasons of plain processes are those of a BEAM's.
TEST_F(SpawnedTest, ExitReasons) {
  using Kind = Evaluation::Kind;
  const Term value = Term(5);
  EXPECT_TRUE(exit_reason({Kind::returned, value, {}, {}}).is_atom("normal"));
  EXPECT_EQ(exit_reason({Kind::exited, value, {}, {}}), value);
  EXPECT_EQ(exit_reason({Kind::thrown, value, {}, {}}),
            etf::tuple(etf::tuple(etf::atom("nocatch"), value), etf::list({})));
  EXPECT_EQ(exit_reason({Kind::error, value, {Term(1)}, {}}), etf::tuple(value, etf::list({Term(1)})));
}

}  // namespace
}  // namespace distlab::process
