#include "real/daemon/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "models/host/event_kinds.h"
#include "real/daemon/event_log.h"

namespace distlab::daemon {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Logs : public ::testing::Test {
 protected:
  Log make(LogSettings settings = {}) {
    return Log(
        settings, [this](std::string_view line) { lines.emplace_back(line); },
        [] { return std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 13h + 49min + 42'123ms; });
  }
  std::vector<std::string> lines;
  Time now = run_start;
};

// A line has its time in RFC 3339, level, event and fields; durations are in seconds.
TEST_F(Logs, Text) {
  Log log = make();
  log.line(now, LogLevel::info, "session_up",
           {{"subject", "a@b.c"}, {"count", int64_t{3}}, {"took_ns", int64_t{1'500'000}}});
  EXPECT_THAT(lines,
              ElementsAre("2026-11-21T13:49:42.123Z info session_up subject=a@b.c count=3 took_seconds=0.001500\n"));
}

// The same as JSON, which parses.
TEST_F(Logs, Json) {
  Log log = make({.format = LogFormat::json});
  log.line(now, LogLevel::error, "failed", {{"reason", "a \"quoted\"\nline"}, {"bytes", int64_t{7}}});
  ASSERT_THAT(lines, SizeIs(1));
  const auto json = nlohmann::json::parse(lines[0]);
  EXPECT_EQ(json, (nlohmann::json{{"time", "2026-11-21T13:49:42.123Z"},
                                  {"level", "error"},
                                  {"event", "failed"},
                                  {"reason", "a \"quoted\"\nline"},
                                  {"bytes", 7}}));
}

// What a peer says cannot begin a line of its own, move the cursor, or be endless.
TEST_F(Logs, HostileValues) {
  Log log = make();
  log.line(now, LogLevel::info, "e", {{"v", "x\n2026 error forged\x1b[2J\xff"}});
  log.line(now, LogLevel::info, "e", {{"v", std::string(100'000, 'x')}});
  log.line(now, LogLevel::info, "e", {{"v", ""}});
  ASSERT_THAT(lines, SizeIs(3));
  for (const std::string& line : lines) {
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
    EXPECT_LT(line.size(), 400u);
  }
  EXPECT_THAT(lines[2], HasSubstr("v=\"\""));
}

// Lines below the level are not written.
TEST_F(Logs, Level) {
  Log log = make({.level = LogLevel::warning});
  log.line(now, LogLevel::info, "e", {});
  EXPECT_THAT(lines, IsEmpty());
  EXPECT_FALSE(log.wants(LogLevel::info));
  EXPECT_EQ(parse_log_level("warning"), LogLevel::warning);
  EXPECT_EQ(parse_log_level("loud"), std::nullopt);
}

// Of a flood, each sort gets so many lines in a window, and then one that counts the rest.
TEST_F(Logs, Flood) {
  Log log = make({.burst = 3, .window = 10s});
  for (int i = 0; i < 1'000; ++i) log.line(now, LogLevel::warning, "refused", {}, "realm");
  log.line(now, LogLevel::warning, "refused", {}, "limit");
  EXPECT_THAT(lines, SizeIs(4));
  log.flush(now + 9s);
  EXPECT_THAT(lines, SizeIs(4));
  log.flush(now + 10s);
  ASSERT_THAT(lines, SizeIs(5));
  EXPECT_THAT(lines[4], HasSubstr("warning suppressed of=refused reason=realm lines=997"));
  EXPECT_EQ(log.suppressed(), 997u);
  log.line(now + 11s, LogLevel::warning, "refused", {}, "realm");
  EXPECT_THAT(lines, SizeIs(6));
}

// A window that is over is told of by the next line, too, and what is left at the end by the last flush.
TEST_F(Logs, SuppressedIsTold) {
  Log log = make({.burst = 1, .window = 10s});
  for (int i = 0; i < 3; ++i) log.line(now, LogLevel::info, "e", {});
  for (int i = 0; i < 3; ++i) log.line(now + 10s, LogLevel::info, "e", {});
  log.flush(now + 10s, true);
  ASSERT_THAT(lines, SizeIs(4));
  EXPECT_THAT(lines[1], HasSubstr("suppressed of=e lines=2"));
  EXPECT_THAT(lines[3], HasSubstr("suppressed of=e lines=2"));
}

// However many sorts there are, only so many are remembered; the others share one limit.
TEST_F(Logs, ManySorts) {
  Log log = make({.burst = 2, .window = 10s, .sorts = 10});
  for (int i = 0; i < 1'000; ++i) log.line(now, LogLevel::info, "e", {}, std::to_string(i));
  EXPECT_THAT(lines, SizeIs(12));
  log.flush(now, true);
  EXPECT_THAT(lines.back(), HasSubstr("suppressed of=other lines=988"));
}

// Events become lines of a fitting level, and are counted by kind and reason.
TEST_F(Logs, Events) {
  Log log = make();
  EventLog events(log);
  events.record(now, {kinds::session_refused, "mallory", {{"reason", "refused: realm"}, {"realm", "x"}}});
  events.record(now, {kinds::session_up, "alice", {{"realm", "x"}}});
  events.record(now, {kinds::handshake_step, "alice", {}});
  events.record(now, {kinds::relay_dropped, "?", {{"reason", "no_subscriber"}, {"bytes", int64_t{1}}}});
  events.record(now, {kinds::log, "alice", {{"level", "error"}, {"text", "odd"}}});
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_THAT(lines[0], HasSubstr("warning session_refused subject=mallory reason=\"refused: realm\" realm=x"));
  EXPECT_THAT(lines[1], HasSubstr("info session_up subject=alice realm=x"));
  EXPECT_THAT(lines[2], HasSubstr("error log subject=alice text=odd"));
  EXPECT_EQ(events.count(kinds::session_refused), 1u);
  EXPECT_TRUE(events.wants(kinds::node_up));
  EXPECT_FALSE(events.wants(kinds::tick));
  MetricsText metrics;
  events.add_metrics(metrics);
  EXPECT_THAT(metrics.text(),
              HasSubstr("distlab_event_reasons_total{kind=\"session_refused\",reason=\"refused: realm\"} 1\n"));
}

// Reasons are counted by what a peer has no say in, and never by more than so many.
TEST_F(Logs, ReasonClasses) {
  EXPECT_EQ(reason_class("limit: sessions"), "limit: sessions");
  EXPECT_EQ(reason_class("application 0: whatever the peer says"), "application");
  EXPECT_EQ(reason_class("disconnect: bye"), "disconnect");
  EXPECT_EQ(reason_class("idle"), "idle");
  EXPECT_EQ(reason_class("something else"), "other");
  Log log = make({.level = LogLevel::error});
  EventLog events(log);
  for (int i = 0; i < 10'000; ++i) {
    events.record(now, {kinds::mesh_failed, "relay", {{"reason", "limit: " + std::to_string(i)}}});
  }
  MetricsText metrics;
  events.add_metrics(metrics);
  EXPECT_LT(metrics.text().size(), 20'000u);
  EXPECT_THAT(metrics.text(), HasSubstr("reason=\"other\""));
}

// The text format: help and type once, labels escaped, whole numbers in full, buckets added up.
TEST(Metrics, Text) {
  MetricsText metrics;
  metrics.counter("x_total", "Things.\nMore.");
  metrics.sample(12'345'678'901.0, {{"a", "q\"\\\n"}, {"b", "2"}});
  metrics.gauge("y", "Level.", 0.5);
  metrics.histogram("h", "Times.", {{0.1, 2}, {1, 3}}, 4, 7.5);
  EXPECT_EQ(metrics.text(),
            "# HELP x_total Things.\\nMore.\n# TYPE x_total counter\n"
            "x_total{a=\"q\\\"\\\\\\n\",b=\"2\"} 12345678901\n"
            "# HELP y Level.\n# TYPE y gauge\ny 0.5\n"
            "# HELP h Times.\n# TYPE h histogram\n"
            "h_bucket{le=\"0.1\"} 2\nh_bucket{le=\"1\"} 5\nh_bucket{le=\"+Inf\"} 9\nh_sum 7.5\nh_count 9\n");
}

}  // namespace
}  // namespace distlab::daemon
