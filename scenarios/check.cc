#include "scenarios/check.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "scenarios/suggest.h"
#include "scenarios/units.h"

namespace distlab::scenario {
namespace {

std::string quoted(const std::string& text) {
  constexpr size_t longest = 64;
  return text.size() <= longest ? "'" + text + "'" : "'" + text.substr(0, longest) + "...'";
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string wrong_scalar(const Value& value, const Shape& shape) {
  if (!shape.choices.empty()) {
    if (std::find(shape.choices.begin(), shape.choices.end(), value.text) != shape.choices.end()) return "";
    const std::string guess = did_you_mean(value.text, shape.choices);
    return fmt::format("{} is not {}{}{}", quoted(value.text), shape.what, guess,
                       guess.empty() ? fmt::format(" (valid: {})", join(shape.choices)) : "");
  }
  if (shape.check != nullptr) return shape.check(value.text);
  if (shape.integer) {
    const auto parsed = parse_integer(value.text, shape.low, shape.high);
    return parsed ? "" : parsed.error();
  }
  return "";
}

void check_list(const Value& list, const Shape& shape, Report& report) {
  if (list.items.size() < shape.min_items || list.items.size() > shape.max_items) {
    const auto entries = [](size_t n) { return fmt::format("{} {}", n, n == 1 ? "entry" : "entries"); };
    report.add(list.mark, shape.min_items == shape.max_items
                              ? fmt::format("expected {}, not {}", entries(shape.min_items), list.items.size())
                              : fmt::format("expected at least {}", entries(shape.min_items)));
  }
  for (const Value& item : list.items) check(item, shape.parts[0], report);
}

void check_names(const Value& map, const Shape& shape, Report& report) {
  for (const Member& member : map.members) {
    const std::string wrong = shape.check_name(member.key);
    if (!wrong.empty()) report.add(member.mark, wrong);
    check(member.value, shape.parts[0], report);
  }
}

// The keys that may stand in this map, given the verb it has.
std::vector<const Key*> valid_keys(const Shape& shape, const Verb* verb) {
  std::vector<const Key*> keys;
  for (const Key& key : shape.keys) keys.push_back(&key);
  if (verb != nullptr) {
    keys.push_back(&verb->key);
    for (const Key& extra : verb->extras) keys.push_back(&extra);
  }
  return keys;
}

std::vector<std::string> verb_names(const Shape& shape) {
  std::vector<std::string> names;
  for (const Verb& verb : shape.verbs) names.push_back(verb.key.name);
  return names;
}

// Says what is wrong with the verbs of a map; true if just one is there.
bool check_verb(const Value& map, const Shape& shape, Report& report) {
  const std::vector<std::string> names = verb_names(shape);
  std::vector<const Member*> found;
  for (const Member& member : map.members)
    if (std::find(names.begin(), names.end(), member.key) != names.end()) found.push_back(&member);
  if (found.size() == 1) return true;
  if (found.size() > 1) {
    report.add(found[1]->mark,
               fmt::format("{} is one of '{}' and '{}', not both", shape.verb_word, found[0]->key, found[1]->key));
    return false;
  }
  // An unknown key near to a verb explains it better than a list of all verbs.
  const std::vector<std::string> valid = all_keys(shape);
  for (const Member& member : map.members) {
    if (find_key(shape, member.key) != nullptr) continue;
    const std::string guess = did_you_mean(member.key, names);
    report.add(member.mark,
               fmt::format("unknown key {}{}", quoted(member.key),
                           guess.empty() ? fmt::format("; {} is one of: {}", shape.verb_word, join(names)) : guess));
    return false;
  }
  report.add(map.mark, fmt::format("{} is one of: {}", shape.verb_word, join(names)));
  return false;
}

void unknown_key(const Member& member, const Shape& shape, const std::vector<const Key*>& keys, Report& report,
                 std::vector<std::string>& meant) {
  std::vector<std::string> names;
  names.reserve(keys.size());
  for (const Key* key : keys) names.push_back(key->name);
  const Verb* verb = nullptr;
  for (const Verb& one : shape.verbs)
    if (std::find(keys.begin(), keys.end(), &one.key) != keys.end()) verb = &one;
  if (verb != nullptr && find_key(shape, member.key) != nullptr) {
    report.add(member.mark, fmt::format("'{}' has no meaning with '{}'", member.key, verb->key.name));
    return;
  }
  const std::string best = nearest(member.key, names);
  if (!best.empty()) meant.push_back(best);
  report.add(member.mark,
             fmt::format("unknown key {}{}", quoted(member.key),
                         best.empty() ? fmt::format(" (valid: {})", join(names)) : did_you_mean(member.key, names)));
}

void check_object(const Value& map, const Shape& shape, Report& report) {
  if (!shape.verbs.empty() && !check_verb(map, shape, report)) return;
  const std::vector<const Key*> keys = valid_keys(shape, chosen_verb(map, shape));
  std::vector<std::string> meant;  // by unknown keys: these are not missing, only misspelt
  for (const Member& member : map.members) {
    const auto key = std::find_if(keys.begin(), keys.end(), [&](const Key* k) { return k->name == member.key; });
    if (report.full()) return;
    if (key == keys.end())
      unknown_key(member, shape, keys, report, meant);
    else
      check(member.value, (*key)->shape, report);
  }
  for (const Key* key : keys)
    if (key->required && map.find(key->name) == nullptr &&
        std::find(meant.begin(), meant.end(), key->name) == meant.end())
      report.add(map.mark, fmt::format("missing key '{}'", key->name));
}

// Place and message with every number replaced, so that n7 and n8 of one template look alike.
std::tuple<std::string, int, int, std::string> fingerprint(const Diagnostic& diagnostic) {
  std::string message;
  for (const char c : diagnostic.message) {
    const bool digit = c >= '0' && c <= '9';
    if (digit && !message.empty() && message.back() == '#') continue;
    message += digit ? '#' : c;
  }
  return {diagnostic.place.file, diagnostic.place.line, diagnostic.place.column, std::move(message)};
}

}  // namespace

void Report::add(Diagnostic diagnostic) {
  if (full()) return;
  if (seen_.insert(fingerprint(diagnostic)).second) all_.push_back(std::move(diagnostic));
}

std::vector<Diagnostic> Report::finish() const {
  std::vector<std::string> files;
  for (const Diagnostic& one : all_)
    if (std::find(files.begin(), files.end(), one.place.file) == files.end()) files.push_back(one.place.file);
  const auto rank = [&](const Diagnostic& one) {
    const auto file = std::find(files.begin(), files.end(), one.place.file) - files.begin();
    return std::make_tuple(file, one.place.line, one.place.column);
  };
  std::vector<Diagnostic> sorted = all_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const Diagnostic& a, const Diagnostic& b) { return rank(a) < rank(b); });
  if (sorted.size() > max_diagnostics) {
    const size_t left_out = sorted.size() - max_diagnostics;
    sorted.resize(max_diagnostics);
    sorted.push_back({{sorted.back().place.file, 0, 0}, fmt::format("and {} more", left_out)});
  }
  return sorted;
}

