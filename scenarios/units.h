// Numbers with units, as scenario files write them: strict, exact, and with errors that say what is
// valid. Every error is one clause that fits after "file:line:col: ".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "scenarios/scenario.h"

namespace distlab::scenario {

template <typename T>
using Parsed = tl::expected<T, std::string>;

// "40ms", "1.5s": ns us ms s m h. Not negative, at most 100,000 h, no finer than 1 ns. Always with a unit.
Parsed<Duration> parse_duration(std::string_view text);
// "10s" or "10s..14s", low <= high.
Parsed<TimeRange> parse_time_range(std::string_view text);
// Bits per second: bit/s kbit/s Mbit/s Gbit/s, B/s kB/s MB/s GB/s, KiB/s MiB/s GiB/s. More than 0, at
// most 10 Tbit/s; "unlimited" is 0.
Parsed<uint64_t> parse_rate(std::string_view text);
// Bytes: B kB MB GB KiB MiB GiB; at most 1 TiB, whole bytes.
Parsed<uint64_t> parse_size(std::string_view text);
// "0.5%" or "0.005": 0..1.
Parsed<double> parse_ratio(std::string_view text);
// "1.25": 1..1,000,000.
Parsed<double> parse_factor(std::string_view text);
// "10/s", "6/m", "0.5/h": the time from one to the next, 1 us at least.
Parsed<Duration> parse_frequency(std::string_view text);
// Decimal digits, low <= value <= high.
Parsed<int64_t> parse_integer(std::string_view text, int64_t low, int64_t high);
// true or false.
Parsed<bool> parse_boolean(std::string_view text);

// The shortest text that parse_duration reads back: "1500ms", "2s".
std::string format_duration(Duration duration);

}  // namespace distlab::scenario
