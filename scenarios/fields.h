// Reads the keys of a map. What is absent, or wrong in a way the checker reports, is the fallback: so
// that one mistake does not hide others.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "scenarios/document.h"
#include "scenarios/units.h"

namespace distlab::scenario {

inline const Value* scalar_of(const Value& map, std::string_view key) {
  const Value* value = map.get(key);
  return value != nullptr && value->is_scalar() ? value : nullptr;
}

template <typename T, typename Parser>
std::optional<T> field(const Value& map, std::string_view key, const Parser& parser) {
  const Value* value = scalar_of(map, key);
  if (value == nullptr) return std::nullopt;
  const auto parsed = parser(value->text);
  return parsed ? std::optional<T>(static_cast<T>(*parsed)) : std::nullopt;
}

inline std::string text_field(const Value& map, std::string_view key, const std::string& fallback = "") {
  const Value* value = scalar_of(map, key);
  return value == nullptr ? fallback : value->text;
}
inline std::optional<Duration> duration_field(const Value& map, std::string_view key) {
  return field<Duration>(map, key, parse_duration);
}
inline std::optional<TimeRange> time_field(const Value& map, std::string_view key) {
  return field<TimeRange>(map, key, parse_time_range);
}
inline std::optional<double> ratio_field(const Value& map, std::string_view key) {
  return field<double>(map, key, parse_ratio);
}
inline std::optional<uint64_t> size_field(const Value& map, std::string_view key) {
  return field<uint64_t>(map, key, parse_size);
}
inline std::optional<bool> boolean_field(const Value& map, std::string_view key) {
  return field<bool>(map, key, parse_boolean);
}
template <typename T>
std::optional<T> integer_field(const Value& map, std::string_view key, int64_t low, int64_t high) {
  return field<T>(map, key, [&](std::string_view text) { return parse_integer(text, low, high); });
}

}  // namespace distlab::scenario
