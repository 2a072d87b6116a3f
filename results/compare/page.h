// What the page and the JSON of a comparison share. Private to the room.
#pragma once

#include <nlohmann/json.hpp>

#include "results/compare/compare.h"

namespace distlab::results::compare {

nlohmann::ordered_json comparison_json(const Comparison& comparison);

}  // namespace distlab::results::compare
