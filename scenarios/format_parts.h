// What the tables of the format (format*.cc) are written with.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/shape.h"

namespace distlab::scenario::table {

Key required(std::string name, Shape shape, std::string doc);
Key optional(std::string name, Shape shape, std::string doc, std::string fallback = "");

Shape list_of(Shape item, size_t min_items = 0, size_t max_items = std::numeric_limits<size_t>::max());
Shape object(std::vector<Key> keys);
// Has just one of the verbs, and what may stand beside any of them. word: what it is, "an action".
Shape union_of(std::string word, std::vector<Key> common, std::vector<Verb> verbs);
// check says what is wrong with a name; pattern is what all valid ones match.
Shape names(Shape value, std::string (*check)(std::string_view), std::string pattern);
Shape any_of(std::vector<Shape> parts);
Shape anything();
Shape with_check(Shape shape, std::string (*check)(std::string_view), std::string pattern);

inline constexpr const char* name_pattern = "[A-Za-z][A-Za-z0-9_]*(\\{i(:0[1-9])?\\}[A-Za-z0-9_]*)*";
std::string accept(std::string_view text);  // any

Shape cookie();
Shape word();  // 1 to 255 characters
Shape fault_id();
Shape node_patterns();  // one or a list
Shape some_nodes();     // a list

std::vector<Key> tunnel_keys();  // format_relays.cc
std::vector<Key> mesh_keys();
std::vector<Key> relay_keys();  // that are parameters
std::vector<Key> relay_limit_keys();
std::vector<Key> membership_keys();
Shape relay();

Shape action();       // format_workload.cc
Shape fault();        // format_faults.cc
Shape expectation();  // format_expect.cc
Shape margins();      // format_compare.cc

}  // namespace distlab::scenario::table
