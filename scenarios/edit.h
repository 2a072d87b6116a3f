// Setting a value by its dotted path: `--set` and `sweep`.
#pragma once

#include <string>
#include <string_view>

#include "scenarios/document.h"
#include "scenarios/units.h"

namespace distlab::scenario {

// Sets "nodes.alice.net_ticktime" and the like in the tree of a file. A part of the path is a key, a
// name, or a pattern of names ("nodes.n*.cookie"); in a list, a position from 0, or the `id` or `name`
// of an entry. Maps on the way are made when the format has them, but no sites, nodes or paths. A name
// that a template makes gets an entry of its own. The error is one clause.
Parsed<void> set_path(Value& root, std::string_view path, const Value& value);

// Does the text match the pattern, in which each * stands for any text?
bool matches(std::string_view text, std::string_view pattern);

}  // namespace distlab::scenario
