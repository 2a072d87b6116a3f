#include "results/compare/topics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/testing/events.h"
#include "results/testing/temp_dir.h"

namespace distlab::results::compare {
namespace {

using scenario::Compared;
using testing::ElementsAre;
using testing::HasSubstr;

using Labels = std::vector<std::pair<std::string, std::string>>;

class Topics : public testing::Test {
 protected:
  Topics() : store_(*Store::open(dir_ / "runs.db")) { family_ = *store_.begin_family("distlab compare", "now"); }

  void add(const std::string& ground, uint64_t seed, const Labels& labels, RunStatus status = RunStatus::complete,
           const std::string& scenario = "silence") {
    RunRecord run;
    run.family = family_;
    run.scenario = scenario;
    run.labels = labels;
    run.ground = ground;
    run.seed = seed;
    run.nodes = {{"alice@a.example", "alice"}, {"bob@b.example", "bob"}};
    run.scenario_text =
        "name: silence\nduration: 10s\nsites: {s: {}}\nnodes: {alice: {site: s}, bob: {site: s}}\n"
        "compare: {call_latency: {difference: 7ms}}\n";
    run.scenario_hash = "hash";
    auto writer = store_.begin_run(run);
    ASSERT_TRUE(writer);
    writer->add(call_done(1, "alice", "bob", "ok", 0.02));
    RunEnd end;
    end.status = status;
    end.virtual_seconds = 10;
    ASSERT_TRUE(writer->commit(end, {}));
  }

  std::vector<RunRecord> runs() const { return *store_.runs(); }

  TempDir dir_;
  Store store_;
  int64_t family_ = 0;
};

// Grounds and implementations of nodes make the sides; variants make the topics.
TEST_F(Topics, OfOneFamily) {
  for (const char* ground : {"emu", "sim"})
    for (const char* direction : {"both", "out"})
      for (uint64_t seed = 1; seed <= 3; ++seed) add(ground, seed, {{"faults.silence.direction", direction}});
  add("emu", 1, {{"nodes.*.implementation", "beam"}, {"faults.silence.direction", "out"}});
  const std::vector<Side> sides = sides_of(runs());
  ASSERT_EQ(sides.size(), 3U);
  EXPECT_EQ(sides[2].name, "emu/beam");
  const auto found = topics(store_, {sides[0], sides[1]});
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ((*found)[0].variant, "direction=both");
  EXPECT_EQ((*found)[1].variant, "direction=out");
  for (const Topic& topic : *found) {
    ASSERT_EQ(topic.arms.size(), 2U);
    EXPECT_EQ(topic.arms[0].name, "sim");
    EXPECT_EQ(topic.arms[1].runs.size(), 3U);
    EXPECT_THAT(topic.arms[1].runs[2].values.at(Compared::call_latency).at("alice->bob"), ElementsAre(0.02));
    EXPECT_DOUBLE_EQ(*topic.margins.at(Compared::call_latency).difference, 0.007);
    EXPECT_FALSE(topic.margins.at(Compared::call_latency).ratio);
    EXPECT_TRUE(topic.notes.empty());
  }
}

// A value that --set gave to all runs of a side does not keep the sides apart.
TEST_F(Topics, MatchesBesideWhatWasSet) {
  add("sim", 1, {{"nodes.alice.net_ticktime", "4s"}, {"faults.silence.for", "1s"}});
  add("sim", 1, {{"nodes.alice.net_ticktime", "4s"}, {"faults.silence.for", "2s"}});
  add("sim", 1, {{"nodes.alice.net_ticktime", "8s"}, {"faults.silence.for", "1s"}});
  add("sim", 1, {{"nodes.alice.net_ticktime", "8s"}, {"faults.silence.for", "2s"}});
  const auto all = runs();
  const auto found = topics(store_, {{"before", {all[0], all[1]}}, {"after", {all[2], all[3]}}});
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ((*found)[0].variant, "for=1s");
  EXPECT_EQ((*found)[1].arms[1].runs.size(), 1U);
}

// Runs that were interrupted or late are left out, and counted.
TEST_F(Topics, LeavesOutIncompleteRuns) {
  add("sim", 1, {});
  add("emu", 1, {}, RunStatus::incomplete);
  add("emu", 2, {});
  const auto found = topics(store_, sides_of(runs()));
  ASSERT_TRUE(found);
  EXPECT_EQ((*found)[0].arms[1].runs.size(), 1U);
  EXPECT_EQ((*found)[0].arms[1].left_out, 1U);
}

// Runs of different scenarios are not compared.
TEST_F(Topics, RefusesDifferentScenarios) {
  add("sim", 1, {});
  add("emu", 1, {}, RunStatus::complete, "other");
  const auto found = topics(store_, sides_of(runs()));
  ASSERT_FALSE(found);
  EXPECT_TRUE(found.error().is_user_error);
  EXPECT_THAT(found.error().message, HasSubstr("no scenario and variant in common"));
}

}  // namespace
}  // namespace distlab::results::compare