void check(const Value& value, const Shape& shape, Report& report) {
  if (report.full()) return;
  const Shape* part = matching_part(shape, value.kind);
  if (part == nullptr) {
    report.add(value.mark, fmt::format("expected {}, not {}", describe(shape), kind_name(value.kind)));
    return;
  }
  switch (part->kind) {
    case Shape::Kind::scalar: {
      const std::string wrong = wrong_scalar(value, *part);
      if (!wrong.empty()) report.add(value.mark, wrong);
      return;
    }
    case Shape::Kind::list:
      check_list(value, *part, report);
      return;
    case Shape::Kind::object:
      check_object(value, *part, report);
      return;
    case Shape::Kind::names:
      check_names(value, *part, report);
      return;
    case Shape::Kind::any_of:
    case Shape::Kind::anything:
      return;
  }
}

const Shape* matching_part(const Shape& shape, Value::Kind kind) {
  switch (shape.kind) {
    case Shape::Kind::scalar:
      return kind == Value::Kind::scalar ? &shape : nullptr;
    case Shape::Kind::list:
      return kind == Value::Kind::list ? &shape : nullptr;
    case Shape::Kind::object:
    case Shape::Kind::names:
      return kind == Value::Kind::map ? &shape : nullptr;
    case Shape::Kind::anything:
      return &shape;
    case Shape::Kind::any_of:
      break;
  }
  for (const Shape& part : shape.parts)
    if (const Shape* found = matching_part(part, kind)) return found;
  return nullptr;
}

const Verb* chosen_verb(const Value& map, const Shape& shape) {
  const Verb* chosen = nullptr;
  for (const Verb& verb : shape.verbs) {
    if (map.find(verb.key.name) == nullptr) continue;
    if (chosen != nullptr) return nullptr;
    chosen = &verb;
  }
  return chosen;
}

}  // namespace distlab::scenario
