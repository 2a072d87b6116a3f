#include "scenarios/units.h"

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "scenarios/suggest.h"

namespace distlab::scenario {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;  // in the smallest unit
};

constexpr uint64_t kilo = 1000, mega = kilo * 1000, giga = mega * 1000;
constexpr uint64_t kibi = 1024, mebi = kibi * 1024, gibi = mebi * 1024;
constexpr std::array<Unit, 6> duration_units{
    {{"ns", 1}, {"us", kilo}, {"ms", mega}, {"s", giga}, {"m", 60 * giga}, {"h", 3600 * giga}}};
constexpr std::array<Unit, 11> rate_units{{{"bit/s", 1},
                                           {"kbit/s", kilo},
                                           {"Mbit/s", mega},
                                           {"Gbit/s", giga},
                                           {"B/s", 8},
                                           {"kB/s", 8 * kilo},
                                           {"MB/s", 8 * mega},
                                           {"GB/s", 8 * giga},
                                           {"KiB/s", 8 * kibi},
                                           {"MiB/s", 8 * mebi},
                                           {"GiB/s", 8 * gibi}}};
constexpr std::array<Unit, 7> size_units{
    {{"B", 1}, {"kB", kilo}, {"MB", mega}, {"GB", giga}, {"KiB", kibi}, {"MiB", mebi}, {"GiB", gibi}}};

