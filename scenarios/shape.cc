#include "scenarios/shape.h"

#include <algorithm>

#include <fmt/format.h>

namespace distlab::scenario {

std::string describe(const Shape& shape) {
  switch (shape.kind) {
    case Shape::Kind::scalar:
      return shape.what;
    case Shape::Kind::list:
      return "a list";
    case Shape::Kind::object:
    case Shape::Kind::names:
      return "a map";
    case Shape::Kind::anything:
      return "anything";
    case Shape::Kind::any_of:
      break;
  }
  std::string text;
  for (size_t i = 0; i < shape.parts.size(); ++i) {
    if (i > 0) text += i + 1 == shape.parts.size() ? " or " : ", ";
    text += describe(shape.parts[i]);
  }
  return text;
}

std::vector<std::string> all_keys(const Shape& object) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const Key& key : object.keys) add(key.name);
  for (const Verb& verb : object.verbs) {
    add(verb.key.name);
    for (const Key& extra : verb.extras) add(extra.name);
  }
  return names;
}

const Key* find_key(const Shape& object, std::string_view name) {
  for (const Key& key : object.keys)
    if (key.name == name) return &key;
  for (const Verb& verb : object.verbs)
    if (verb.key.name == name) return &verb.key;
  for (const Verb& verb : object.verbs)
    for (const Key& extra : verb.extras)
      if (extra.name == name) return &extra;
  return nullptr;
}

}  // namespace distlab::scenario
