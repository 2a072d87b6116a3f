#include "models/mesh/cbor.h"

#include <algorithm>
#include <limits>
#include <set>

namespace distlab::mesh {
namespace {

std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// What is still to come of a container: `keys` of a map alternate with its values.
struct Level {
  uint64_t items;
  bool map;
  std::set<std::string_view> keys;
};

class Checker {
 public:
  Checker(Bytes bytes, const CborLimits& limits) : reader_(bytes), limits_(limits) {}

  bool well_formed() {
    do {
      if (!item()) return false;
      while (!levels_.empty() && levels_.back().items == 0) levels_.pop_back();
    } while (!levels_.empty());
    return reader_.at_end();
  }

 private:
  bool item() {
    if (values_++ >= limits_.values) return false;
    bool key = false;
    if (!levels_.empty()) {
      Level& level = levels_.back();
      key = level.map && level.items % 2 == 0;
      --level.items;
    }
    return key ? map_key() : value();
  }

  bool map_key() {
    const auto name = reader_.text();
    return name && levels_.back().keys.insert(*name).second;
  }

  bool value() {
    const auto head = reader_.head();
    if (!head) return false;
    switch (head->major) {
      case CborMajor::uint:
        return true;
      case CborMajor::nint:
        return head->value <= uint64_t(std::numeric_limits<int64_t>::max());
      case CborMajor::bytes:
        return reader_.take(head->value).has_value();
      case CborMajor::text: {
        const auto bytes = reader_.take(head->value);
        return bytes && valid_utf8(as_text(*bytes));
      }
      case CborMajor::array:
        return open(head->value, false);
      case CborMajor::map:
        return open(head->value, true);
      case CborMajor::simple:
        return head->info >= 20 && head->info <= 27 && head->info != 23 && head->info != 24;
      case CborMajor::tag:
        break;
    }
    return false;
  }

  bool open(uint64_t count, bool map) {
    if (levels_.size() >= limits_.depth || count > limits_.values) return false;
    levels_.push_back({map ? 2 * count : count, map, {}});
    return true;
  }

  CborReader reader_;
  const CborLimits& limits_;
  size_t values_ = 0;
  std::vector<Level> levels_;
};

// The length of the UTF-8 character at the front of `text`, 0 if there is none (RFC 3629 section 4).
size_t character_length(std::string_view text) {
  const auto at = [&](size_t i) { return i < text.size() ? uint8_t(text[i]) : uint8_t{0}; };
  const auto tail = [&](size_t i) { return (at(i) & 0xc0) == 0x80; };
  const uint8_t lead = at(0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  if (lead < 0xe0) return tail(1) ? 2 : 0;
  if (lead < 0xf0) {
    const bool overlong = lead == 0xe0 && at(1) < 0xa0;
    const bool surrogate = lead == 0xed && at(1) >= 0xa0;
    return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
  }
  const bool overlong = lead == 0xf0 && at(1) < 0x90;
  const bool too_large = lead == 0xf4 && at(1) >= 0x90;
  return tail(1) && tail(2) && tail(3) && !overlong && !too_large ? 4 : 0;
}

}  // namespace

bool valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = character_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string shortened(std::string_view text, size_t limit) {
  std::string out;
  while (!text.empty()) {
    const size_t length = character_length(text);
    if (out.size() + std::max<size_t>(length, 1) > limit) return out + "...";
    out += length == 0 ? "?" : text.substr(0, length);
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

std::optional<CborReader::Head> CborReader::head() {
  if (rest_.empty()) return {};
  const uint8_t first = rest_[0];
  Head head{CborMajor(first >> 5), uint8_t(first & 0x1f), 0};
  rest_ = rest_.subspan(1);
  if (head.info < 24) {
    head.value = head.info;
    return head;
  }
  if (head.info > 27) return {};
  const auto argument = take(uint64_t{1} << (head.info - 24));
  if (!argument) return {};
  for (const uint8_t byte : *argument) head.value = head.value << 8 | byte;
  return head;
}

std::optional<Bytes> CborReader::take(uint64_t count) {
  if (count > rest_.size()) return {};
  const Bytes out = rest_.first(size_t(count));
  rest_ = rest_.subspan(size_t(count));
  return out;
}

std::optional<std::string_view> CborReader::text() {
  const auto found = head();
  if (!found || found->major != CborMajor::text) return {};
  const auto bytes = take(found->value);
  if (!bytes || !valid_utf8(as_text(*bytes))) return {};
  return as_text(*bytes);
}

std::optional<Json> decode_cbor(Bytes bytes, const CborLimits& limits) {
  if (!Checker(bytes, limits).well_formed()) return {};
  Json value = Json::from_cbor(bytes.begin(), bytes.end(), true, false);
  if (value.is_discarded()) return {};
  return value;
}

std::vector<uint8_t> encode_cbor(const Json& value) {
  return Json::to_cbor(value);
}

void put_cbor_head(std::vector<uint8_t>& out, CborMajor major, uint64_t value) {
  const auto top = uint8_t(uint8_t(major) << 5);
  if (value < 24) {
    out.push_back(uint8_t(top | value));
    return;
  }
  const int width = value <= 0xff ? 0 : value <= 0xffff ? 1 : value <= 0xffff'ffff ? 2 : 3;  // log2 of the bytes
  out.push_back(uint8_t(top | (24 + width)));
  for (int shift = 8 * ((1 << width) - 1); shift >= 0; shift -= 8) out.push_back(uint8_t(value >> shift));
}

}  // namespace distlab::mesh
