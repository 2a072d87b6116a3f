// Reading CBOR documents field by field: the first thing that is missing or wrong becomes the error.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "models/mesh/cbor.h"

namespace distlab::actor {

using mesh::Json;

class DocumentReader {
 public:
  explicit DocumentReader(const Json& map) : map_(map) {
    if (!map.is_object()) complain("it is not a map");
  }

  bool ok() const { return error_.empty(); }
  const std::string& error() const { return error_; }
  void complain(std::string text) {
    if (error_.empty()) error_ = std::move(text);
  }

  // The value; null when it is missing, which is an error.
  const Json& get(std::string_view key) {
    static const Json none;
    const auto found = map_.is_object() ? map_.find(std::string(key)) : map_.end();
    if (found != map_.end()) return *found;
    complain(fmt::format("'{}' is missing", key));
    return none;
  }
  std::string text(std::string_view key) {
    const Json& value = get(key);
    if (const auto* text = value.get_ptr<const Json::string_t*>()) return *text;
    complain(fmt::format("'{}' is not a text", key));
    return {};
  }
  bool boolean(std::string_view key) {
    const Json& value = get(key);
    if (const auto* on = value.get_ptr<const Json::boolean_t*>()) return *on;
    complain(fmt::format("'{}' is not a boolean", key));
    return false;
  }
  uint64_t number(std::string_view key, uint64_t limit = std::numeric_limits<uint64_t>::max()) {
    const Json& value = get(key);
    const auto* number = value.get_ptr<const Json::number_unsigned_t*>();
    if (number != nullptr && *number <= limit) return *number;
    complain(fmt::format("'{}' is not a number from 0 to {}", key, limit));
    return 0;
  }

 private:
  const Json& map_;
  std::string error_;
};

}  // namespace distlab::actor
