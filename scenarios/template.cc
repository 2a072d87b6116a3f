#include "scenarios/template.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "scenarios/include.h"
#include "scenarios/units.h"

namespace distlab::scenario {
namespace {

constexpr int64_t max_count = 20'000;

// The width of a placeholder that begins here, and its length in the text; nothing if none does.
struct Placeholder {
  size_t length = 0;
  int width = 0;
};
std::optional<Placeholder> placeholder_at(std::string_view text) {
  if (text.substr(0, 3) == "{i}") return Placeholder{3, 0};
  if (text.size() >= 6 && text.substr(0, 4) == "{i:0" && text[4] >= '1' && text[4] <= '9' && text[5] == '}')
    return Placeholder{6, text[4] - '0'};
  return std::nullopt;
}

bool has_placeholder(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i)
    if (placeholder_at(text.substr(i))) return true;
  return false;
}

void substitute_all(Value& value, int64_t i) {
  if (value.is_scalar() && value.text.find('{') != std::string::npos) value.text = substitute(value.text, i);
  for (Value& item : value.items) substitute_all(item, i);
  for (Member& member : value.members) {
    member.key = substitute(member.key, i);
    substitute_all(member.value, i);
  }
}

// How many a template makes; 1 when it does not say so in a valid way, which the checker reports.
int64_t count_of(const Value& body) {
  const Value* count = body.get("count");
  if (count == nullptr || !count->is_scalar()) return 1;
  return parse_integer(count->text, 1, max_count).value_or(1);
}

void make(const Member& pattern, std::map<std::string, size_t>& made, std::vector<Member>& out, Report& report) {
  const Value* count = pattern.value.get("count");
  if (count == nullptr) report.add(pattern.mark, fmt::format("'{}' needs a 'count'", pattern.key));
  const int64_t n = count_of(pattern.value);
  if (static_cast<size_t>(n) * count_values(pattern.value) > max_values) {
    report.add(pattern.mark, fmt::format("'{}' makes more than {} values", pattern.key, max_values));
    return;
  }
  for (int64_t i = 1; i <= n; ++i) {
    Member one{substitute(pattern.key, i), pattern.mark, pattern.value};
    // A bad count stays for the checker to see.
    if (count != nullptr && count->is_scalar() && parse_integer(count->text, 1, max_count)) one.value.erase("count");
    substitute_all(one.value, i);
    if (!made.emplace(one.key, out.size()).second) {
      report.add(pattern.mark, fmt::format("'{}' is made by two templates", one.key));
      return;
    }
    out.push_back(std::move(one));
  }
}

}  // namespace

std::string substitute(std::string_view text, int64_t i) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const auto placeholder = placeholder_at(text.substr(at));
    if (placeholder)
      out += fmt::format("{:0{}}", i, placeholder->width);
    else
      out += text[at];
    at += placeholder ? placeholder->length : 1;
  }
  return out;
}

void expand_templates(Value& map, Report& report) {
  if (!map.is_map()) return;
  std::map<std::string, size_t> made;
  std::vector<Member> out;
  for (const Member& member : map.members)
    if (has_placeholder(member.key)) make(member, made, out, report);
  for (Member& member : map.members) {
    if (has_placeholder(member.key)) continue;
    if (const Member* count = member.value.find("count")) {
      report.add(count->mark, fmt::format("'count' needs {{i}} in the key, as in '{}{{i}}'", member.key));
      member.value.erase("count");
    }
    const auto found = made.find(member.key);
    if (found == made.end()) {
      out.push_back(std::move(member));
    } else {
      merge(out[found->second].value, std::move(member.value));
    }
  }
  map.members = std::move(out);
}

bool makes(const Value& map, std::string_view name) {
  for (const Member& member : map.members) {
    if (!has_placeholder(member.key)) continue;
    const int64_t n = count_of(member.value);
    for (int64_t i = 1; i <= n; ++i)
      if (substitute(member.key, i) == name) return true;
  }
  return false;
}

}  // namespace distlab::scenario
