#include "models/etf/term.h"

#include <algorithm>
#include <utility>

namespace distlab::etf {
namespace {

const std::shared_ptr<const Terms>& no_terms() {
  static const auto none = std::make_shared<const Terms>();
  return none;
}

bool same(const std::shared_ptr<const Terms>& a, const std::shared_ptr<const Terms>& b) {
  return a == b || std::equal(a->begin(), a->end(), b->begin(), b->end());
}

bool same(const Map& a, const Map& b) {
  return a.pairs == b.pairs || *a.pairs == *b.pairs;
}

bool same(const Fun& a, const Fun& b) {
  return a.arity == b.arity && a.uniq == b.uniq && a.index == b.index && a.module == b.module &&
         a.old_index == b.old_index && a.old_uniq == b.old_uniq && a.creator == b.creator &&
         same(a.free_variables, b.free_variables);
}

bool same(const Tuple& a, const Tuple& b) {
  return same(a.elements, b.elements);
}

bool same(const List& a, const List& b) {
  if (!same(a.elements, b.elements) || (a.tail == nullptr) != (b.tail == nullptr)) return false;
  return a.tail == nullptr || *a.tail == *b.tail;
}

template <typename T>
bool same(const T& a, const T& b) {
  return a == b;
}

}  // namespace

Term::Term() : value_(List{no_terms(), nullptr}) {}

bool Term::is_atom(std::string_view text) const {
  const Atom* a = as_atom();
  return a != nullptr && a->text == text;
}

std::optional<int64_t> Term::as_int() const {
  const auto* value = as<int64_t>();
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::span<const Term> Term::as_tuple(size_t arity) const {
  const Tuple* t = as<Tuple>();
  if (t == nullptr || t->elements->size() != arity) return {};
  return *t->elements;
}

std::span<const Term> Term::as_tagged(std::string_view tag, size_t arity) const {
  const std::span<const Term> elements = as_tuple(arity);
  if (elements.empty() || !elements[0].is_atom(tag)) return {};
  return elements;
}

std::optional<std::string> Term::as_text() const {
  const Bits* const bits = as<Bits>();
  if (bits == nullptr || bits->last_byte_bits != 8) return std::nullopt;
  return std::string(bits->bytes.begin(), bits->bytes.end());
}

const Term* Term::find(std::string_view key) const {
  const Map* const map = as<Map>();
  if (map == nullptr) return nullptr;
  for (const auto& [name, value] : *map->pairs)
    if (name.is_atom(key)) return &value;
  return nullptr;
}

std::optional<std::span<const Term>> Term::as_list() const {
  const List* l = as<List>();
  if (l == nullptr || l->tail != nullptr) return std::nullopt;
  return std::span<const Term>(*l->elements);
}

bool operator==(const Term& a, const Term& b) {
  if (a.value().index() != b.value().index()) return false;
  return std::visit(
      [&](const auto& left) { return same(left, std::get<std::remove_cvref_t<decltype(left)>>(b.value())); },
      a.value());
}

Term atom(std::string_view text) {
  return Atom{std::string(text)};
}

Term boolean(bool value) {
  return atom(value ? "true" : "false");
}

Term integer(uint64_t value) {
  if (value <= INT64_MAX) return static_cast<int64_t>(value);
  BigInt big;
  for (; value != 0; value >>= 8) big.magnitude.push_back(static_cast<uint8_t>(value));
  return big;
}

Term tuple(Terms elements) {
  return Tuple{std::make_shared<const Terms>(std::move(elements))};
}

Term list(Terms elements) {
  if (elements.empty()) return {};
  return List{std::make_shared<const Terms>(std::move(elements)), nullptr};
}

Term improper_list(Terms elements, Term tail) {
  if (elements.empty()) return tail;
  // [a | [b]] is [a, b].
  if (const List* rest = tail.as<List>()) {
    elements.insert(elements.end(), rest->elements->begin(), rest->elements->end());
    return List{std::make_shared<const Terms>(std::move(elements)), rest->tail};
  }
  return List{std::make_shared<const Terms>(std::move(elements)), std::make_shared<const Term>(std::move(tail))};
}

Term map(Pairs pairs) {
  const auto before = [](const auto& a, const auto& b) { return term_order(a.first, b.first) < 0; };
  const auto out_of_order = [&](const auto& a, const auto& b) { return !before(a, b); };
  if (std::adjacent_find(pairs.begin(), pairs.end(), out_of_order) == pairs.end()) {
    return Map{std::make_shared<const Pairs>(std::move(pairs))};  // as most maps come
  }
  std::stable_sort(pairs.begin(), pairs.end(), before);
  // The last of equal keys: std::unique keeps the first, so from the back.
  const auto kept =
      std::unique(pairs.rbegin(), pairs.rend(), [](const auto& a, const auto& b) { return a.first == b.first; });
  pairs.erase(pairs.begin(), kept.base());
  return Map{std::make_shared<const Pairs>(std::move(pairs))};
}

Term binary(std::vector<uint8_t> bytes) {
  return Bits{std::move(bytes), 8};
}

Term binary(std::string_view bytes) {
  return Bits{{bytes.begin(), bytes.end()}, 8};
}

Term string(std::string_view text) {
  Terms characters;
  characters.reserve(text.size());
  for (const char c : text) characters.emplace_back(int64_t{static_cast<uint8_t>(c)});
  return list(std::move(characters));
}

}  // namespace distlab::etf
