#include "scenarios/canonical.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "scenarios/check.h"

namespace distlab::scenario {
namespace {

bool is_plain(const std::string& text) {
  const auto letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (text.empty() || text.back() == ' ' || text == "null" || text == "Null" || text == "NULL") return false;
  // Whatever YAML gives a meaning at the begin of a scalar is neither letter nor digit.
  if (!letter_or_digit(text.front()) && text.front() != '<') return false;
  if (text.front() == '<' && text.substr(0, 2) == "<<") return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return letter_or_digit(c) || std::string_view("_-./@%+*<>= ").find(c) != std::string_view::npos;
  });
}

std::string scalar_text(const std::string& text) {
  if (is_plain(text)) return text;
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += std::string("\\") + c;
    else if (byte < 0x20 || byte == 0x7F)
      out += fmt::format("\\x{:02X}", byte);
    else
      out += c;
  }
  return out + "\"";
}

const Shape* part_of(const Value& value, const Shape* shape) {
  return shape == nullptr ? nullptr : matching_part(*shape, value.kind);
}

// The members in their one order; the shape of each.
std::vector<std::pair<const Member*, const Shape*>> ordered(const Value& map, const Shape* shape) {
  std::vector<std::pair<const Member*, const Shape*>> out;
  const Shape* part = part_of(map, shape);
  if (part == nullptr || part->kind == Shape::Kind::anything) {
    for (const Member& member : map.members) out.emplace_back(&member, nullptr);
  } else if (part->kind == Shape::Kind::names) {
    for (const Member& member : map.members) out.emplace_back(&member, &part->parts[0]);
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.first->key < b.first->key; });
  } else {
    for (const std::string& key : all_keys(*part))
      if (const Member* member = map.find(key)) out.emplace_back(member, &find_key(*part, key)->shape);
  }
  return out;
}

std::string flow(const Value& value, const Shape* shape) {
  std::string text;
  switch (value.kind) {
    case Value::Kind::null:
      return "null";
    case Value::Kind::scalar:
      return scalar_text(value.text);
    case Value::Kind::list: {
      const Shape* part = part_of(value, shape);
      const Shape* item_shape = part == nullptr || part->parts.empty() ? nullptr : &part->parts[0];
      for (const Value& item : value.items) text += (text.empty() ? "" : ", ") + flow(item, item_shape);
      return "[" + text + "]";
    }
    case Value::Kind::map:
      for (const auto& [member, below] : ordered(value, shape))
        text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", scalar_text(member->key), flow(member->value, below));
      return "{" + text + "}";
  }
  return text;
}

// One line for each entry of a list or of a map with chosen names.
std::string block(const Member& member, const Shape& shape) {
  const Shape* part = matching_part(shape, member.value.kind);
  std::string text = member.key + ":";
  if (part != nullptr && part->kind == Shape::Kind::names && !member.value.members.empty()) {
    for (const auto& [one, below] : ordered(member.value, part))
      text += fmt::format("\n  {}: {}", scalar_text(one->key), flow(one->value, below));
  } else if (part != nullptr && part->kind == Shape::Kind::list && !member.value.items.empty()) {
    for (const Value& item : member.value.items) text += "\n  - " + flow(item, &part->parts[0]);
  } else {
    text += " " + flow(member.value, &shape);
  }
  return text + "\n";
}

}  // namespace

std::string canonical_text(const Value& root) {
  std::string text;
  for (const auto& [member, shape] : ordered(root, &resolved_shape())) text += block(*member, *shape);
  return text;
}

std::string flow_text(const Value& value, const Shape& shape) {
  return flow(value, &shape);
}
std::string flow_text(const Value& value) {
  return flow(value, nullptr);
}

}  // namespace distlab::scenario
