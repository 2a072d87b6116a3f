#include "results/report/html.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "results/testing/browser.h"
#include "results/testing/events.h"
#include "results/testing/synthetic_run.h"
#include "results/testing/temp_dir.h"

namespace distlab::results {
namespace {

void add(HtmlReport& report, const SyntheticRun& made) {
  report.add(digest(made.run, made.events), made.verdicts);
}

std::string one_run() {
  HtmlReport report("distlab run scenarios/tick-timeout.yaml");
  add(report, synthetic_run(7, false));
  return report.html();
}

std::string family() {
  HtmlReport report("distlab run scenarios/tick-timeout.yaml --repeat 5");
  const char* ticks[] = {"4s", "8s", "16s"};
  const char* losses[] = {"0%", "1%"};
  for (uint64_t i = 0; i < 30; ++i) {
    SyntheticRun made = synthetic_run(i + 1, i % 7 != 3);
    made.run.labels = {{"nodes.alice.net_ticktime", ticks[i % 3]}, {"paths.home-office.loss", losses[i % 2]}};
    add(report, made);
  }
  return report.html();
}

// A relay is gone for `outage` seconds: the tick time, or the reconnect window of 30 s, ends first.
SyntheticRun outage_run(int64_t id, int outage, int ticktime) {
  SyntheticRun made;
  made.run.id = id;
  made.run.seed = static_cast<uint64_t>(id);
  made.run.scenario = "reconnect-window";
  made.run.ground = "sim";
  made.run.status = RunStatus::complete;
  made.run.virtual_seconds = 120;
  made.run.nodes = {{"a@a.example", "a"}, {"b@b.example", "b"}};
  made.run.labels = {{"faults.outage.for", fmt::format("{}s", outage)},
                     {"node_defaults.net_ticktime", fmt::format("{}s", ticktime)},
                     {"workload.ping.every", fmt::format("{}s", ticktime / 2)}};  // goes with the tick time
  const double tick = ticktime * (0.95 + 0.1 * static_cast<double>(id % 2));
  made.events = {node_up(1, "a", "b@b.example"), fault(10, "berlin", "kill", "outage")};
  if (tick < outage && tick < 30)
    made.events.push_back(node_down(10 + tick, "a", "b@b.example"));
  else if (outage >= 30)
    made.events.push_back(node_down(40.03, "a", "b@b.example", "connection_closed"));
  made.verdicts = {{"never", "nobody goes down", made.events.size() > 2 ? Outcome::fail : Outcome::pass, "", "", 0}};
  made.events.push_back(fault(10 + outage, "berlin", "start", "outage"));
  std::stable_sort(made.events.begin(), made.events.end(),
                   [](const EventRecord& a, const EventRecord& b) { return a.time_ns < b.time_ns; });
  return made;
}

std::string outages(const std::vector<int>& ticktimes) {
  HtmlReport report("distlab run scenarios/reconnect-window.yaml --repeat 2");
  int64_t id = 0;
  for (const int outage : {5, 10, 20, 25, 30, 60})
    for (const int ticktime : ticktimes)
      for (int repeat = 0; repeat < 2; ++repeat) add(report, outage_run(++id, outage, ticktime));
  return report.html();
}

// The page of one run draws in a browser: lanes, charts, verdicts and tables, and no script fails.
TEST(HtmlReport, DrawsOneRunInABrowser) {
  ASSERT_TRUE(chromium_is_there()) << "the page is tested in chromium: `./distlab test` installs it";
  const std::string dom = drawn(dom_of(one_run(), "run"));
  EXPECT_EQ(dom.find("id=\"error\""), std::string::npos) << dom.substr(dom.find("id=\"error\""), 300);
  EXPECT_NE(dom.find("data-ready=\"1\""), std::string::npos);
  EXPECT_EQ(occurrences(dom, "class=\"lane lane-node\""), 3u);
  EXPECT_EQ(occurrences(dom, "class=\"lane lane-peer\""), 6u);
  EXPECT_EQ(occurrences(dom, "class=\"lane lane-fault\""), 2u);
  EXPECT_EQ(occurrences(dom, "class=\"lane lane-pair\""), 3u);
  EXPECT_EQ(occurrences(dom, "class=\"node-down\""), 4u);
  EXPECT_EQ(occurrences(dom, "class=\"process-frozen\""), 1u);
  EXPECT_EQ(occurrences(dom, "class=\"wedge\""), 2u);
  EXPECT_EQ(occurrences(dom, "data-drawn=\"1\""), 2u);
  EXPECT_EQ(occurrences(dom, "class=\"verdict\""), 4u);
  EXPECT_NE(dom.find("28 of 600 messages were lost, the first at 30.04 s"), std::string::npos);
  EXPECT_NE(dom.find("scenarios/tick-timeout.yaml:27"), std::string::npos);
  EXPECT_NE(dom.find("made up &lt;/script&gt;&lt;!-- &lt;b&gt;for tests&lt;/b&gt;"), std::string::npos);
}

// The page of a run on real hosts says how long it ran and how late its packets were, not that it was simulated, and
// what its BEAMs evaluated.
TEST(HtmlReport, DrawsARunOnRealHostsInABrowser) {
  ASSERT_TRUE(chromium_is_there()) << "the page is tested in chromium: `./distlab test` installs it";
  SyntheticRun made = synthetic_run(7, false);
  made.run.ground = "emu";
  made.run.clock_lateness = ClockLateness{60'000, 1'200'000, 5'000'000};
  made.run.wake_lateness = ClockLateness{80'000, 3'400'000, 5'000'000};
  made.events.push_back(eval_done(88, "alice", "error", "{badmatch,<b>}", 0.5));
  made.events.push_back(event(89.1, "bob", "bob", "scheduler_stall", {{"elapsed_ns", seconds(0.2)}}));
  HtmlReport report("distlab run scenarios/tick-timeout.yaml --ground emu");
  add(report, made);
  const std::string dom = drawn(dom_of(report.html(), "emu"));
  EXPECT_NE(dom.find("data-ready=\"1\""), std::string::npos);
  EXPECT_NE(dom.find("Ran for"), std::string::npos);
  EXPECT_NE(dom.find("packets late p99 1.2"), std::string::npos);
  EXPECT_NE(dom.find("woken late p99 3.4"), std::string::npos);
  EXPECT_EQ(dom.find("Simulated"), std::string::npos);
  EXPECT_NE(dom.find("{badmatch,&lt;b&gt;}"), std::string::npos) << "what a BEAM evaluated is missing";
  EXPECT_NE(dom.find("Schedulers held up: bob 1 time, "), std::string::npos);
}

// The page of a run over relays: lanes of relays, sessions, clients and tunnels, what was lost and when a
// node called its peer up in vain, the story, and the bytes.
TEST(HtmlReport, DrawsARelayRunInABrowser) {
  ASSERT_TRUE(chromium_is_there()) << "the page is tested in chromium: `./distlab test` installs it";
  HtmlReport report("distlab run scenarios/relay-restart.yaml");
  add(report, synthetic_relay_run());
  const std::string dom = drawn(dom_of(report.html(), "relay"));
  EXPECT_EQ(dom.find("id=\"error\""), std::string::npos) << dom.substr(dom.find("id=\"error\""), 300);
  EXPECT_NE(dom.find("data-ready=\"1\""), std::string::npos);
  for (const auto& [what, times] : std::map<std::string, size_t>{{"lane lane-relay", 1},
                                                                 {"lane lane-session", 2},
                                                                 {"lane lane-node", 2},
                                                                 {"lane lane-client", 2},
                                                                 {"lane lane-peer", 2},
                                                                 {"lane lane-tunnel", 4},
                                                                 {"lane lane-pair", 2},
                                                                 {"lane lane-more", 0},
                                                                 {"process-down", 1},
                                                                 {"reconnecting", 1},
                                                                 {"wedge", 3},
                                                                 {"up-in-vain", 3},
                                                                 {"gone", 8},
                                                                 {"twice", 1},
                                                                 {"late", 1},
                                                                 {"tunnel", 4},
                                                                 {"relay", 1},
                                                                 {"sentence", 14}})
    EXPECT_EQ(occurrences(dom, "class=\"" + what + "\""), times) << what;
  EXPECT_NE(dom.find("(net_tick_timeout), 45.20&nbsp;s after the fault, and again from 126.3&nbsp;s."),
            std::string::npos);
  EXPECT_NE(dom.find("42.2 KiB"), std::string::npos);
}

// The page of a family draws an overview with charts over the sweep, and one run in detail.
TEST(HtmlReport, DrawsAFamilyInABrowser) {
  ASSERT_TRUE(chromium_is_there()) << "the page is tested in chromium: `./distlab test` installs it";
  const std::string dom = drawn(dom_of(family(), "family"));
  EXPECT_EQ(dom.find("id=\"error\""), std::string::npos) << dom.substr(dom.find("id=\"error\""), 300);
  EXPECT_NE(dom.find("data-ready=\"1\""), std::string::npos);
  EXPECT_EQ(occurrences(dom, "<tr class=\"run"), 30u);
  EXPECT_EQ(occurrences(dom, "<option"), HtmlReport::max_details);
  for (const char* chart : {"outcomes", "detections-histogram", "detections-by-sweep", "latency-by-sweep",
                            "latency-over-time", "latency-distribution"})
    EXPECT_TRUE(is_drawn(dom, chart)) << chart;
  EXPECT_NE(dom.find("26 passed, 4 failed, 0 unknown"), std::string::npos);
}

// A sweep of two values over a fault becomes a map of the causes of death, a sweep of one a strip; a
// label that goes in lock step with another is no axis.
TEST(HtmlReport, DrawsAHeatMapInABrowser) {
  ASSERT_TRUE(chromium_is_there()) << "the page is tested in chromium: `./distlab test` installs it";
  const std::string dom = drawn(dom_of(outages({8, 15, 30, 60}), "heatmap"));
  EXPECT_EQ(dom.find("id=\"error\""), std::string::npos) << dom.substr(dom.find("id=\"error\""), 300);
  ASSERT_TRUE(is_drawn(dom, "heatmap"));
  EXPECT_EQ(dom.find("heatmap-2"), std::string::npos);
  const size_t from = dom.find("id=\"heatmap\""), to = dom.find("</section>", from);
  const std::string map = dom.substr(from, to - from);
  EXPECT_EQ(occurrences(map, ">survived<"), 12u);  // one of them in the legend
  EXPECT_EQ(occurrences(map, ">connection_closed<"), 3u);
  EXPECT_EQ(occurrences(map, ">net_tick_timeout<"), 10u);
  EXPECT_EQ(occurrences(map, "connection_closed 1/2"), 2u);  // 30 s against 30 s
  EXPECT_EQ(occurrences(map, ">0/2 pass<"), 13u);
  EXPECT_NE(map.find("faults.outage.for"), std::string::npos);
  EXPECT_NE(map.find("node_defaults.net_ticktime"), std::string::npos);
  const std::string strip = drawn(dom_of(outages({60}), "strip"));
  EXPECT_TRUE(is_drawn(strip, "heatmap"));
  EXPECT_EQ(strip.find("id=\"error\""), std::string::npos);
}

// A page needs nothing from outside, stays small, and cannot be broken by what a run recorded.
TEST(HtmlReport, IsOneSmallSafeFile) {
  const std::string html = family();
  EXPECT_LT(html.size(), 2'000'000u);
  for (const char* outside : {"<script src", "<link", "<img", "@import", "url(http"})
    EXPECT_EQ(html.find(outside), std::string::npos) << outside;
  EXPECT_EQ(html.find("made up </script>"), std::string::npos);
  const size_t data = html.find("type=\"application/json\">") + 24;
  const auto json = nlohmann::json::parse(html.substr(data, html.find("</script>", data) - data));
  EXPECT_EQ(json["runs"].size(), 30u);
  EXPECT_EQ(json["outcome"], "fail");
}

// Of many runs the failed ones keep their details, in their order.
TEST(HtmlReport, KeepsDetailsOfFailedRuns) {
  HtmlReport report("x");
  for (uint64_t i = 1; i <= 20; ++i) add(report, synthetic_run(i, i != 15 && i != 18));
  const std::string html = report.html();
  const size_t data = html.find("type=\"application/json\">") + 24;
  const auto json = nlohmann::json::parse(html.substr(data, html.find("</script>", data) - data));
  std::vector<int> ids;
  for (const auto& detail : json["details"]) ids.push_back(detail["id"]);
  EXPECT_EQ(ids, (std::vector<int>{15, 18, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
}

// A run with a million calls makes a page of the usual size, which says what it left out.
TEST(HtmlReport, ThinsLongRuns) {
  SyntheticRun made = synthetic_run(1, true);
  for (int i = 0; i < 100'000; ++i)
    made.events.push_back(call_done(90 + i * 0.001, "alice", "bob", i == 5 ? "timeout" : "ok", i == 77 ? 3.5 : 0.05));
  HtmlReport report("x");
  add(report, made);
  const std::string html = report.html();
  EXPECT_LT(html.size(), 2'000'000u);
  EXPECT_NE(html.find("The chart of calls shows "), std::string::npos);
  EXPECT_NE(html.find("3500.0"), std::string::npos);
}

// The page of a family or a run comes from the database as it is; what is not there is said.
TEST(HtmlReport, ReadsTheStore) {
  TempDir dir;
  Store store = Store::open(dir / "x.db").value();
  SyntheticRun made = synthetic_run(3, false);
  made.run.family = store.begin_family("distlab run it", "").value();
  auto writer = store.begin_run(made.run).value();
  for (const EventRecord& event : made.events) writer.add(event);
  RunEnd end;
  end.virtual_seconds = 90;
  ASSERT_TRUE(writer.commit(end, made.verdicts));
  const auto html = family_report(store, made.run.family);
  ASSERT_TRUE(html);
  EXPECT_NE(html->find("distlab run it"), std::string::npos);
  EXPECT_NE(html->find("28 of 600 messages were lost"), std::string::npos);
  EXPECT_TRUE(run_report(store, writer.run_id()));
  EXPECT_EQ(run_report(store, 99).error().message, (dir / "x.db") + ": there is no run 99");
  EXPECT_EQ(family_report(store, 99).error().message, (dir / "x.db") + ": there is no family 99");
}

}  // namespace
}  // namespace distlab::results
