// The kinds of single values in a scenario file, as shapes and as the parsers behind them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/scenario.h"
#include "scenarios/shape.h"
#include "scenarios/units.h"

namespace distlab::scenario {

Shape text_shape(std::string what);
Shape duration_shape();
Shape time_shape();     // a duration or a range of them
Shape timeout_shape();  // a duration or "infinity"
Shape rate_shape();
Shape size_shape();
Shape ratio_shape();
Shape factor_shape();
Shape frequency_shape();
Shape boolean_shape();
Shape integer_shape(int64_t low, int64_t high);
Shape choice_shape(std::string what, std::vector<std::string> choices);
Shape node_shape_name();    // "alice"
Shape pattern_shape();      // "alice", "n*"
Shape pair_shape();         // "alice -> bob", "n* <-> hub"
Shape erlang_name_shape();  // "alice@home.example"
Shape link_shape();         // "home", "home-office", "home -> office"
Shape one_way_shape();      // "home -> office"

// "a -> b" and "a <-> b".
struct Arrow {
  std::string left, right;
  bool both = false;
};
std::optional<Arrow> parse_arrow(std::string_view text);

// "home" (right is empty), "home-office", "home -> office".
struct LinkText {
  std::string left, right;
  bool one_way = false;
};
std::optional<LinkText> parse_link(std::string_view text);

// What a comparison is about: a number of things, a time, or either a number or a share ("99%").
enum class Quantity { count, duration, count_or_share, field };
Shape comparison_shape(Quantity quantity);
Parsed<Condition> parse_condition(std::string_view text, Quantity quantity);
bool is_share(const Condition& condition);  // written with %

}  // namespace distlab::scenario
