#include "scenarios/json_schema.h"

#include <map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "scenarios/shape.h"

namespace distlab::scenario {
namespace {

using Json = nlohmann::ordered_json;

Json schema_of(const Shape& shape);

Json scalar_schema(const Shape& shape) {
  Json text;
  if (!shape.choices.empty()) return {{"enum", shape.choices}};
  text["type"] = "string";
  if (!shape.pattern.empty()) text["pattern"] = shape.pattern;
  if (!shape.integer && !shape.number && !shape.boolean) return text;
  // What YAML takes for a number or truth value before we see its text.
  Json number;
  if (shape.integer) {
    number = {{"type", "integer"}, {"minimum", shape.low}};
    if (shape.high != std::numeric_limits<int64_t>::max()) number["maximum"] = shape.high;
  } else if (shape.number) {
    number = {{"type", shape.boolean ? Json({"number", "boolean"}) : Json("number")}};
    if (!shape.boolean) number["minimum"] = shape.number_low, number["maximum"] = shape.number_high;
  } else {
    number = {{"type", "boolean"}};
    if (shape.pattern == "^true$") number = {{"const", true}};
    return number;
  }
  if (shape.integer && shape.pattern.empty()) return number;
  return {{"anyOf", Json::array({number, text})}};
}

Json documented(const Key& key) {
  Json schema = schema_of(key.shape);
  std::string doc = key.doc;
  if (!key.fallback.empty()) doc += " Default: " + key.fallback + ".";
  schema["description"] = doc;
  return schema;
}

Json object_of(const Shape& shape, const Verb* verb) {
  Json properties = Json::object(), required = Json::array();
  const auto add = [&](const Key& key) {
    properties[key.name] = documented(key);
    if (key.required) required.push_back(key.name);
  };
  if (verb != nullptr) {
    add(verb->key);
    for (const Key& key : verb->extras) add(key);
  }
  for (const Key& key : shape.keys) add(key);
  Json schema{{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
  if (!required.empty()) schema["required"] = required;
  return schema;
}

Json object_schema(const Shape& shape) {
  if (shape.verbs.empty()) return object_of(shape, nullptr);
  Json options = Json::array();
  for (const Verb& verb : shape.verbs) options.push_back(object_of(shape, &verb));
  return {{"anyOf", options}};
}

Json schema_of(const Shape& shape) {
  switch (shape.kind) {
    case Shape::Kind::scalar:
      return scalar_schema(shape);
    case Shape::Kind::list: {
      Json schema{{"type", "array"}, {"items", schema_of(shape.parts[0])}};
      if (shape.min_items > 0) schema["minItems"] = shape.min_items;
      if (shape.max_items != std::numeric_limits<size_t>::max()) schema["maxItems"] = shape.max_items;
      return schema;
    }
    case Shape::Kind::object:
      return object_schema(shape);
    case Shape::Kind::names:
      return {{"type", "object"},
              {"patternProperties", {{shape.name_pattern, schema_of(shape.parts[0])}}},
              {"additionalProperties", false}};
    case Shape::Kind::any_of: {
      Json options = Json::array();
      for (const Shape& part : shape.parts) options.push_back(schema_of(part));
      return {{"anyOf", options}};
    }
    case Shape::Kind::anything:
      return Json::object();
  }
  return {};
}

// Schemas that occur more than once move to $defs; the description stays where it was.
class Sharing {
 public:
  explicit Sharing(Json& root) {
    for (auto& [name, schema] : root["properties"].items()) count(schema);
    for (auto& [name, schema] : root["properties"].items()) replace(schema);
    root["$defs"] = defs_;
  }

 private:
  static std::string text_of(Json schema) {
    schema.erase("description");
    return schema.dump();
  }

  void count(const Json& node) {
    constexpr size_t worth_it = 90;
    if (node.is_object() && is_schema(node)) {
      std::string text = text_of(node);
      if (text.size() > worth_it && ++counts_[std::move(text)] > 1) return;
    }
    if (node.is_structured())
      for (const Json& child : node) count(child);
  }

  void replace(Json& node) {
    if (node.is_object() && is_schema(node)) {
      const std::string text = text_of(node);
      const auto found = counts_.find(text);
      if (found != counts_.end() && found->second > 1) {
        const Json description = node.value("description", Json());
        Json shared = Json::parse(text);
        node = {{"$ref", "#/$defs/" + name_of(text, shared)}};
        if (!description.is_null()) node["description"] = description;
        return;
      }
    }
    if (node.is_structured())
      for (Json& child : node) replace(child);
  }

  std::string name_of(const std::string& text, Json& shared) {
    const auto [known, fresh] = names_.emplace(text, fmt::format("shape-{}", names_.size() + 1));
    if (!fresh) return known->second;
    std::string name = known->second;
    for (Json& child : shared)
      if (child.is_structured()) replace(child);
    defs_[name] = std::move(shared);
    return name;
  }

  // Not a map of properties, of which a key might be called "type".
  static bool is_schema(const Json& node) {
    return (node.contains("type") && !node["type"].is_object()) ||
           (node.contains("anyOf") && node["anyOf"].is_array()) || (node.contains("enum") && node["enum"].is_array());
  }

  std::map<std::string, int> counts_;
  std::map<std::string, std::string> names_;
  Json defs_ = Json::object();
};

// ---- reference

std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string type_of(const Shape& shape) {
  switch (shape.kind) {
    case Shape::Kind::scalar: {
      if (shape.choices.empty()) return shape.what;
      if (shape.choices.size() > 8) return shape.what;
      std::string text;
      for (const std::string& one : shape.choices) text += (text.empty() ? "`" : ", `") + one + "`";
      return text;
    }
    case Shape::Kind::list:
      return "list of: " + type_of(shape.parts[0]);
    case Shape::Kind::names:
      return "map of names to: " + type_of(shape.parts[0]);
    case Shape::Kind::any_of: {
      std::string text;
      for (const Shape& part : shape.parts) text += (text.empty() ? "" : "; or ") + type_of(part);
      return text;
    }
    case Shape::Kind::object:
      return shape.verb_word.empty() ? "map" : shape.verb_word;
    case Shape::Kind::anything:
      return "anything";
  }
  return "";
}

std::string row(const Key& key, const std::string& prefix) {
  const std::string fallback = key.required ? "**required**" : key.fallback.empty() ? "" : "`" + key.fallback + "`";
  return "| `" + prefix + key.name + "` | " + cell(type_of(key.shape)) + " | " + cell(fallback) + " | " +
         cell(key.doc) + " |\n";
}

const Shape* object_in(const Shape& shape) {
  if (shape.kind == Shape::Kind::object) return &shape;
  for (const Shape& part : shape.parts)
    if (const Shape* found = object_in(part)) return found;
  return nullptr;
}

// The rows of a map, and below each key those of the maps in it.
void rows(const Shape& object, const std::string& prefix, std::string& out);

void rows_below(const Key& key, const std::string& prefix, std::string& out) {
  const Shape* inside = object_in(key.shape);
  if (inside != nullptr) rows(*inside, prefix + key.name + ".", out);
}

void rows(const Shape& object, const std::string& prefix, std::string& out) {
  for (const Key& key : object.keys) {
    out += row(key, prefix);
    rows_below(key, prefix, out);
  }
  for (const Verb& verb : object.verbs) {
    out += row(verb.key, prefix);
    // What an action can be done to is described once, in the text.
    if (object.verb_word != "an action") rows_below(verb.key, prefix, out);
    for (const Key& extra : verb.extras) out += row(extra, prefix + verb.key.name + " + ");
  }
}

std::string table(const std::string& title, const Shape& object) {
  std::string out = "### " + title + "\n\n| key | value | default | meaning |\n|---|---|---|---|\n";
  rows(object, "", out);
  return out + "\n";
}

}  // namespace

std::string json_schema() {
  Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", "distlab scenario"},
              {"description", "Made from scenarios/format.cc by the program scenario_schema; do not edit."}};
  schema.update(object_of(scenario_shape(), nullptr));
  // A file that only others include needs not be whole.
  schema["if"] = {{"required", {"include"}}};
  schema["then"] = true;
  schema["else"] = {{"required", schema["required"]}};
  schema.erase("required");
  const Sharing shared(schema);
  return schema.dump(1) + "\n";
}

std::string reference_markdown() {
  std::string top = "### The file\n\n| key | value | default | meaning |\n|---|---|---|---|\n";
  for (const Key& key : scenario_shape().keys) top += row(key, "");
  std::string out = top + "\n";
  const auto inside = [](std::string_view key) -> const Shape& {
    return *object_in(find_key(scenario_shape(), key)->shape);
  };
  out += table("`sites`", inside("sites"));
  out += table("`default_path` and `paths`", inside("paths"));
  out += table("`relays` and `relay_defaults`", inside("relays"));
  out += table("`nodes` and `node_defaults`", inside("nodes"));
  out += table("`workload`", inside("workload"));
  out += table("`faults`", inside("faults"));
  out += table("`expect`", inside("expect"));
  out += table("`compare`", inside("compare"));
  return out;
}

}  // namespace distlab::scenario
