// Loading scenario files for a command, with messages on stderr.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scenarios/loader.h"

namespace distlab::cli {

// Nothing: every problem has been printed, and the command ends with exit_usage.
std::optional<std::vector<scenario::Override>> parse_overrides(const std::vector<std::string>& texts);
std::optional<std::vector<scenario::Variant>> load_scenario(const std::string& file,
                                                            const std::vector<scenario::Override>& overrides);

inline constexpr const char* default_database = "distlab-results/distlab.db";

}  // namespace distlab::cli
