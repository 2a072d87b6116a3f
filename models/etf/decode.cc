#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <zlib.h>

#include "models/etf/codec.h"
#include "models/etf/tags.h"

namespace distlab::etf {
namespace {

// Number of code points, or nothing if the bytes are not UTF-8 (RFC 3629: no overlong forms, no
// surrogates).
std::optional<size_t> utf8_length(std::string_view text) {
  size_t count = 0;
  for (size_t i = 0; i < text.size(); ++count) {
    const auto lead = static_cast<uint8_t>(text[i]);
    const size_t size = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    if (size == 0 || size > text.size() - i) return std::nullopt;
    uint32_t point = size == 1 ? lead : lead & (0x7f >> size);
    for (size_t j = 1; j < size; ++j) {
      const auto next = static_cast<uint8_t>(text[i + j]);
      if (next >> 6 != 2) return std::nullopt;
      point = point << 6 | (next & 0x3f);
    }
    constexpr uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < least[size] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return std::nullopt;
    i += size;
  }
  return count;
}

// Thrown inside this file only: a bounds check in every reader would hide what it reads.
struct Malformed {
  size_t offset;
  std::string what;
};

class Decoder {
 public:
  Decoder(std::span<const uint8_t> bytes, const DecodeLimits& limits) : bytes_(bytes), limits_(limits) {}

  Term term() {
    --owed_;
    if (++terms_ > limits_.max_terms) fail("more terms than the limit");
    if (depth_ >= limits_.max_depth) fail("nested deeper than the limit");
    ++depth_;
    Term result = tagged(static_cast<Tag>(u8()));
    --depth_;
    return result;
  }
  size_t offset() const { return at_; }

 private:
  [[noreturn]] void fail(std::string what) const { throw Malformed{at_, std::move(what)}; }

  std::span<const uint8_t> take(size_t count) {
    if (count > bytes_.size() - at_) fail("the term is cut off");
    const auto part = bytes_.subspan(at_, count);
    at_ += count;
    return part;
  }
  template <typename T>
  T big_endian() {
    T value = 0;
    for (const uint8_t byte : take(sizeof(T))) value = static_cast<T>(uint64_t{value} << 8 | byte);
    return value;
  }
  uint8_t u8() { return take(1)[0]; }
  uint16_t u16() { return big_endian<uint16_t>(); }
  uint32_t u32() { return big_endian<uint32_t>(); }
  uint64_t u64() { return big_endian<uint64_t>(); }
  // That many terms will follow, besides those announced before: each needs a byte. So all that is
  // ever reserved for announced terms, however they are nested, is in proportion to the input.
  size_t announce(size_t count) {
    if (count > bytes_.size() - at_ - std::min(owed_, bytes_.size() - at_)) {
      fail("more elements announced than bytes are left");
    }
    owed_ += count;
    return count;
  }
  std::vector<uint8_t> copy(size_t count) {
    const auto part = take(count);
    return {part.begin(), part.end()};
  }

  Term tagged(Tag tag) {
    switch (tag) {
      case Tag::small_integer:
        return int64_t{u8()};
      case Tag::integer:
        return int64_t{static_cast<int32_t>(u32())};
      case Tag::small_big:
        return big(u8());
      case Tag::large_big:
        return big(u32());
      case Tag::new_float:
        return real(std::bit_cast<double>(u64()));
      case Tag::old_float:
        return old_float();
      case Tag::atom:
      case Tag::small_atom:
      case Tag::atom_utf8:
      case Tag::small_atom_utf8:
        return Atom{atom_text(tag)};
      case Tag::new_pid:
      case Tag::pid:
        return pid(tag);
      case Tag::new_port:
      case Tag::port:
      case Tag::v4_port:
        return port(tag);
      case Tag::newer_reference:
      case Tag::new_reference:
      case Tag::reference:
        return reference(tag);
      case Tag::small_tuple:
        return tuple(elements(announce(u8())));
      case Tag::large_tuple:
        return tuple(elements(announce(u32())));
      case Tag::nil:
        return {};
      case Tag::string: {
        const auto characters = take(u16());
        Terms out;
        out.reserve(characters.size());
        for (const uint8_t c : characters) out.emplace_back(int64_t{c});
        return list(std::move(out));
      }
      case Tag::list: {
        const size_t count = announce(size_t{u32()} + 1) - 1;
        Terms front = elements(count);
        Term tail = term();
        return improper_list(std::move(front), std::move(tail));
      }
      case Tag::binary:
        return Bits{copy(u32()), 8};
      case Tag::bit_binary:
        return bit_binary();
      case Tag::map:
        return map_term();
      case Tag::new_fun:
        return fun();
      case Tag::export_fun:
        return export_fun();
      case Tag::compressed:
        break;  // only right behind the version byte
    }
    --at_;
    fail(fmt::format("unknown tag {}", bytes_[at_]));
  }

