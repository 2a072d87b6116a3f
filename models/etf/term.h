// Erlang terms as values, and the builders and matchers the node code is written with.
//
// Source: "External Term Format", erl_ext_dist. A Term is immutable and cheap to copy: compound
// terms share their elements.
#pragma once

#include <array>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace distlab::etf {

class Term;
using Terms = std::vector<Term>;
using Pairs = std::vector<std::pair<Term, Term>>;

struct Atom {
  std::string text;  // UTF-8, at most 255 characters
  auto operator<=>(const Atom&) const = default;
};

// An integer too large for int64: magnitude as little-endian base 256, no leading zero byte.
struct BigInt {
  bool negative = false;
  std::vector<uint8_t> magnitude;
  auto operator<=>(const BigInt&) const = default;
};

// A bit string; a binary is one whose last byte is whole. Unused bits are 0.
struct Bits {
  std::vector<uint8_t> bytes;
  uint8_t last_byte_bits = 8;  // 1..8; the used bits are the most significant ones
  auto operator<=>(const Bits&) const = default;
};

// NEW_PID_EXT. `node` is the full node name.
struct Pid {
  std::string node;
  uint32_t id = 0;
  uint32_t serial = 0;
  uint32_t creation = 0;
  auto operator<=>(const Pid&) const = default;
};

// NEW_PORT_EXT / V4_PORT_EXT.
struct Port {
  std::string node;
  uint64_t id = 0;
  uint32_t creation = 0;
  auto operator<=>(const Port&) const = default;
};

// NEWER_REFERENCE_EXT: 1 to 5 words.
struct Ref {
  std::string node;
  uint32_t creation = 0;
  std::vector<uint32_t> words;
  auto operator<=>(const Ref&) const = default;
};

struct Tuple {
  std::shared_ptr<const Terms> elements;
};

// [] has no elements and no tail; an improper list has a tail.
struct List {
  std::shared_ptr<const Terms> elements;
  std::shared_ptr<const Term> tail;  // null for a proper list
};

// Sorted by key as term_order() says, keys unique: build one with map(). OTP 25 sends maps of up to
// 32 keys in this order too.
struct Map {
  std::shared_ptr<const Pairs> pairs;
};

// EXPORT_EXT: fun module:function/arity.
struct Export {
  std::string module;
  std::string function;
  uint8_t arity = 0;
  auto operator<=>(const Export&) const = default;
};

// NEW_FUN_EXT, carried and compared but never called.
struct Fun {
  uint8_t arity = 0;
  std::array<uint8_t, 16> uniq{};
  uint32_t index = 0;
  std::string module;
  uint32_t old_index = 0;
  uint32_t old_uniq = 0;
  Pid creator;
  std::shared_ptr<const Terms> free_variables;
};

template <typename T, typename Variant>
inline constexpr bool is_alternative = false;
template <typename T, typename... Alternatives>
inline constexpr bool is_alternative<T, std::variant<Alternatives...>> = (std::is_same_v<T, Alternatives> || ...);

class Term {
 public:
  using Value = std::variant<int64_t, double, Atom, BigInt, Bits, Pid, Port, Ref, Tuple, List, Map, Export, Fun>;

  Term();  // []
  template <typename T>
  requires is_alternative<std::remove_cvref_t<T>, Value> Term(T&& value)
      : value_(std::in_place_type<std::remove_cvref_t<T>>, std::forward<T>(value)) {}
  // The other integer types. Not bool (see boolean()): 1 is not true.
  template <std::integral T>
  requires(!std::same_as<T, int64_t> && !std::same_as<T, bool>) Term(T value) : Term(from_integral(value)) {}

  const Value& value() const { return value_; }
  template <typename T>
  const T* as() const {
    return std::get_if<T>(&value_);
  }

  bool is_atom(std::string_view text) const;
  const Atom* as_atom() const { return as<Atom>(); }
  std::optional<int64_t> as_int() const;
  // The elements if this is a tuple of this arity, else an empty span (arity 0 is not asked for).
  std::span<const Term> as_tuple(size_t arity) const;
  // The elements if this is a tuple {tag, ...} of this arity, else an empty span.
  std::span<const Term> as_tagged(std::string_view tag, size_t arity) const;
  // The bytes of a binary, or nothing.
  std::optional<std::string> as_text() const;
  // The value of this atom in a map; null if there is none, or this is no map.
  const Term* find(std::string_view key) const;
  // The elements of a proper list, or nothing.
  std::optional<std::span<const Term>> as_list() const;

  // As OTP 25 prints it with ~0p (one line), but: pids, ports and references show their node's
  // name, only ASCII counts as text, and integers of more than 256 bytes are hexadecimal. Long
  // terms are cut off after about `limit` characters and end in "...".
  std::string to_string(size_t limit = 200) const;

 private:
  template <std::integral T>
  static Term from_integral(T value);

  Value value_;
};

// Exact equality (=:=): 1 is not 1.0; 0.0 is -0.0, as before OTP 27.
bool operator==(const Term& a, const Term& b);
// Erlang's order of map keys ("Term Comparisons" in the reference manual, but every integer comes
// before every float): total, and equal exactly where == holds. References, funs, ports and pids
// are ordered among their kind by their fields, which is this project's choice.
std::strong_ordering term_order(const Term& a, const Term& b);

Term atom(std::string_view text);
Term boolean(bool value);
Term integer(uint64_t value);
Term tuple(Terms elements);
template <typename... T>
requires(std::constructible_from<Term, T>&&...) Term tuple(T&&... elements) {
  Terms terms;
  terms.reserve(sizeof...(elements));
  (terms.emplace_back(std::forward<T>(elements)), ...);
  return tuple(std::move(terms));
}
Term list(Terms elements);
// [e1, e2 | tail]; as in Erlang, a tail that is a list makes a longer list.
Term improper_list(Terms elements, Term tail);
// Of equal keys the last one counts, as in #{k => 1, k => 2}.
Term map(Pairs pairs);
Term binary(std::vector<uint8_t> bytes);
Term binary(std::string_view bytes);
Term string(std::string_view text);  // a list of bytes, as STRING_EXT

template <std::integral T>
Term Term::from_integral(T value) {
  if constexpr (std::unsigned_integral<T>) return integer(value);
  return static_cast<int64_t>(value);
}

}  // namespace distlab::etf
