// Table, JSON and JUnit: what an invocation says of its runs.
#include <cstdio>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "results/json.h"
#include "results/junit.h"
#include "results/table.h"
#include "results/testing/events.h"
#include "results/testing/synthetic_run.h"
#include "results/testing/temp_dir.h"

namespace distlab::results {
namespace {

RunSummary summary(const SyntheticRun& made) {
  return summarize(digest(made.run, made.events), made.verdicts);
}

// A run on real hosts is not said to be simulated; how late its processes and its network were is, the latter where we
// carried the packets.
TEST(Table, ShowsThePaceOfRealTime) {
  SyntheticRun made = synthetic_run(7, false);
  made.run.ground = "emu";
  made.run.clock_lateness = ClockLateness{60'000, 1'200'000, 5'000'000};
  const auto table = [&] { return run_table(digest(made.run, made.events), made.verdicts, {}); };
  EXPECT_NE(table().find("90.00 s in real time; late (p50 / p99 / most): packets 60 us / 1.2 ms / 5 ms\n"),
            std::string::npos)
      << table();
  EXPECT_EQ(table().find("simulated"), std::string::npos);
  made.run.ground = "live";
  made.run.clock_lateness.reset();
  EXPECT_NE(table().find("90.00 s in real time\n"), std::string::npos) << table();
  made.run.wake_lateness = ClockLateness{80'000, 900'000, 4'000'000};
  EXPECT_NE(table().find(" in real time; late (p50 / p99 / most): processes 80 us / 900 us / 4 ms\n"),
            std::string::npos)
      << table();
}

// What BEAMs evaluated is shown with what came of it, and so is what held up their schedulers.
TEST(Table, ShowsWhatBeamsEvaluated) {
  SyntheticRun made = synthetic_run(7, false);
  made.events.push_back(eval_done(88, "alice", "ok", "{atomic,ok}", 0.5));
  made.events.push_back(eval_done(89, "bob", "error", "{badmatch,\x1b[2J}", 0.002));
  made.events.push_back(event(89.1, "bob", "bob", "scheduler_stall", {{"elapsed_ns", seconds(0.2)}}));
  const std::string table = run_table(digest(made.run, made.events), made.verdicts, {});
  for (const char* part : {"\nEvaluated\n  alice at 87.50 s, 500 ms: {atomic,ok}\n  bob at 89.00 s, 2 ms: error: {bad",
                           "\nSchedulers held up\n  bob once, 200 ms at most\n"})
    EXPECT_NE(table.find(part), std::string::npos) << part << "\nin\n" << table;
  EXPECT_EQ(table.find('\x1b'), std::string::npos);
}

// The table of one run says what ran, who saw whom, calls, messages and verdicts, with reasons.
TEST(Table, ShowsOneRun) {
  SyntheticRun made = synthetic_run(7, false);
  for (const char* result : {"pang", "pong", "pong"})
    made.events.push_back(event(89.5, "alice", "alice->bob", "ping_done", {{"result", std::string(result)}}));
  const std::string table = run_table(digest(made.run, made.events), made.verdicts, {});
  for (const char* part :
       {"tick-timeout  sim  seed 7  FAIL\n",
        "90.00 s simulated in 800 ms (112 times real time), trace 0000000000084eb7",
        "  alice  bob    up 1.00 s, down 33.21 s (net_tick_timeout), up 49.00 s; 1 failed to connect, last 40.00 s "
        "(setup_timeout)\n",
        "\nPings\n  1 pang, 2 pong\n", "895 calls, latency p50 51.3 ms, p99 90.8 ms, max 316 ms, 3 nodedown\n",
        "  from   to     sent  delivered  lost  dup  reord  late      p50      p99  wedged\n",
        "  alice  bob     285        272    13    0      0     0  23.4 ms    40 ms  3.14 s\n",
        "  FAIL    no message is lost between alice and bob\n          28 of 600 messages were lost, the first at "
        "30.04 s "
        "[scenarios/tick-timeout.yaml:27]\n",
        "  unknown every ping is answered\n"})
    EXPECT_NE(table.find(part), std::string::npos) << part << "\nin\n" << table;
  EXPECT_EQ(table.find('\x1b'), std::string::npos);
}

// Colour is there only when asked for, and text that a peer chose cannot steer the terminal.
TEST(Table, ColoursAreOursOnly) {
  SyntheticRun made = synthetic_run(7, false);
  made.verdicts[0].why = "evil \x1b[2J text";
  const std::string plain = run_table(digest(made.run, made.events), made.verdicts, {});
  EXPECT_EQ(plain.find('\x1b'), std::string::npos);
  TableStyle color;
  color.color = true;
  EXPECT_NE(run_table(digest(made.run, made.events), made.verdicts, color).find("\x1b[1;31mFAIL\x1b[0m"),
            std::string::npos);
}

// Reasons are wrapped to the width of the terminal.
TEST(Table, WrapsReasons) {
  SyntheticRun made = synthetic_run(7, false);
  made.verdicts.resize(1);
  made.verdicts[0].why = "one two three four five six seven eight nine ten eleven twelve";
  TableStyle narrow;
  narrow.width = 40;
  const std::string table = run_table(digest(made.run, made.events), made.verdicts, narrow);
  EXPECT_NE(
      table.find("          one two three four five six\n          seven eight nine ten eleven\n          twelve\n"),
      std::string::npos)
      << table;
}

// The table of a family has a line per run, the failed ones even when there are many.
TEST(Table, ShowsAFamily) {
  std::vector<RunSummary> runs;
  for (uint64_t i = 1; i <= 60; ++i) runs.push_back(summary(synthetic_run(i, i != 57)));
  const std::string table = family_table(runs, {});
  EXPECT_NE(
      table.find("\n    1     1           pass     net_tick_timeout         3.15 s    895  51.1 ms   160 ms    28\n"),
      std::string::npos)
      << table;
  EXPECT_NE(table.find("\n   57    57           FAIL "), std::string::npos);
  EXPECT_NE(table.find("and 19 more runs that passed"), std::string::npos);
  EXPECT_NE(table.find(
                "  FAIL    no message is lost between alice and bob  59 of 60 passed\n          run 57, seed 57: 28 of "
                "600 messages were lost"),
            std::string::npos);
  EXPECT_NE(table.find("60 runs: 59 passed, 1 failed, 0 unknown  FAIL\n"), std::string::npos);
}

// A run over relays has its relays, its tunnels and its story between the usual parts.
TEST(Table, ShowsRelaysAndTunnels) {
  SyntheticRun made = synthetic_relay_run();
  made.events.push_back(
      event(169.9, "berlin", "evil\x1b[2J", "session_refused", {{"reason", std::string("bad\x1b[2J")}}));
  const std::string table = run_table(digest(made.run, made.events), made.verdicts, {});
  for (const char* part :
       {"\nRelays\n  relay   process                          sessions  ",
        "\n  berlin  killed 60.00 s, started 75.00 s  5 up, 3 down (1 closed, 2 process killed), 2 open at the end  "
        "1 bad [2J, 1 wrong_realm  2 messages, 512 B (no_subscriber)\n",
        "\nTunnels\n  node   peer    opened   accepted  delivered      lost  what its bridge did\n"
        "  alice  bob     1.00 s  117.2 KiB   75.0 KiB  42.2 KiB  running 1.01 s, closed 105.2 s (distribution "
        "closed)\n"
        "  alice  bob    126.0 s   43.0 KiB   37.0 KiB   6.0 KiB  running 126.0 s, reconnecting 140.0 s (client down), "
        "running 146.0 s\n",
        "\nWhat happened\n  Before the first fault:\n    - berlin refused mallory at 5.00 s (wrong_realm).\n",
        "\n  berlin was killed at 60.00 s and started again at 75.00 s.\n    - alice's client noticed after 62.40 s "
        "(ping) that berlin was lost and had a session again at\n      124.5 s.\n"})
    EXPECT_NE(table.find(part), std::string::npos) << part << "\nin\n" << table;
  EXPECT_EQ(table.find('\x1b'), std::string::npos);
  const SyntheticRun without = synthetic_run(7, false);
  const std::string plain = run_table(digest(without.run, without.events), without.verdicts, {});
  for (const char* part : {"Relays", "Tunnels", "What happened"})
    EXPECT_EQ(plain.find(part), std::string::npos) << part;
}

// Whatever ended a run has a name, and so has that nothing did.
TEST(Table, NamesTheCauseOfDeath) {
  RunSummary run;
  run.run.status = RunStatus::incomplete;
  EXPECT_EQ(cause_of_death(run), "incomplete");
  run.run.status = RunStatus::complete;
  EXPECT_EQ(cause_of_death(run), "no fault");
  run.had_fault = true;
  EXPECT_EQ(cause_of_death(run), "never up");
  run.ever_up = true;
  EXPECT_EQ(cause_of_death(run), "survived");
  EXPECT_EQ(cause_of_death(summary(synthetic_run(1, true))), "net_tick_timeout");
}

// The JSON has its format's number, and the names README.md promises.
TEST(Json, HasItsDocumentedForm) {
  std::vector<RunSummary> runs = {summary(synthetic_run(7, false)), summary(synthetic_run(8, true))};
  runs[0].run.labels = {{"nodes.a.net_ticktime", "4s"}};
  runs[0].run.seed = 0xffff'ffff'ffff'ffffu;
  runs[0].run.error = "not \xff utf-8";
  const auto json = nlohmann::json::parse(to_json(runs));
  EXPECT_EQ(json["distlab_json"], json_format);
  EXPECT_EQ(json["outcome"], "fail");
  ASSERT_EQ(json["runs"].size(), 2u);
  const auto& run = json["runs"][0];
  EXPECT_EQ(run["seed"], 0xffff'ffff'ffff'ffffu);
  EXPECT_EQ(run["labels"]["nodes.a.net_ticktime"], "4s");
  EXPECT_EQ(run["calls"]["total"], 895);
  EXPECT_NEAR(run["calls"]["latency_ms"]["p99"].get<double>(), 90.8, 0.1);
  EXPECT_EQ(run["messages"]["lost"], 29);
  EXPECT_EQ(run["node_down"][0]["reason"], "net_tick_timeout");
  EXPECT_EQ(run["verdicts"][2]["outcome"], "fail");
  EXPECT_EQ(run["verdicts"][2]["line"], 27);
  EXPECT_TRUE(run["clock_lateness"].is_null());
  EXPECT_EQ(json["runs"][1]["outcome"], "pass");

  // README.md describes every field, by name.
  std::ostringstream readme;
  readme << std::ifstream("results/README.md").rdbuf();
  for (const auto& [name, value] : run.items())
    EXPECT_NE(readme.str().find("`" + name + "`"), std::string::npos) << name;
}

// What comes out is XML that another parser reads, with the counts servers add up.
TEST(Junit, IsReadByAnotherParser) {
  std::vector<RunSummary> runs = {summary(synthetic_run(7, false)), summary(synthetic_run(8, true))};
  runs[0].verdicts[2].why = "<a href=\"x\"> & 'y' \x01\xff\n\xef\xbf\xbf ]]>";
  runs[1].run.status = RunStatus::incomplete;
  runs[1].run.error = "interrupted";
  TempDir dir;
  std::ofstream(dir / "x.xml") << to_junit(runs);
  std::ofstream(dir / "check.py") << R"py(
import sys, xml.etree.ElementTree as e
root = e.parse(sys.argv[1]).getroot()
suites = root.findall('testsuite')
first, second = suites
cases = first.findall('testcase')
print(root.tag, root.get('tests'), root.get('failures'), root.get('errors'), len(suites))
print(first.get('name'), first.get('tests'), first.get('failures'), first.get('skipped'), len(cases))
print(ascii(cases[2].find('failure').get('message')), cases[2].get('file'), cases[2].get('line'))
print(cases[3].find('skipped').get('message'))
print(second.findall('testcase')[-1].find('error').get('message'))
)py";
  FILE* pipe = ::popen(fmt::format("python3 {} {} 2>&1", dir / "check.py", dir / "x.xml").c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string out;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) out += static_cast<char>(c);
  EXPECT_EQ(::pclose(pipe), 0);
  EXPECT_EQ(out,
            "testsuites 9 1 1 2\n"
            "tick-timeout sim seed 7 4 1 1 4\n"
            "'<a href=\"x\"> & \\'y\\' \\ufffd\\ufffd\\n\\ufffd ]]>' scenarios/tick-timeout.yaml 27\n"
            "unknown: there was no ping\n"
            "incomplete: interrupted\n");
}

}  // namespace
}  // namespace distlab::results
