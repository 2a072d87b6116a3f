// What a model tells the recorder: a typed observation (design.md section 8).
//
// The host adds the time and its own name. Kinds and field keys are string literals from
// event_kinds.h, so that an event costs no allocation for them and a typo does not compile.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "models/host/time.h"

namespace distlab {

struct Field {
  std::string_view key;  // must outlive the run: a literal
  std::variant<int64_t, double, std::string> value;
};

struct Event {
  std::string_view kind;      // one of distlab::kinds
  std::string subject;        // what it is about: a peer node, a link, a call
  std::vector<Field> fields;  // in a fixed order for each kind
};

}  // namespace distlab