  Terms elements(size_t count) {  // announced
    Terms out;
    out.reserve(count);
    for (size_t i = 0; i < count; ++i) out.push_back(term());
    return out;
  }

  Term big(size_t size) {
    const uint8_t sign = u8();
    std::vector<uint8_t> magnitude = copy(size);
    while (!magnitude.empty() && magnitude.back() == 0) magnitude.pop_back();
    if (magnitude.size() <= 8) {
      uint64_t value = 0;
      for (size_t i = magnitude.size(); i-- > 0;) value = value << 8 | magnitude[i];
      constexpr uint64_t largest = INT64_MAX;
      if (value <= largest + (sign != 0 ? 1 : 0)) return static_cast<int64_t>(sign != 0 ? 0 - value : value);
    }
    return BigInt{sign != 0, std::move(magnitude)};
  }

  Term real(double value) {
    if (!std::isfinite(value)) fail("a float that is not a number");  // erts: badarg
    return value;
  }

  // FLOAT_EXT: 31 characters as by sprintf "%.20e", padded with zeros.
  Term old_float() {
    const auto raw = take(31);
    const auto end = std::find(raw.begin(), raw.end(), uint8_t{0});
    std::string text(raw.begin(), end);
    if (text.starts_with('+')) text.erase(0, 1);
    double value = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool underflow = error == std::errc::result_out_of_range && text.find("e-") != std::string::npos;
    if (underflow) value = 0;  // as OTP reads it
    if ((error != std::errc{} && !underflow) || rest != text.data() + text.size() ||
        text.find('.') == std::string::npos) {
      fail("a malformed float");
    }
    return real(value);
  }

  std::string atom_text(Tag tag) {
    const bool utf8 = tag == Tag::atom_utf8 || tag == Tag::small_atom_utf8;
    const bool small = tag == Tag::small_atom || tag == Tag::small_atom_utf8;
    const auto raw = take(small ? u8() : u16());
    std::string text;
    if (utf8) {
      text.assign(raw.begin(), raw.end());
      const std::optional<size_t> length = utf8_length(text);
      if (!length) fail("an atom that is not UTF-8");
      if (*length > 255) fail("an atom of more than 255 characters");
      return text;
    }
    if (raw.size() > 255) fail("an atom of more than 255 characters");
    for (const uint8_t c : raw) {  // latin-1
      if (c < 0x80) {
        text.push_back(static_cast<char>(c));
      } else {
        text.push_back(static_cast<char>(0xc0 | c >> 6));
        text.push_back(static_cast<char>(0x80 | (c & 0x3f)));
      }
    }
    return text;
  }
  std::string atom_text() {
    const auto tag = static_cast<Tag>(u8());
    switch (tag) {
      case Tag::atom:
      case Tag::small_atom:
      case Tag::atom_utf8:
      case Tag::small_atom_utf8:
        return atom_text(tag);
      default:
        --at_;
        fail("an atom is expected here");
    }
  }

  Pid pid(Tag tag) {
    Pid out;
    out.node = atom_text();
    out.id = u32();
    out.serial = u32();
    out.creation = tag == Tag::pid ? u8() : u32();
    return out;
  }
  Term port(Tag tag) {
    Port out;
    out.node = atom_text();
    out.id = tag == Tag::v4_port ? u64() : u32();
    out.creation = tag == Tag::port ? u8() : u32();
    return out;
  }
  Term reference(Tag tag) {
    Ref out;
    const size_t words = tag == Tag::reference ? 1 : u16();
    if (words < 1 || words > 5) fail("a reference of no or more than 5 words");
    out.node = atom_text();
    if (tag == Tag::reference) {
      out.words = {u32()};
      out.creation = u8();
      return out;
    }
    out.creation = tag == Tag::new_reference ? u8() : u32();
    for (size_t i = 0; i < words; ++i) out.words.push_back(u32());
    return out;
  }

  Term bit_binary() {
    const uint32_t size = u32();
    const uint8_t bits = u8();
    if (bits > 8 || (bits == 0) != (size == 0)) fail("a malformed bit string");
    if (size == 0) return Bits{};
    Bits out{copy(size), bits};
    out.bytes.back() &= static_cast<uint8_t>(0xff << (8 - bits));  // unused bits do not count
    return out;
  }

  Term map_term() {
    const size_t count = announce(size_t{u32()} * 2) / 2;
    Pairs pairs;
    pairs.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      Term key = term();
      Term value = term();
      pairs.emplace_back(std::move(key), std::move(value));
    }
    Term result = map(std::move(pairs));
    if (result.as<Map>()->pairs->size() != count) fail("a map with a key twice");  // erts: badarg
    return result;
  }

