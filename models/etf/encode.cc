#include <bit>
#include <cassert>

#include <zlib.h>

#include "models/etf/codec.h"
#include "models/etf/tags.h"

namespace distlab::etf {
namespace {

// Appends to a buffer what OTP 25 would send for a term.
class Encoder {
 public:
  explicit Encoder(std::vector<uint8_t>& out) : out_(out) {}

  void term(const Term& term) {
    std::visit([this](const auto& value) { put(value); }, term.value());
  }

 private:
  void tag(Tag value) { u8(static_cast<uint8_t>(value)); }
  void u8(uint8_t value) { out_.push_back(value); }
  void u16(uint16_t value) { big_endian(value); }
  void u32(uint32_t value) { big_endian(value); }
  void u64(uint64_t value) { big_endian(value); }
  template <typename T>
  void big_endian(T value) {
    for (int shift = sizeof(T) * 8 - 8; shift >= 0; shift -= 8) out_.push_back(static_cast<uint8_t>(value >> shift));
  }
  void size32(size_t size) {
    assert(size <= UINT32_MAX);
    u32(static_cast<uint32_t>(size));
  }
  void bytes(const std::vector<uint8_t>& data) { out_.insert(out_.end(), data.begin(), data.end()); }

  void atom(std::string_view text) {
    if (text.size() < 256) {
      tag(Tag::small_atom_utf8);
      u8(static_cast<uint8_t>(text.size()));
    } else {
      tag(Tag::atom_utf8);
      u16(static_cast<uint16_t>(text.size()));
    }
    out_.insert(out_.end(), text.begin(), text.end());
  }

  void put(int64_t value) {
    if (value >= 0 && value <= 255) {
      tag(Tag::small_integer);
      u8(static_cast<uint8_t>(value));
    } else if (value >= INT32_MIN && value <= INT32_MAX) {
      tag(Tag::integer);
      u32(static_cast<uint32_t>(value));
    } else {
      const bool negative = value < 0;
      uint64_t magnitude = negative ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
      const auto size = static_cast<uint8_t>((std::bit_width(magnitude) + 7) / 8);
      tag(Tag::small_big);
      u8(size);
      u8(negative);
      for (int i = 0; i < size; ++i, magnitude >>= 8) u8(static_cast<uint8_t>(magnitude));
    }
  }
  void put(double value) {
    tag(Tag::new_float);
    u64(std::bit_cast<uint64_t>(value));
  }
  void put(const Atom& value) { atom(value.text); }
  void put(const BigInt& value) {
    if (value.magnitude.size() < 256) {
      tag(Tag::small_big);
      u8(static_cast<uint8_t>(value.magnitude.size()));
    } else {
      tag(Tag::large_big);
      size32(value.magnitude.size());
    }
    u8(value.negative);
    bytes(value.magnitude);
  }
  void put(const Bits& value) {
    const bool whole = value.last_byte_bits == 8 || value.bytes.empty();
    tag(whole ? Tag::binary : Tag::bit_binary);
    size32(value.bytes.size());
    if (!whole) u8(value.last_byte_bits);
    bytes(value.bytes);
  }
  void put(const Pid& value) {
    tag(Tag::new_pid);
    atom(value.node);
    u32(value.id);
    u32(value.serial);
    u32(value.creation);
  }
  // As erts does: the 64-bit form from 2^28 on.
  void put(const Port& value) {
    const bool wide = value.id >= uint64_t{1} << 28;
    tag(wide ? Tag::v4_port : Tag::new_port);
    atom(value.node);
    if (wide) {
      u64(value.id);
    } else {
      u32(static_cast<uint32_t>(value.id));
    }
    u32(value.creation);
  }
  void put(const Ref& value) {
    tag(Tag::newer_reference);
    u16(static_cast<uint16_t>(value.words.size()));
    atom(value.node);
    u32(value.creation);
    for (const uint32_t word : value.words) u32(word);
  }
  void put(const Tuple& value) {
    if (value.elements->size() < 256) {
      tag(Tag::small_tuple);
      u8(static_cast<uint8_t>(value.elements->size()));
    } else {
      tag(Tag::large_tuple);
      size32(value.elements->size());
    }
    for (const Term& element : *value.elements) term(element);
  }
  static bool is_string(const List& value) {
    if (value.tail != nullptr || value.elements->size() > UINT16_MAX) return false;
    for (const Term& element : *value.elements) {
      const auto* character = element.as<int64_t>();
      if (character == nullptr || *character < 0 || *character > 255) return false;
    }
    return true;
  }
  void put(const List& value) {
    if (value.elements->empty()) {
      tag(Tag::nil);
    } else if (is_string(value)) {
      tag(Tag::string);
      u16(static_cast<uint16_t>(value.elements->size()));
      for (const Term& element : *value.elements) u8(static_cast<uint8_t>(*element.as<int64_t>()));
    } else {
      tag(Tag::list);
      size32(value.elements->size());
      for (const Term& element : *value.elements) term(element);
      if (value.tail != nullptr) {
        term(*value.tail);
      } else {
        tag(Tag::nil);
      }
    }
  }
  void put(const Map& value) {
    tag(Tag::map);
    size32(value.pairs->size());
    for (const auto& [key, mapped] : *value.pairs) {
      term(key);
      term(mapped);
    }
  }
  void put(const Export& value) {
    tag(Tag::export_fun);
    atom(value.module);
    atom(value.function);
    put(int64_t{value.arity});
  }
  void put(const Fun& value) {
    tag(Tag::new_fun);
    const size_t start = out_.size();
    u32(0);
    u8(value.arity);
    out_.insert(out_.end(), value.uniq.begin(), value.uniq.end());
    u32(value.index);
    size32(value.free_variables->size());
    atom(value.module);
    put(int64_t{value.old_index});
    put(int64_t{static_cast<int32_t>(value.old_uniq)});  // signed in erts
    put(value.creator);
    for (const Term& variable : *value.free_variables) term(variable);
    const auto size = static_cast<uint32_t>(out_.size() - start);  // counts itself
    for (int i = 0; i < 4; ++i) out_[start + i] = static_cast<uint8_t>(size >> (24 - 8 * i));
  }

  std::vector<uint8_t>& out_;
};

}  // namespace

void encode(const Term& term, std::vector<uint8_t>& out) {
  out.push_back(version_magic);
  Encoder(out).term(term);
}

std::vector<uint8_t> encode(const Term& term) {
  std::vector<uint8_t> out;
  out.reserve(128);
  encode(term, out);
  return out;
}

std::vector<uint8_t> encode_compressed(const Term& term, int level) {
  std::vector<uint8_t> plain = encode(term);
  const size_t size = plain.size() - 1;  // without the version byte
  uLongf compressed_size = compressBound(size);
  std::vector<uint8_t> out(6 + compressed_size);
  const int result = compress2(out.data() + 6, &compressed_size, plain.data() + 1, size, level);
  if (result != Z_OK || compressed_size + 5 >= size) return plain;
  out.resize(6 + compressed_size);
  out[0] = version_magic;
  out[1] = static_cast<uint8_t>(Tag::compressed);
  for (int i = 0; i < 4; ++i) out[2 + i] = static_cast<uint8_t>(size >> (24 - 8 * i));
  return out;
}

}  // namespace distlab::etf
