// A tree as YAML again, in one way only: keys in the order of the format, names in alphabetical order.
#pragma once

#include <string>

#include "scenarios/document.h"
#include "scenarios/shape.h"

namespace distlab::scenario {

// The tree of a whole file, without include and sweep; one line for each site, node, action, ...
std::string canonical_text(const Value& root);
// One value on one line: "{delay: 20ms, loss: 1%}".
std::string flow_text(const Value& value, const Shape& shape);
std::string flow_text(const Value& value);  // keys as they stand

}  // namespace distlab::scenario
