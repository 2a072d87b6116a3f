// Answers of the control socket for human eyes.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace distlab::daemon {

// "key: value" lines; maps below their key, lists of maps as tables.
std::string as_text(const nlohmann::json& json, const std::string& indent = "");
std::string as_table(const nlohmann::json& rows);

}  // namespace distlab::daemon
