// What a part of the file may look like, as data: the one description of the format, from which the
// checker (check.h), --set paths (edit.h), the JSON Schema and the reference in README.md are made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace distlab::scenario {

struct Key;
struct Verb;

struct Shape {
  enum class Kind {
    scalar,
    list,    // of `parts[0]`
    object,  // of `keys`, and of just one of the `verbs` if there are any
    names,   // a map from names the user chooses to `parts[0]`
    any_of,  // one of `parts`, told apart by what YAML makes of them: scalar, list or map
    anything,
  };
  Kind kind = Kind::scalar;

  // Scalar. check: what is wrong with the text, or "".
  std::string what;     // "duration", as error messages and the reference call it
  std::string pattern;  // ECMA regular expression of all valid texts (and perhaps some invalid ones)
  std::string (*check)(std::string_view text) = nullptr;
  std::vector<std::string> choices;                             // if there are any, the valid texts
  bool integer = false, number = false, boolean = false;        // what else YAML may take a valid text for
  int64_t low = 0, high = std::numeric_limits<int64_t>::max();  // of integer
  int64_t number_low = 0, number_high = 1;                      // of number

  std::vector<Shape> parts;
  size_t min_items = 0, max_items = std::numeric_limits<size_t>::max();  // of list
  std::string (*check_name)(std::string_view name) = nullptr;            // of names
  std::string name_pattern;
  std::vector<Key> keys;
  std::vector<Verb> verbs;
  std::string verb_word;  // "an action": what just one of the verbs makes
};

struct Key {
  std::string name;
  Shape shape;
  std::string doc;       // one sentence
  std::string fallback;  // the default as text; "" when there is none
  bool required = false;
};

// A key that decides which other keys stand beside it.
struct Verb {
  Key key;
  std::vector<Key> extras;
};

std::string describe(const Shape& shape);  // "a duration (40ms)", "a list of ..."

// All keys an object may have whatever its verb, in the order of the description; no duplicates.
std::vector<std::string> all_keys(const Shape& object);
// The shape of a key of an object; nothing if it has none of that name. With several verbs that
// share a name, the first one's.
const Key* find_key(const Shape& object, std::string_view name);

// The whole file.
const Shape& scenario_shape();
// What is left of it after includes, overrides and sweeps: no include, sweep, zip.
const Shape& resolved_shape();

// Names, as the format table and the builders know them.
std::string check_site_or_node(std::string_view name);  // letters, digits, '_'; what is wrong, or ""
const std::vector<std::string>& flag_names();           // of dist.hrl, without DFLAG_
const std::vector<std::string>& event_kinds();          // models/host/event_kinds.h

}  // namespace distlab::scenario
