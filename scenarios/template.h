// `n{i}: { count: 100, ... }`: many sites or nodes written as one.
#pragma once

#include <string>
#include <string_view>

#include "scenarios/check.h"
#include "scenarios/document.h"

namespace distlab::scenario {

// "n{i}" with i = 7 is "n7", "n{i:03}" is "n007".
std::string substitute(std::string_view text, int64_t i);

// Replaces each template of the map by what it makes, numbered from 1. A name that is also written out
// refines the one that is made. The places are those of the template.
void expand_templates(Value& map, Report& report);

// Whether one of the map's templates makes this name.
bool makes(const Value& map, std::string_view name);

}  // namespace distlab::scenario