  Term fun() {
    const size_t start = at_;
    const uint32_t size = u32();
    Fun out;
    out.arity = u8();
    const auto uniq = take(out.uniq.size());
    std::copy(uniq.begin(), uniq.end(), out.uniq.begin());
    out.index = u32();
    const size_t free_variables = announce(u32());
    out.module = atom_text();
    out.old_index = small_unsigned();
    out.old_uniq = small_unsigned();
    const auto tag = static_cast<Tag>(u8());
    if (tag != Tag::pid && tag != Tag::new_pid) fail("a pid is expected here");
    out.creator = pid(tag);
    out.free_variables = std::make_shared<const Terms>(elements(free_variables));
    if (at_ - start != size) fail("a fun of another size than announced");
    return out;
  }
  uint32_t small_unsigned() {
    const auto tag = static_cast<Tag>(u8());
    if (tag == Tag::small_integer) return u8();
    if (tag == Tag::integer) return u32();
    // 2^31 and up do not fit INTEGER_EXT.
    if (tag == Tag::small_big) {
      const Term value = big(u8());
      if (const auto number = value.as_int(); number && *number >= 0 && *number <= UINT32_MAX) {
        return static_cast<uint32_t>(*number);
      }
    }
    fail("a small integer is expected here");
  }

  Term export_fun() {
    Export out;
    out.module = atom_text();
    out.function = atom_text();
    const uint32_t arity = small_unsigned();
    if (arity > 255) fail("an arity of more than 255");
    out.arity = static_cast<uint8_t>(arity);
    return out;
  }

  std::span<const uint8_t> bytes_;
  const DecodeLimits& limits_;
  size_t at_ = 0;
  size_t depth_ = 0;
  size_t terms_ = 0;
  size_t owed_ = 1;  // terms announced and not yet begun
};

tl::expected<Decoded, DecodeError> decode_plain(std::span<const uint8_t> bytes, size_t start,
                                                const DecodeLimits& limits) {
  Decoder decoder(bytes.subspan(start), limits);
  try {
    Term term = decoder.term();
    return Decoded{std::move(term), start + decoder.offset()};
  } catch (Malformed& error) {
    return tl::unexpected(DecodeError{start + error.offset, std::move(error.what)});
  }
}

// Inflates step by step: the announced size is a peer's word and buys no memory.
tl::expected<Decoded, DecodeError> decode_compressed(std::span<const uint8_t> bytes, const DecodeLimits& limits) {
  constexpr size_t header = 6;
  if (bytes.size() < header) return tl::unexpected(DecodeError{bytes.size(), "the term is cut off"});
  size_t size = 0;
  for (size_t i = 2; i < header; ++i) size = size << 8 | bytes[i];
  if (size > limits.max_uncompressed) return tl::unexpected(DecodeError{2, "larger uncompressed than the limit"});

  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return tl::unexpected(DecodeError{header, "cannot inflate"});
  stream.next_in = const_cast<Bytef*>(bytes.data() + header);
  stream.avail_in = static_cast<uInt>(std::min<size_t>(bytes.size() - header, UINT32_MAX));
  std::vector<uint8_t> plain;
  int result = Z_OK;
  while (result == Z_OK && plain.size() <= size) {
    const size_t done = plain.size();
    plain.resize(done + std::min<size_t>(std::max<size_t>(done, 4096), size - done + 1));
    stream.next_out = plain.data() + done;
    stream.avail_out = static_cast<uInt>(plain.size() - done);
    result = inflate(&stream, Z_NO_FLUSH);
    plain.resize(plain.size() - stream.avail_out);
    if (result == Z_OK && plain.size() == done) break;  // no progress: the input is cut off
  }
  const size_t used = header + stream.total_in;
  inflateEnd(&stream);
  if (result != Z_STREAM_END || plain.size() != size) {
    return tl::unexpected(DecodeError{header, "damaged compressed data"});
  }
  auto decoded = decode_plain(plain, 0, limits);
  if (!decoded) return tl::unexpected(DecodeError{header, std::move(decoded.error().what)});
  decoded->consumed = used;  // OTP too ignores what stands behind the term inside
  return decoded;
}

}  // namespace

tl::expected<Decoded, DecodeError> decode(std::span<const uint8_t> bytes, const DecodeLimits& limits) {
  if (bytes.empty() || bytes[0] != version_magic) return tl::unexpected(DecodeError{0, "no version byte 131"});
  if (bytes.size() > 1 && static_cast<Tag>(bytes[1]) == Tag::compressed) return decode_compressed(bytes, limits);
  return decode_plain(bytes, 1, limits);
}

}  // namespace distlab::etf
