// A page that opens offline: style, Vega, a script and the data it draws.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace distlab::results {

// The script finds the data in the element "data" and fills the element "page" (report/report.js).
std::string page_of(const std::string& title, const nlohmann::ordered_json& data, std::string_view script);

}  // namespace distlab::results
