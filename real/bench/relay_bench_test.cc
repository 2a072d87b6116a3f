#include "real/bench/relay_bench.h"

#include <cerrno>
#include <set>
#include <utility>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "real/bench/flows.h"
#include "real/bench/numbering.h"

namespace distlab::bench {
namespace {

using std::chrono::milliseconds;

RelayBenchOptions small() {
  RelayBenchOptions options;
  options.sessions = 6;
  options.tunnels = 9;
  options.payloads = {32};
  options.rounds = 1;
  options.seconds = milliseconds{200};
  options.settling = milliseconds{50};
  return options;
}

bool no_children() {
  return ::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD;
}

// All tunnels join different pairs of different nodes, up to the most there can be, and a flow's opposite
// goes the other way.
TEST(Layout, joins_every_pair_once) {
  Layout layout{.sessions = 7};
  layout.tunnels = layout.max_tunnels();
  EXPECT_EQ(layout.tunnels, 21u);
  std::set<std::pair<size_t, size_t>> pairs;
  for (size_t tunnel = 0; tunnel < layout.tunnels; ++tunnel) {
    const size_t a = layout.dialler(tunnel), b = layout.acceptor(tunnel);
    EXPECT_NE(a, b);
    pairs.insert(std::minmax(a, b));
    EXPECT_EQ(layout.source(tunnel * 2), a);
    EXPECT_EQ(layout.sink(tunnel * 2), b);
    EXPECT_EQ(layout.source(tunnel * 2 + 1), b);
  }
  EXPECT_EQ(pairs.size(), layout.tunnels);
}

// A number that is skipped is missing, and one that comes again or late does not count.
TEST(Numbering, sees_gaps_and_repetitions) {
  Numbering flow;
  EXPECT_TRUE(flow.arrived(1).counts);
  EXPECT_EQ(flow.arrived(4).skipped, 2u);
  EXPECT_FALSE(flow.arrived(4).counts);
  EXPECT_FALSE(flow.arrived(2).counts);
  EXPECT_EQ(flow.arrived(5).skipped, 0u);
}

// The relay and both peers carry messages, every one of the relay's is accounted for, and no process stays.
TEST(RelayBench, measures_and_accounts_for_every_message) {
  const auto result = bench_relay(small());
  ASSERT_TRUE(result.has_value()) << result.error();
  EXPECT_FALSE(result->interrupted);
  EXPECT_TRUE(result->ledger.clean());
  ASSERT_EQ(result->sizes.size(), 1u);
  const Size& size = result->sizes.front();
  EXPECT_GT(size.frame_bytes, 32u);
  for (const auto* rounds : {&size.relay, &size.quic, &size.udp, &result->paced}) {
    ASSERT_EQ(rounds->size(), 1u);
    EXPECT_GT(rounds->front().messages_per_s, 0);
    EXPECT_GT(rounds->front().forwarder_cpu, 0);
  }
  EXPECT_GT(size.relay.front().p50_s, 0);
  EXPECT_GE(result->ledger.sent, static_cast<uint64_t>(size.relay.front().messages_per_s * 0.2));
  EXPECT_GT(result->memory.with_tunnels, result->memory.empty);
  EXPECT_TRUE(no_children());
}

// Nodes in several processes reach each other, and the ledger holds across them.
TEST(RelayBench, spreads_the_load_over_processes) {
  RelayBenchOptions options = small();
  options.loads = 2;
  const auto result = bench_relay(options);
  ASSERT_TRUE(result.has_value()) << result.error();
  EXPECT_TRUE(result->ledger.clean());
  EXPECT_GT(result->ledger.received, 0u);
}

// Whoever watches the progress can end it at any point, and no process stays.
TEST(RelayBench, ends_when_told) {
  RelayBenchOptions options = small();
  options.on_progress = [](const std::string& what, double) { return !what.starts_with("relay, "); };
  const auto result = bench_relay(options);
  ASSERT_TRUE(result.has_value()) << result.error();
  EXPECT_TRUE(result->interrupted);
  EXPECT_TRUE(no_children());
}

}  // namespace
}  // namespace distlab::bench
