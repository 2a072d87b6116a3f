#include "results/compare/output.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "results/compare/testing/made_up_arms.h"
#include "results/compare/words.h"
#include "results/testing/browser.h"

namespace distlab::results::compare {
namespace {

using scenario::Compared;
using testing::HasSubstr;
using testing::Not;

constexpr size_t replicates = 300;

const std::vector<Comparison>& made_up() {
  static const std::vector<Comparison> all{
      compare(made_up_topic({made_up_arm("sim", 30, {}), made_up_arm("emu/native", 30, {}),
                             made_up_arm("emu/<beam>", 30, {.detection = 4.6, .lost = 40})}),
              replicates),
      compare({"silence",
               "direction=out",
               scenario::default_margins(),
               {made_up_arm("sim", 30, {}), made_up_arm("emu/native", 30, {.detects = false})},
               {"a note"}},
              replicates),
  };
  return all;
}

// The table has a line per metric, the reasons of what does not agree, and the verdict at its end.
TEST(Output, Table) {
  const std::string table = to_table(made_up(), {.color = false, .width = 140});
  EXPECT_THAT(table,
              HasSubstr("silence (direction=both)  emu/native against sim  agree\n  30 and 30 runs, seed by seed\n"));
  EXPECT_THAT(table, HasSubstr("silence (direction=both)  emu/<beam> against sim  DISAGREE"));
  EXPECT_THAT(table, HasSubstr("detection time alice->bob, p50"));
  EXPECT_THAT(table, HasSubstr("the margin is ratio 1.05 or 200 ms"));
  EXPECT_THAT(table, HasSubstr("alice sees bob down (net_tick_timeout): in 30 of 30 runs against 0 of 30"));
  EXPECT_THAT(table, HasSubstr("note: a note"));
  EXPECT_THAT(table, HasSubstr("with too few samples  DISAGREE\n"));
  std::istringstream lines(table);
  size_t of_losses = 0;
  for (std::string line; std::getline(lines, line);) of_losses += line.rfind("  lost messages ", 0) == 0;
  EXPECT_EQ(of_losses, 3U);
}

// The Markdown table counts the verdicts of all variants of a scenario, a column per arm; what only one variant has
// compared stands in its column alone.
TEST(Output, Markdown) {
  const std::string table = to_markdown(made_up());
  EXPECT_THAT(
      table, HasSubstr("| scenario | metric | emu/native against sim | emu/<beam> against sim |\n|---|---|---|---|\n"));
  EXPECT_THAT(table, HasSubstr("| `silence`, 2 variants, 30 runs each | "));
  EXPECT_THAT(table, HasSubstr("detection time | 1 agree, 1 **disagree**"));
  EXPECT_EQ(to_markdown({}), "");
}

// A terminal gets no control characters out of recorded names.
TEST(Output, TableIsClean) {
  const Comparison comparison = compare({"silence",
                                         "",
                                         scenario::default_margins(),
                                         {made_up_arm("sim", 30, {}), made_up_arm("emu", 30, {.reason = "\x1b[2J"})},
                                         {}},
                                        replicates);
  EXPECT_THAT(to_table({comparison}, {}), Not(HasSubstr("\x1b")));
}

// JSON has every figure and verdict, under the names README.md lists.
TEST(Output, Json) {
  const auto json = nlohmann::json::parse(to_json(made_up()));
  EXPECT_EQ(json["distlab_compare_json"], 1);
  EXPECT_EQ(json["outcome"], "disagree");
  ASSERT_EQ(json["comparisons"].size(), 2U);
  const auto& first = json["comparisons"][0];
  EXPECT_EQ(first["variant"], "direction=both");
  EXPECT_EQ(first["arms"][1]["name"], "emu/native");
  EXPECT_EQ(first["arms"][1]["runs"], 30);
  EXPECT_EQ(first["versus"][0]["outcome"], "agree");
  const auto& latency = first["versus"][0]["metrics"][1];
  EXPECT_EQ(latency["metric"], "call_latency");
  EXPECT_EQ(latency["margin"]["ratio"], 1.25);
  EXPECT_EQ(latency["values"][0]["of"], "alice->bob");
  EXPECT_NEAR(latency["values"][0]["reference"]["p50"], 0.02, 0.001);
  EXPECT_EQ(latency["values"][0]["p50_ratio"].size(), 2U);
  EXPECT_EQ(latency["values"][0]["tests"].size(), 3U);
  EXPECT_EQ(latency["outcomes"][0]["what"], "alice->bob: ok");
  EXPECT_TRUE(json["comparisons"][1]["versus"][0]["metrics"][2]["values"][0]["arm"]["p50"].is_null());
}

// JUnit: a suite for each pair of arms, a case for each metric; what disagrees is a failure.
TEST(Output, JUnit) {
  const std::string xml = to_junit(made_up());
  EXPECT_EQ(occurrences(xml, "<testsuite "), 3U);
  EXPECT_EQ(occurrences(xml, "<testcase "), 18U);
  EXPECT_EQ(occurrences(xml, "<failure "), 3U);
  EXPECT_THAT(xml, HasSubstr("<testsuites name=\"distlab\" tests=\"18\" failures=\"3\" errors=\"0\">"));
  EXPECT_THAT(xml, HasSubstr("emu/&lt;beam&gt; against sim"));
}

// Too few samples are skipped in JUnit, and say how many would do everywhere; the table says once why nothing is
// settled.
TEST(Output, TooFew) {
  const std::vector<Comparison> few{
      compare(made_up_topic({made_up_arm("sim", 4, {}), made_up_arm("emu", 4, {})}), replicates)};
  const std::string table = to_table(few, {});
  EXPECT_THAT(table, HasSubstr("runs of each arm would do)\n"));
  EXPECT_THAT(table, HasSubstr("  Fewer than 10 runs of an arm settle no metric; "));
  EXPECT_THAT(table, Not(HasSubstr("margins apart")));
  EXPECT_THAT(to_junit(few), HasSubstr("<skipped message=\"too few samples: "));
  const auto json = nlohmann::json::parse(to_json(few));
  EXPECT_EQ(json["outcome"], "too few");
  EXPECT_GE(json["runs_needed"], 10);
}

// A metric of which only outcomes are known, as of calls that all fail, has a line and a verdict.
TEST(Output, OnlyOutcomes) {
  const auto failing = [](const std::string& name) {
    Arm arm = made_up_arm(name, 30, {});
    for (Measures& run : arm.runs) {
      run.values.erase(Compared::call_latency);
      run.outcomes[Compared::call_latency] = {{"alice->bob", "a call", "timeout"}};
    }
    return arm;
  };
  const std::vector<Comparison> all{compare(made_up_topic({failing("sim"), failing("emu")}), replicates)};
  EXPECT_THAT(to_table(all, {}), HasSubstr("  call latency "));
  EXPECT_THAT(to_table(all, {}), HasSubstr("3 kinds of outcome agree"));
  EXPECT_EQ(nlohmann::json::parse(to_json(all))["comparisons"][0]["versus"][0]["metrics"][1]["outcome"], "agree");
}

// An arm without any run is said to be one.
TEST(Output, NothingToCompare) {
  const std::vector<Comparison> none{
      compare(made_up_topic({made_up_arm("sim", 4, {}), Arm{"emu", {}, 4}}), replicates)};
  EXPECT_THAT(to_table(none, {}), HasSubstr("there is nothing to compare"));
  EXPECT_THAT(to_table(none, {}), HasSubstr("4 left out"));
  EXPECT_THAT(to_junit(none), HasSubstr("there is nothing to compare"));
}

// The page draws in a browser: a chart for each metric with a curve for each arm, and no script fails.
TEST(Output, DrawsInABrowser) {
  ASSERT_TRUE(chromium_is_there()) << "the page is tested in chromium: `./distlab test` installs it";
  const std::string dom = drawn(dom_of(to_html(made_up(), "distlab compare </script>"), "compare"));
  EXPECT_EQ(dom.find("id=\"error\""), std::string::npos) << dom.substr(dom.find("id=\"error\""), 300);
  EXPECT_THAT(dom, HasSubstr("data-ready=\"1\""));
  EXPECT_EQ(occurrences(dom, "data-drawn=\"1\""), 7U);  // not of messages that are never lost
  EXPECT_EQ(occurrences(dom, "class=\"metric\""), 18U);
  EXPECT_THAT(dom, HasSubstr("in 30 of 30 runs against 0 of 30"));
  EXPECT_THAT(dom, HasSubstr("distlab compare &lt;/script&gt;"));
  EXPECT_THAT(dom, HasSubstr("emu/&lt;beam&gt;"));
}

// Figures are written in the unit of their metric.
TEST(Words, Values) {
  EXPECT_EQ(value_text(Compared::setup_time, 0.0321), "32.1 ms");
  EXPECT_EQ(value_text(Compared::goodput, 94.13e6), "94.1 Mbit/s");
  EXPECT_EQ(value_text(Compared::lost_messages, 62), "62");
  EXPECT_EQ(value_text(Compared::lost_messages, 0.25), "0.25");
  EXPECT_EQ(margin_text(Compared::goodput, {1.25, std::nullopt, 0.2, 0.1}), "ratio 1.25");
  EXPECT_EQ(margin_text(Compared::lost_messages, {1.1, 2.0, 0.2, 0.1}), "ratio 1.1 or 2");
  EXPECT_EQ(conclusion_text({Decision::too_few, 120}), "too few samples: 120 runs of each arm would do");
}

}  // namespace
}  // namespace distlab::results::compare
