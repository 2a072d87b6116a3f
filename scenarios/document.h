// YAML as a tree that remembers where everything stood, read from text that may be hostile.
//
// Of YAML we take: one document of maps, lists and scalars, anchors and aliases. Not: tags, keys that
// are not scalars. Scalars stay text; what they mean is decided by what is expected of them.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "scenarios/loader.h"

namespace distlab::scenario {

struct Mark {
  std::shared_ptr<const std::string> file;
  int line = 0, column = 0;  // from 1; 0: unknown

  Place place() const { return {file ? *file : "", line, column}; }
};

struct Member;

struct Value {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  Mark mark;
  std::string text;             // of a scalar
  std::vector<Value> items;     // of a list
  std::vector<Member> members;  // of a map, in the order of the file; keys are unique

  bool is_map() const { return kind == Kind::map; }
  bool is_list() const { return kind == Kind::list; }
  bool is_scalar() const { return kind == Kind::scalar; }
  const Member* find(std::string_view key) const;  // nothing unless a map that has it
  Member* find(std::string_view key);
  const Value* get(std::string_view key) const;  // the value of find()
  void erase(std::string_view key);
};

struct Member {
  std::string key;
  Mark mark;  // of the key
  Value value;
};

Value make_scalar(std::string text, Mark mark);
size_t count_values(const Value& value);       // of the tree, itself included
std::string_view kind_name(Value::Kind kind);  // "a map"

// A document of at most this many values (aliases count as what they stand for) and this depth.
inline constexpr size_t max_values = 500'000;
inline constexpr size_t max_depth = 40;

// Any one value; null for an empty text. Errors as below.
tl::expected<Value, Diagnostic> parse_yaml(std::string_view text, const std::string& file,
                                           std::vector<Diagnostic>& also_wrong);

// A map that is a whole file. The first thing wrong is the error: after it nothing can be trusted. Duplicate keys are
// all reported, in `also_wrong`, and the first one of each counts.
tl::expected<Value, Diagnostic> parse_document(std::string_view text, const std::string& file,
                                               std::vector<Diagnostic>& also_wrong);

}  // namespace distlab::scenario
