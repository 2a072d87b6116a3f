// `include:`: one tree out of a file and those it builds on.
#pragma once

#include <string>
#include <string_view>

#include "scenarios/check.h"
#include "scenarios/document.h"
#include "scenarios/loader.h"

namespace distlab::scenario {

inline constexpr size_t max_include_depth = 8;
inline constexpr size_t max_included_files = 100;

// The members of `over` are put into `base`: maps are merged, whatever else it has replaces.
void merge(Value& base, Value over);

// The tree of `text` merged over those it includes, without the key `include`. What cannot be read
// is in the report; the tree then lacks it.
Value read_with_includes(std::string_view text, const std::string& name, const Resolver& resolve, Report& report);

// The text of a file, or one line that says why not.
tl::expected<std::string, std::string> read_file(const std::string& path);

}  // namespace distlab::scenario
