// RapidCheck generators of terms, for the property tests of every room that encodes them.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <rapidcheck.h>

#include "models/etf/codec.h"
#include "models/etf/term.h"

namespace distlab::etf::testing {

inline rc::Gen<std::string> atom_text() {
  // Letters of one, two, three and four bytes.
  return rc::gen::map(rc::gen::resize(20, rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
                                              "a", "z", "A", "@", "_", " ", "ø", "ж", "€", "😀"))),
                      [](const std::vector<std::string>& letters) {
                        std::string text;
                        for (const std::string& letter : letters) text += letter;
                        return text;
                      });
}

inline rc::Gen<std::string> node_name() {
  return rc::gen::element<std::string>("a@hosta.test", "b@hostb.test", "nonode@nohost");
}

inline rc::Gen<uint8_t> byte() {
  return rc::gen::arbitrary<uint8_t>();
}

inline rc::Gen<Pid> pid() {
  return rc::gen::map(rc::gen::tuple(node_name(), rc::gen::inRange<uint32_t>(0, 1u << 28),
                                     rc::gen::arbitrary<uint32_t>(), rc::gen::arbitrary<uint32_t>()),
                      [](auto t) {
                        return Pid{std::get<0>(t), std::get<1>(t), std::get<2>(t), std::get<3>(t)};
                      });
}

inline rc::Gen<Ref> ref() {
  return rc::gen::map(rc::gen::tuple(node_name(), rc::gen::arbitrary<uint32_t>(),
                                     rc::gen::container<std::vector<uint32_t>>(3, rc::gen::arbitrary<uint32_t>())),
                      [](auto t) {
                        return Ref{std::get<0>(t), std::get<1>(t), std::get<2>(t)};
                      });
}

inline Term big_integer(bool negative, std::vector<uint8_t> magnitude) {
  magnitude.push_back(1);  // at least nine bytes, the last not zero: too large for int64
  return BigInt{negative, std::move(magnitude)};
}

inline rc::Gen<Term> leaf() {
  using rc::gen::map;
  return rc::gen::oneOf(
      map(rc::gen::arbitrary<int64_t>(), [](int64_t v) { return Term(v); }),
      map(rc::gen::inRange<int64_t>(-300, 300), [](int64_t v) { return Term(v); }),
      map(rc::gen::tuple(rc::gen::arbitrary<bool>(), rc::gen::container<std::vector<uint8_t>>(8, byte())),
          [](auto t) { return big_integer(std::get<0>(t), std::get<1>(t)); }),
      map(rc::gen::suchThat(rc::gen::arbitrary<double>(), [](double d) { return std::isfinite(d); }),
          [](double v) { return Term(v); }),
      map(atom_text(), [](const std::string& v) { return atom(v); }),
      map(rc::gen::container<std::vector<uint8_t>>(byte()),
          [](std::vector<uint8_t> v) { return binary(std::move(v)); }),
      map(rc::gen::tuple(rc::gen::nonEmpty(rc::gen::container<std::vector<uint8_t>>(byte())), rc::gen::inRange(1, 8)),
          [](auto t) {
            Bits bits{std::get<0>(t), static_cast<uint8_t>(std::get<1>(t))};
            bits.bytes.back() &= static_cast<uint8_t>(0xff << (8 - bits.last_byte_bits));
            return Term(bits);
          }),
      map(pid(), [](Pid v) { return Term(std::move(v)); }), map(ref(), [](Ref v) { return Term(std::move(v)); }),
      map(rc::gen::tuple(node_name(), rc::gen::inRange<uint64_t>(0, 1u << 28), rc::gen::arbitrary<uint32_t>()),
          [](auto t) {
            return Term(Port{std::get<0>(t), std::get<1>(t), std::get<2>(t)});
          }),
      map(rc::gen::tuple(atom_text(), atom_text(), byte()), [](auto t) {
        return Term(Export{std::get<0>(t), std::get<1>(t), std::get<2>(t)});
      }));
}

inline Term map_without_duplicates(std::vector<std::pair<Term, Term>> pairs) {
  std::vector<std::pair<Term, Term>> unique;
  for (auto& pair : pairs) {
    bool known = false;
    for (const auto& other : unique) known |= other.first == pair.first;
    if (!known) unique.push_back(std::move(pair));
  }
  return map(std::move(unique));
}

inline rc::Gen<Term> term(int depth = 3) {
  if (depth == 0) return leaf();
  const auto terms = rc::gen::resize(6, rc::gen::container<Terms>(rc::gen::lazy([depth] { return term(depth - 1); })));
  using rc::gen::map;
  return rc::gen::oneOf(
      leaf(), leaf(), map(terms, [](Terms v) { return tuple(std::move(v)); }),
      map(terms, [](Terms v) { return list(std::move(v)); }),
      map(rc::gen::tuple(terms, leaf()), [](auto t) { return improper_list(std::get<0>(t), std::get<1>(t)); }),
      map(rc::gen::container<std::vector<uint8_t>>(byte()),
          [](const std::vector<uint8_t>& v) {
            return string({reinterpret_cast<const char*>(v.data()), v.size()});
          }),
      map(rc::gen::tuple(terms, terms),
          [](auto t) {
            std::vector<std::pair<Term, Term>> pairs;
            const auto& [keys, values] = t;
            for (size_t i = 0; i < std::min(keys.size(), values.size()); ++i) pairs.emplace_back(keys[i], values[i]);
            return map_without_duplicates(std::move(pairs));
          }),
      map(rc::gen::tuple(terms, pid(), byte()), [](auto t) {
        Fun fun;
        fun.arity = std::get<2>(t);
        fun.module = "m";
        fun.index = 7;
        fun.old_index = 7;
        fun.old_uniq = 1234;
        fun.creator = std::get<1>(t);
        fun.free_variables = std::make_shared<const Terms>(std::get<0>(t));
        return Term(fun);
      }));
}

}  // namespace distlab::etf::testing
