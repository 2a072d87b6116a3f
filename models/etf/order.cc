// Erlang's order of terms, as map keys have it ("Term Comparisons", Erlang reference manual).
#include <algorithm>
#include <array>
#include <compare>
#include <tuple>
#include <variant>

#include "models/etf/term.h"

namespace distlab::etf {
namespace {

using Order = std::strong_ordering;

// number < atom < reference < fun < port < pid < tuple < map < list < bit string
int rank(const Term& term) {
  static constexpr std::array ranks{0, 1, 2, 0, 11, 7, 6, 3, 8, 10, 9, 4, 5};
  static_assert(ranks.size() == std::variant_size_v<Term::Value>);  // in the order of Term::Value
  return ranks[term.value().index()];
}

Order order(const Terms& a, const Terms& b) {
  return std::lexicographical_compare_three_way(a.begin(), a.end(), b.begin(), b.end(), term_order);
}

Order order(const BigInt& a, const BigInt& b) {
  if (a.negative != b.negative) return a.negative ? Order::less : Order::greater;
  const Order size = a.magnitude.size() <=> b.magnitude.size();
  const Order magnitude = size != 0 ? size
                                    : std::lexicographical_compare_three_way(a.magnitude.rbegin(), a.magnitude.rend(),
                                                                             b.magnitude.rbegin(), b.magnitude.rend());
  return a.negative ? 0 <=> magnitude : magnitude;
}

// A BigInt is beyond every int64_t.
Order integers(const Term& a, const Term& b) {
  const auto* big_a = a.as<BigInt>();
  const auto* big_b = b.as<BigInt>();
  if (big_a != nullptr && big_b != nullptr) return order(*big_a, *big_b);
  if (big_a != nullptr) return big_a->negative ? Order::less : Order::greater;
  if (big_b != nullptr) return big_b->negative ? Order::greater : Order::less;
  return *a.as<int64_t>() <=> *b.as<int64_t>();
}

Order order(double a, double b) {
  if (a == b) return Order::equal;  // 0.0 and -0.0 too
  return a < b ? Order::less : Order::greater;
}

// By bits: unused ones are zero, so only what is a prefix of the other needs the length.
Order order(const Bits& a, const Bits& b) {
  if (const Order bytes = a.bytes <=> b.bytes; bytes != 0) return bytes;
  return a.last_byte_bits <=> b.last_byte_bits;
}

Order order(const Tuple& a, const Tuple& b) {
  const Order size = a.elements->size() <=> b.elements->size();
  return size != 0 ? size : order(*a.elements, *b.elements);
}

// Where one list ends, what follows its last element is compared with the rest of the other: a
// rest of elements is a list, which is more than a tail of any kind but a bit string.
Order order(const List& a, const List& b) {
  const Terms& left = *a.elements;
  const Terms& right = *b.elements;
  const size_t common = std::min(left.size(), right.size());
  for (size_t i = 0; i < common; ++i) {
    if (const Order element = term_order(left[i], right[i]); element != 0) return element;
  }
  constexpr int list_rank = 10;
  const int left_tail = a.tail != nullptr ? rank(*a.tail) : list_rank;
  const int right_tail = b.tail != nullptr ? rank(*b.tail) : list_rank;
  if (left.size() > right.size()) return right_tail > list_rank ? Order::less : Order::greater;
  if (left.size() < right.size()) return left_tail > list_rank ? Order::greater : Order::less;
  if (a.tail == nullptr || b.tail == nullptr) return left_tail <=> right_tail;
  return term_order(*a.tail, *b.tail);
}

Order order(const Map& a, const Map& b) {
  if (const Order size = a.pairs->size() <=> b.pairs->size(); size != 0) return size;
  for (size_t i = 0; i < a.pairs->size(); ++i) {
    if (const Order key = term_order((*a.pairs)[i].first, (*b.pairs)[i].first); key != 0) return key;
  }
  for (size_t i = 0; i < a.pairs->size(); ++i) {
    if (const Order value = term_order((*a.pairs)[i].second, (*b.pairs)[i].second); value != 0) return value;
  }
  return Order::equal;
}

Order order(const Fun& a, const Fun& b) {
  const auto fields = [](const Fun& f) {
    return std::tie(f.module, f.index, f.uniq, f.arity, f.old_index, f.old_uniq, f.creator);
  };
  if (const Order own = fields(a) <=> fields(b); own != 0) return own;
  return order(*a.free_variables, *b.free_variables);
}

template <typename T>
Order order(const T& a, const T& b) {
  return a <=> b;
}

}  // namespace

std::strong_ordering term_order(const Term& a, const Term& b) {
  const int kind = rank(a);
  if (const Order kinds = kind <=> rank(b); kinds != 0) return kinds;
  if (kind == 0) return integers(a, b);
  return std::visit(
      [&](const auto& left) { return order(left, std::get<std::remove_cvref_t<decltype(left)>>(b.value())); },
      a.value());
}

}  // namespace distlab::etf
