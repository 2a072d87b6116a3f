#include "scenarios/format_parts.h"

#include <utility>

#include "scenarios/scalars.h"

namespace distlab::scenario::table {
namespace {

std::string check_cookie(std::string_view text) {
  return text.empty() || text.size() > 255 ? "a cookie is an atom of 1 to 255 characters" : "";
}

std::string check_word(std::string_view text) {
  return text.empty() || text.size() > 255 ? "expected 1 to 255 characters" : "";
}

std::string check_id(std::string_view text) {
  bool valid = !text.empty() && text.size() <= 64;
  for (const char c : text)
    valid =
        valid && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_');
  return valid ? "" : "an id has letters, digits, '-' and '_' (64 at most): '" + std::string(text) + "'";
}

}  // namespace

Key required(std::string name, Shape shape, std::string doc) {
  return {std::move(name), std::move(shape), std::move(doc), "", true};
}

Key optional(std::string name, Shape shape, std::string doc, std::string fallback) {
  return {std::move(name), std::move(shape), std::move(doc), std::move(fallback), false};
}

Shape list_of(Shape item, size_t min_items, size_t max_items) {
  Shape shape;
  shape.kind = Shape::Kind::list;
  shape.parts.push_back(std::move(item));
  shape.min_items = min_items;
  shape.max_items = max_items;
  return shape;
}

Shape object(std::vector<Key> keys) {
  Shape shape;
  shape.kind = Shape::Kind::object;
  shape.keys = std::move(keys);
  return shape;
}

Shape union_of(std::string word, std::vector<Key> common, std::vector<Verb> verbs) {
  Shape shape = object(std::move(common));
  shape.verb_word = std::move(word);
  shape.verbs = std::move(verbs);
  return shape;
}

Shape names(Shape value, std::string (*check)(std::string_view), std::string pattern) {
  Shape shape;
  shape.kind = Shape::Kind::names;
  shape.parts.push_back(std::move(value));
  shape.check_name = check;
  shape.name_pattern = "^" + std::move(pattern) + "$";
  return shape;
}

Shape any_of(std::vector<Shape> parts) {
  Shape shape;
  shape.kind = Shape::Kind::any_of;
  shape.parts = std::move(parts);
  return shape;
}

Shape anything() {
  Shape shape;
  shape.kind = Shape::Kind::anything;
  return shape;
}

Shape with_check(Shape shape, std::string (*check)(std::string_view), std::string pattern) {
  shape.check = check;
  shape.pattern = "^" + std::move(pattern) + "$";
  return shape;
}

std::string accept(std::string_view /*text*/) {
  return "";
}

Shape cookie() {
  return with_check(text_shape("text"), check_cookie, ".{1,255}");
}
Shape word() {
  return with_check(text_shape("text"), check_word, ".{1,255}");
}
Shape fault_id() {
  return with_check(text_shape("a fault's id"), check_id, "[A-Za-z0-9_-]{1,64}");
}

Shape node_patterns() {
  return any_of({pattern_shape(), list_of(pattern_shape(), 1)});
}

Shape some_nodes() {
  return list_of(pattern_shape(), 1);
}

}  // namespace distlab::scenario::table
