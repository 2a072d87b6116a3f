#include "real/daemon/print.h"

#include <algorithm>

#include <fmt/format.h>

namespace distlab::daemon {
namespace {

using nlohmann::json;

std::string scalar(const json& value) {
  if (value.is_string()) {
    std::string out = value.get<std::string>();
    for (char& c : out) {  // what a peer has sent moves no cursor
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    }
    return out;
  }
  if (value.is_null()) return "none";
  if (value.is_number_float()) return fmt::format("{:.3f}", value.get<double>());
  return value.dump();
}

bool is_table(const json& value) {
  return value.is_array() && !value.empty() && value.front().is_object();
}

}  // namespace

std::string as_table(const json& rows) {
  if (!is_table(rows)) return "";
  std::vector<std::vector<std::string>> cells(1);
  for (const auto& [key, value] : rows.front().items()) cells[0].push_back(key);
  for (const json& row : rows) {
    auto& line = cells.emplace_back();
    for (const std::string& key : cells[0]) line.push_back(row.contains(key) ? scalar(row[key]) : "");
  }
  std::string out;
  for (const auto& line : cells) {
    std::string text;
    for (size_t i = 0; i < line.size(); ++i) {
      size_t width = 0;
      for (const auto& other : cells) width = std::max(width, other[i].size());
      text += i + 1 == line.size() ? line[i] : fmt::format("{:<{}}  ", line[i], width);
    }
    out += text + "\n";
  }
  return out;
}

std::string as_text(const json& value, const std::string& indent) {
  std::string out;
  for (const auto& [key, part] : value.items()) {
    if (part.is_object()) {
      out += fmt::format("{}{}:\n{}", indent, key, as_text(part, indent + "  "));
    } else if (is_table(part)) {
      out += fmt::format("{}{}: {}\n", indent, key, part.size());
      std::string table = as_table(part);
      for (size_t at = 0; at < table.size();) {
        const size_t end = table.find('\n', at) + 1;
        out += indent + "  " + table.substr(at, end - at);
        at = end;
      }
    } else if (part.is_array()) {
      std::vector<std::string> items;
      for (const json& item : part) items.push_back(scalar(item));
      out += fmt::format("{}{}: {}\n", indent, key, items.empty() ? "none" : fmt::format("{}", fmt::join(items, ", ")));
    } else {
      out += fmt::format("{}{}: {}\n", indent, key, scalar(part));
    }
  }
  return out;
}

}  // namespace distlab::daemon
