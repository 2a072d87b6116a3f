// CBOR bodies (RFC 8949) as Json values, and the small reader that the fast path for PUBLISH uses.
//
// Strict, since bodies come from anybody: one value and nothing after it; definite lengths only; text is
// UTF-8, map keys are text and differ; no tags; integers fit into 64 bits; depth and number of values have
// limits, checked before anything is built of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/host/byte_stream.h"
#include "models/mesh/client.h"

namespace distlab::mesh {

struct CborLimits {
  size_t depth = 16;     // arrays and maps inside each other
  size_t values = 4096;  // scalars, containers and keys together
};

// Nothing when the bytes are not what the head of this file says. Byte strings become binary values.
std::optional<Json> decode_cbor(Bytes bytes, const CborLimits& limits = {});
std::vector<uint8_t> encode_cbor(const Json& value);

bool valid_utf8(std::string_view text);
// Words of a peer for events and logs: cut short, and whatever is not UTF-8 replaced by '?'.
std::string shortened(std::string_view text, size_t limit = 200);

enum class CborMajor : uint8_t { uint, nint, bytes, text, array, map, tag, simple };  // RFC 8949 section 3.1

// Reads the heads of data items one after the other. Text and bytes are views into the input.
class CborReader {
 public:
  struct Head {
    CborMajor major;
    uint8_t info;    // the low five bits: for `simple` the value, or the width of a float
    uint64_t value;  // the argument: a number, a length, a count
  };

  explicit CborReader(Bytes bytes) : rest_(bytes) {}
  bool at_end() const { return rest_.empty(); }
  std::optional<Head> head();  // nothing: cut short, reserved or of indefinite length
  std::optional<Bytes> take(uint64_t count);
  std::optional<std::string_view> text();  // a whole text item, UTF-8

 private:
  Bytes rest_;
};

void put_cbor_head(std::vector<uint8_t>& out, CborMajor major, uint64_t value);  // the shortest form

}  // namespace distlab::mesh
