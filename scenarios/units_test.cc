#include "scenarios/units.h"

#include <gtest/gtest.h>

namespace distlab::scenario {
namespace {

using namespace std::chrono_literals;

// Every unit of time is read exactly, fractions included.
TEST(Units, ReadsDurations) {
  EXPECT_EQ(parse_duration("0s"), Duration{0});
  EXPECT_EQ(parse_duration("7ns"), 7ns);
  EXPECT_EQ(parse_duration("250us"), 250us);
  EXPECT_EQ(parse_duration("40ms"), 40ms);
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("0.1s"), 100ms);
  EXPECT_EQ(parse_duration("5m"), 5min);
  EXPECT_EQ(parse_duration("2h"), 2h);
  EXPECT_EQ(parse_duration("100000h"), 100000h);
}

// What is no duration is refused with a reason that helps.
TEST(Units, RefusesBadDurations) {
  const auto error = [](std::string_view text) { return parse_duration(text).error(); };
  EXPECT_EQ(error("-5s"), "a duration must not be negative: '-5s'");
  EXPECT_EQ(error("60"), "a duration needs a unit (ns us ms s m h): '60'");
  EXPECT_EQ(error("5sec"), "unknown unit 'sec' in '5sec' (valid: ns us ms s m h)");
  EXPECT_EQ(error("5mss"), "unknown unit 'mss' in '5mss'; did you mean 'ms'? (valid: ns us ms s m h)");
  EXPECT_EQ(error("soon"), "expected a duration (ns us ms s m h), not 'soon'");
  EXPECT_EQ(error(""), "expected a duration (ns us ms s m h), not ''");
  EXPECT_EQ(error("100001h"), "a duration is too large (at most 100000h): '100001h'");
  EXPECT_EQ(error("999999999999999999h"), "a duration is too large (at most 100000h): '999999999999999999h'");
  EXPECT_EQ(error("9999999999999999999999s"), "a duration is too large (at most 100000h): '9999999999999999999999s'");
  EXPECT_EQ(error("0.5ns"), "a duration is finer than 1 ns: '0.5ns'");
  EXPECT_EQ(error("1.s"), "unknown unit '.s' in '1.s'; did you mean 'ns'? (valid: ns us ms s m h)");
}

// A range needs two durations in order; a single one is a range of no width.
TEST(Units, ReadsRanges) {
  EXPECT_EQ(parse_time_range("10s..14s"), (TimeRange{10s, 14s}));
  EXPECT_EQ(parse_time_range("10s"), (TimeRange{10s, 10s}));
  EXPECT_EQ(parse_time_range("1.5s..2s"), (TimeRange{1500ms, 2s}));
  EXPECT_EQ(parse_time_range("14s..10s").error(), "the range '14s..10s' ends before it begins");
  EXPECT_FALSE(parse_time_range("10s.."));
  EXPECT_FALSE(parse_time_range("..10s"));
}

// Rates are bits per second whether they are written in bits or bytes.
TEST(Units, ReadsRates) {
  EXPECT_EQ(parse_rate("20Mbit/s"), 20'000'000U);
  EXPECT_EQ(parse_rate("400kB/s"), 3'200'000U);
  EXPECT_EQ(parse_rate("1.5kbit/s"), 1500U);
  EXPECT_EQ(parse_rate("1MiB/s"), 8U * 1024 * 1024);
  EXPECT_EQ(parse_rate("unlimited"), 0U);
  EXPECT_EQ(parse_rate("0bit/s").error(), "a rate must be more than 0: '0bit/s' (no limit is 'unlimited')");
  EXPECT_EQ(parse_rate("20mbit/s").error().substr(0, 62),
            "unknown unit 'mbit/s' in '20mbit/s'; did you mean 'Mbit/s'? (v");
  EXPECT_FALSE(parse_rate("20000Gbit/s"));
}

// Decimal and binary sizes are told apart.
TEST(Units, ReadsSizes) {
  EXPECT_EQ(parse_size("256B"), 256U);
  EXPECT_EQ(parse_size("4MB"), 4'000'000U);
  EXPECT_EQ(parse_size("64KiB"), 65536U);
  EXPECT_EQ(parse_size("0.5KiB"), 512U);
  EXPECT_EQ(parse_size("0.3B").error(), "a size is finer than 1 B: '0.3B'");
  EXPECT_FALSE(parse_size("256"));
  EXPECT_FALSE(parse_size("2000GiB"));
}

// Ratios are shares or percentages between nothing and all.
TEST(Units, ReadsRatios) {
  EXPECT_DOUBLE_EQ(*parse_ratio("0.5%"), 0.005);
  EXPECT_DOUBLE_EQ(*parse_ratio("0.25"), 0.25);
  EXPECT_DOUBLE_EQ(*parse_ratio("100%"), 1);
  EXPECT_EQ(parse_ratio("101%").error(), "a ratio is between 0 and 1 (100%): '101%'");
  EXPECT_EQ(parse_ratio("-1%").error(), "a ratio must not be negative: '-1%'");
  EXPECT_EQ(parse_ratio("half").error(), "expected a ratio (0.5% or 0.005), not 'half'");
}

// A factor has no unit, and nothing is less than once as large.
TEST(Units, ReadsFactors) {
  EXPECT_DOUBLE_EQ(*parse_factor("1.25"), 1.25);
  EXPECT_DOUBLE_EQ(*parse_factor("1"), 1);
  EXPECT_DOUBLE_EQ(*parse_factor("1000000"), 1e6);
  EXPECT_EQ(parse_factor("0.99").error(), "a factor is between 1 and 1000000: '0.99'");
  EXPECT_EQ(parse_factor("1000001").error(), "a factor is between 1 and 1000000: '1000001'");
  EXPECT_EQ(parse_factor("25%").error(), "expected a factor (1.25), not '25%'");
  EXPECT_FALSE(parse_factor("-2"));
  EXPECT_FALSE(parse_factor(""));
}

// A frequency is the time between two of a kind.
TEST(Units, ReadsFrequencies) {
  EXPECT_EQ(parse_frequency("10/s"), 100ms);
  EXPECT_EQ(parse_frequency("0.5/s"), 2s);
  EXPECT_EQ(parse_frequency("6/m"), 10s);
  EXPECT_EQ(parse_frequency("0/s").error(), "must be more than 0: '0/s'");
  EXPECT_FALSE(parse_frequency("10"));
  EXPECT_FALSE(parse_frequency("2000000/s"));
}

// Whole numbers stay within their limits.
TEST(Units, ReadsIntegers) {
  EXPECT_EQ(parse_integer("4", 4, 1000), 4);
  EXPECT_EQ(parse_integer("3", 4, 1000).error(), "must be between 4 and 1000: '3'");
  EXPECT_EQ(parse_integer("4.0", 4, 1000).error(), "expected a whole number, not '4.0'");
  EXPECT_EQ(parse_integer("99999999999999999999", 4, 1000).error(),
            "must be between 4 and 1000: '99999999999999999999'");
  EXPECT_FALSE(parse_integer("", 0, 1));
}

// Durations are written so that they read back as the same.
TEST(Units, WritesDurationsItReads) {
  for (const Duration one : std::initializer_list<Duration>{0s, 1ns, 1500us, 1500ms, 90s, 3600s, 1s + 1ns})
    EXPECT_EQ(parse_duration(format_duration(one)), one) << format_duration(one);
  EXPECT_EQ(format_duration(1500ms), "1500ms");
  EXPECT_EQ(format_duration(90s), "90s");
}

}  // namespace
}  // namespace distlab::scenario