constexpr uint64_t max_duration_ns = uint64_t{100'000} * 3600 * giga;
constexpr uint64_t max_rate_bps = 10'000 * giga;
constexpr uint64_t max_size = 1024 * gibi;
constexpr size_t max_length = 64;  // of a number with its unit; longer ones are not even quoted

// mantissa / 10^decimals
struct Decimal {
  uint64_t mantissa = 0;
  uint64_t scale = 1;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string quoted(std::string_view text) {
  return text.size() <= max_length ? fmt::format("'{}'", text) : fmt::format("'{}...'", text.substr(0, max_length));
}

// Reads the number in front and leaves what follows it; nothing when there is none or it is too long.
std::optional<Decimal> take_number(std::string_view& text) {
  Decimal number;
  size_t i = 0, digits = 0;
  bool point = false;
  for (; i < text.size(); ++i) {
    if (text[i] == '.' && !point && i > 0 && i + 1 < text.size() && is_digit(text[i + 1])) {
      point = true;
      continue;
    }
    if (!is_digit(text[i])) break;
    if (++digits > 18) return std::nullopt;
    number.mantissa = number.mantissa * 10 + static_cast<uint64_t>(text[i] - '0');
    if (point) number.scale *= 10;
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(i);
  return number;
}

std::string names_of(std::span<const Unit> units) {
  std::string names;
  for (const Unit& unit : units) names += (names.empty() ? "" : " ") + std::string(unit.name);
  return names;
}

std::string unit_error(std::string_view what, std::string_view text, std::string_view unit,
                       std::span<const Unit> units) {
  if (unit.empty()) return fmt::format("{} needs a unit ({}): {}", what, names_of(units), quoted(text));
  std::vector<std::string> names;
  for (const Unit& one : units) names.emplace_back(one.name);
  return fmt::format("unknown unit {} in {}{} (valid: {})", quoted(unit), quoted(text), did_you_mean(unit, names),
                     names_of(units));
}

// The text as a whole number of the smallest unit, at most `limit`.
Parsed<uint64_t> parse_with_unit(std::string_view what, std::string_view text, std::span<const Unit> units,
                                 uint64_t limit, std::string_view limit_text) {
  const auto too_large = [&] {
    return tl::unexpected(fmt::format("{} is too large (at most {}): {}", what, limit_text, quoted(text)));
  };
  if (!text.empty() && text.front() == '-')
    return tl::unexpected(fmt::format("{} must not be negative: {}", what, quoted(text)));
  std::string_view rest = text;
  const auto number = take_number(rest);
  if (!number) {
    if (!text.empty() && is_digit(text.front()) && text.size() > 18) return too_large();
    return tl::unexpected(fmt::format("expected {} ({}), not {}", what, names_of(units), quoted(text)));
  }
  const Unit* unit = nullptr;
  for (const Unit& one : units)
    if (one.name == rest) unit = &one;
  if (unit == nullptr) return tl::unexpected(unit_error(what, text, rest, units));
  // Whole and fraction apart, so that the product stays in range.
  const uint64_t whole = number->mantissa / number->scale, fraction = number->mantissa % number->scale;
  uint64_t value = 0, part = 0;
  if (__builtin_mul_overflow(whole, unit->factor, &value) || value > limit) return too_large();
  if (fraction != 0) {
    if (__builtin_mul_overflow(fraction, unit->factor, &part) || part % number->scale != 0)
      return tl::unexpected(fmt::format("{} is finer than 1 {}: {}", what, units.front().name, quoted(text)));
    part /= number->scale;
  }
  if (value + part > limit) return too_large();
  return value + part;
}

}  // namespace

Parsed<Duration> parse_duration(std::string_view text) {
  const auto value = parse_with_unit("a duration", text, duration_units, max_duration_ns, "100000h");
  if (!value) return tl::unexpected(value.error());
  return Duration{static_cast<int64_t>(*value)};
}

Parsed<TimeRange> parse_time_range(std::string_view text) {
  const size_t dots = text.find("..");
  const auto low = parse_duration(text.substr(0, dots));
  if (!low) return tl::unexpected(low.error());
  if (dots == std::string_view::npos) return TimeRange{*low, *low};
  const auto high = parse_duration(text.substr(dots + 2));
  if (!high) return tl::unexpected(high.error());
  if (*high < *low) return tl::unexpected(fmt::format("the range {} ends before it begins", quoted(text)));
  return TimeRange{*low, *high};
}

Parsed<uint64_t> parse_rate(std::string_view text) {
  if (text == "unlimited") return 0;
  auto value = parse_with_unit("a rate", text, rate_units, max_rate_bps, "10000Gbit/s");
  if (value && *value == 0)
    return tl::unexpected(fmt::format("a rate must be more than 0: {} (no limit is 'unlimited')", quoted(text)));
  return value;
}

Parsed<uint64_t> parse_size(std::string_view text) {
  return parse_with_unit("a size", text, size_units, max_size, "1024GiB");
}

Parsed<double> parse_ratio(std::string_view text) {
  if (!text.empty() && text.front() == '-')
    return tl::unexpected(fmt::format("a ratio must not be negative: {}", quoted(text)));
  std::string_view rest = text;
  const auto number = take_number(rest);
  if (!number || (!rest.empty() && rest != "%"))
    return tl::unexpected(fmt::format("expected a ratio (0.5% or 0.005), not {}", quoted(text)));
  const double percent = rest == "%" ? 100.0 : 1.0;
  const double value = static_cast<double>(number->mantissa) / (static_cast<double>(number->scale) * percent);
  if (value > 1) return tl::unexpected(fmt::format("a ratio is between 0 and 1 (100%): {}", quoted(text)));
  return value;
}

Parsed<double> parse_factor(std::string_view text) {
  std::string_view rest = text;
  const auto number = take_number(rest);
  if (!number || !rest.empty()) return tl::unexpected(fmt::format("expected a factor (1.25), not {}", quoted(text)));
  const double value = static_cast<double>(number->mantissa) / static_cast<double>(number->scale);
  if (value < 1 || value > 1e6)
    return tl::unexpected(fmt::format("a factor is between 1 and 1000000: {}", quoted(text)));
  return value;
}

Parsed<Duration> parse_frequency(std::string_view text) {
  std::string_view rest = text;
  const auto number = take_number(rest);
  uint64_t unit = 0;
  if (rest == "/s") unit = giga;
  if (rest == "/m") unit = 60 * giga;
  if (rest == "/h") unit = 3600 * giga;
  if (!number || unit == 0)
    return tl::unexpected(fmt::format("expected how often (10/s, 6/m or 1/h), not {}", quoted(text)));
  if (number->mantissa == 0) return tl::unexpected(fmt::format("must be more than 0: {}", quoted(text)));
  uint64_t scaled = 0;
  if (__builtin_mul_overflow(unit, number->scale, &scaled))
    return tl::unexpected(fmt::format("too many digits: {}", quoted(text)));
  const uint64_t period = scaled / number->mantissa;
  if (period < kilo) return tl::unexpected(fmt::format("more often than 1000000/s: {}", quoted(text)));
  if (period > max_duration_ns) return tl::unexpected(fmt::format("less often than once in 100000h: {}", quoted(text)));
  return Duration{static_cast<int64_t>(period)};
}

Parsed<int64_t> parse_integer(std::string_view text, int64_t low, int64_t high) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = end == text.data() + text.size() && !text.empty();
  if (!whole || error == std::errc::invalid_argument)
    return tl::unexpected(fmt::format("expected a whole number, not {}", quoted(text)));
  if (error != std::errc{} || value < low || value > high)
    return tl::unexpected(high == std::numeric_limits<int64_t>::max()
                              ? fmt::format("must be at least {}: {}", low, quoted(text))
                              : fmt::format("must be between {} and {}: {}", low, high, quoted(text)));
  return value;
}

Parsed<bool> parse_boolean(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return tl::unexpected(fmt::format("expected true or false, not {}", quoted(text)));
}

std::string format_duration(Duration duration) {
  const auto ns = static_cast<uint64_t>(duration.count());
  if (ns == 0) return "0s";
  // Seconds rather than minutes: "90s" reads as well as "1.5m" and compares at a glance.
  for (size_t i = 4; i-- > 0;)
    if (ns % duration_units[i].factor == 0)
      return fmt::format("{}{}", ns / duration_units[i].factor, duration_units[i].name);
  return fmt::format("{}ns", ns);
}

}  // namespace distlab::scenario
