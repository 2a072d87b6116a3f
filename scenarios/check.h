// Compares a tree with the shape it should have, and collects what is wrong with it.
#pragma once

#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "scenarios/document.h"
#include "scenarios/shape.h"

namespace distlab::scenario {

// The diagnostics of one load.
class Report {
 public:
  // The same thing said of the same place counts once, even if a number in it differs: it then comes
  // from another instance of a template or another variant of a sweep.
  void add(const Mark& mark, std::string message) { add({mark.place(), std::move(message)}); }
  void add(Diagnostic diagnostic);
  bool empty() const { return all_.empty(); }
  // There is more wrong than anybody wants to read; looking on only costs time.
  bool full() const { return all_.size() >= 10 * max_diagnostics; }
  // Sorted by place, files in the order in which they first appear; at most max_diagnostics, with a
  // last one that says how many were left out.
  std::vector<Diagnostic> finish() const;

 private:
  std::vector<Diagnostic> all_;
  std::set<std::tuple<std::string, int, int, std::string>> seen_;
};

// Every mistake of the tree: unknown, missing and conflicting keys, wrong kinds, bad values.
void check(const Value& value, const Shape& shape, Report& report);

// The part of an any_of shape that a value of this kind can be; nothing if there is none.
const Shape* matching_part(const Shape& shape, Value::Kind kind);
// The verb of which the map has the key; nothing when it has none or several.
const Verb* chosen_verb(const Value& map, const Shape& shape);

}  // namespace distlab::scenario
