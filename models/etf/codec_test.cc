#include "models/etf/codec.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <type_traits>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "models/etf/testing/generators.h"

namespace distlab::etf {
namespace {

using Raw = std::vector<uint8_t>;

Term must_decode(const Raw& bytes) {
  const auto decoded = decode(bytes);
  EXPECT_TRUE(decoded) << decoded.error().what << " at " << decoded.error().offset;
  if (!decoded) return atom("failed");
  EXPECT_EQ(decoded->consumed, bytes.size());
  return decoded->term;
}

std::string error_of(const Raw& bytes, const DecodeLimits& limits = {}) {
  const auto decoded = decode(bytes, limits);
  return decoded ? "decoded " + decoded->term.to_string() : decoded.error().what;
}

Raw with(Raw head, std::string_view tail) {
  head.insert(head.end(), tail.begin(), tail.end());
  return head;
}

// Whatever is encoded decodes to the same term, with every byte used.
RC_GTEST_PROP(EtfCodec, RoundTrip, ()) {
  const Term term = *testing::term();
  const auto decoded = decode(encode(term));
  RC_ASSERT(decoded.has_value());
  RC_ASSERT(decoded->term == term);
  RC_ASSERT(decoded->consumed == encode(term).size());
}

// The same holds for compressed terms.
RC_GTEST_PROP(EtfCodec, CompressedRoundTrip, ()) {
  const Term term = list(Terms(50, *testing::term(2)));
  const Raw bytes = encode_compressed(term);
  RC_ASSERT(bytes.size() <= encode(term).size());
  const auto decoded = decode(bytes);
  RC_ASSERT(decoded.has_value());
  RC_ASSERT(decoded->term == term);
  RC_ASSERT(decoded->consumed == bytes.size());
}

// Cut off anywhere, a term is an error and never a different term.
RC_GTEST_PROP(EtfCodec, CutOffIsAnError, ()) {
  const Raw bytes = encode(*testing::term());
  const size_t cut = *rc::gen::inRange<size_t>(0, bytes.size());
  RC_ASSERT(!decode(std::span(bytes).first(cut)).has_value());
}

// The integers at the borders of the formats keep their value and take the format OTP takes.
TEST(EtfCodec, IntegersTakeTheSmallestFormat) {
  EXPECT_EQ(encode(Term(255)), (Raw{131, 97, 255}));
  EXPECT_EQ(encode(Term(256)), (Raw{131, 98, 0, 0, 1, 0}));
  EXPECT_EQ(encode(Term(-1)), (Raw{131, 98, 255, 255, 255, 255}));
  EXPECT_EQ(encode(Term(int64_t{1} << 31)), (Raw{131, 110, 4, 0, 0, 0, 0, 128}));
  EXPECT_EQ(must_decode(encode(Term(INT64_MIN))), Term(INT64_MIN));
  // A big integer that fits is an integer again; one more does not fit.
  EXPECT_EQ(must_decode({131, 110, 8, 1, 0, 0, 0, 0, 0, 0, 0, 128}), Term(INT64_MIN));
  EXPECT_NE(must_decode({131, 110, 8, 0, 0, 0, 0, 0, 0, 0, 0, 128}).as<BigInt>(), nullptr);
}

// A binary is text, and a map is asked by atom; anything else has neither.
TEST(EtfTerm, TextAndKeys) {
  const Term with = map({{atom("a"), binary("text")}, {atom("b"), Bits{{0x80}, 1}}, {binary("a"), atom("other")}});
  ASSERT_NE(with.find("a"), nullptr);
  EXPECT_EQ(with.find("a")->as_text(), "text");
  EXPECT_FALSE(with.find("b")->as_text()) << "a bit string is no text";
  EXPECT_EQ(with.find("c"), nullptr);
  EXPECT_EQ(atom("a").find("a"), nullptr);
  EXPECT_FALSE(atom("a").as_text());
}

// The old forms that a peer may still send are understood.
TEST(EtfCodec, OldFormats) {
  EXPECT_EQ(must_decode(with({131, 100, 0, 2}, "ok")), atom("ok"));
  EXPECT_EQ(must_decode({131, 115, 1, 0xf8}), atom("ø"));
  EXPECT_EQ(must_decode(with({131, 99}, std::string("1.50000000000000000000e+00\0\0\0\0\0", 31))), Term(1.5));
  const Raw node = with({115, 3}, "a@b");
  Raw pid{131, 103};
  pid.insert(pid.end(), node.begin(), node.end());
  pid.insert(pid.end(), {0, 0, 0, 9, 0, 0, 0, 1, 2});
  EXPECT_EQ(must_decode(pid), Term(Pid{"a@b", 9, 1, 2}));
  Raw ref{131, 114, 0, 2};
  ref.insert(ref.end(), node.begin(), node.end());
  ref.insert(ref.end(), {3, 0, 0, 0, 1, 0, 0, 0, 2});
  EXPECT_EQ(must_decode(ref), Term(Ref{"a@b", 3, {1, 2}}));
}

// What is wrong is said, with the place; nothing is reserved for what cannot be there.
TEST(EtfCodec, MalformedTerms) {
  EXPECT_EQ(error_of({}), "no version byte 131");
  EXPECT_EQ(error_of({130, 106}), "no version byte 131");
  EXPECT_EQ(error_of({131, 1}), "unknown tag 1");
  EXPECT_EQ(decode(Raw{131, 104, 2, 97, 1, 1}).error().offset, 5u);
  EXPECT_EQ(error_of({131, 105, 255, 255, 255, 255}), "more elements announced than bytes are left");
  EXPECT_EQ(error_of({131, 108, 255, 255, 255, 255, 97}), "more elements announced than bytes are left");
  EXPECT_EQ(error_of({131, 116, 255, 255, 255, 255, 97}), "more elements announced than bytes are left");
  EXPECT_EQ(error_of({131, 109, 255, 255, 255, 255, 97}), "the term is cut off");
  EXPECT_EQ(error_of({131, 119, 2, 0xc0, 0x80}), "an atom that is not UTF-8");
  EXPECT_EQ(error_of({131, 119, 3, 0xed, 0xa0, 0x80}), "an atom that is not UTF-8");
  EXPECT_EQ(error_of({131, 70, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0}), "a float that is not a number");
  EXPECT_EQ(error_of({131, 116, 0, 0, 0, 2, 97, 1, 97, 2, 97, 1, 97, 3}), "a map with a key twice");
  EXPECT_EQ(error_of({131, 77, 0, 0, 0, 1, 9, 0}), "a malformed bit string");
  EXPECT_EQ(error_of({131, 90, 0, 6}), "a reference of no or more than 5 words");
}

// A key twice is found in large maps too, without comparing each with each.
TEST(EtfCodec, DuplicateKeyInALargeMap) {
  Pairs pairs;
  for (int64_t i = 0; i < 100'000; ++i) pairs.emplace_back(Term(i), atom("v"));
  Raw bytes = encode(map(pairs));
  EXPECT_TRUE(decode(bytes));
  ++bytes[5];  // one more pair
  bytes.insert(bytes.end(), {97, 5, 106});
  EXPECT_EQ(error_of(bytes), "a map with a key twice");
}

// Keys that are equal but not written alike are the same key: maps in another order, 0.0 and -0.0.
TEST(EtfCodec, DuplicateKeyWrittenAnotherWay) {
  EXPECT_EQ(error_of({131, 116, 0, 0, 0, 2,  116, 0,   0,  0, 2,   97, 1, 106, 97, 2, 106, 106,  //
                      116, 0,   0, 0, 2, 97, 2,   106, 97, 1, 106, 106}),
            "a map with a key twice");
  Raw zeros{131, 116, 0, 0, 0, 12};
  for (uint8_t i = 0; i < 10; ++i) zeros.insert(zeros.end(), {97, i, 106});
  zeros.insert(zeros.end(), {70, 0, 0, 0, 0, 0, 0, 0, 0, 106, 70, 128, 0, 0, 0, 0, 0, 0, 0, 106});
  EXPECT_EQ(error_of(zeros), "a map with a key twice");
}

// Maps whose keys are maps whose keys are maps ... cost no more than their size: comparing 2^14
// of them with each other, each time sorting what is inside, would take this test for ever.
TEST(EtfCodec, MapsAsKeysAreCheap) {
  std::function<Term(int, int64_t)> tree = [&](int depth, int64_t leaf) {
    if (depth == 0) return Term(leaf);
    return map({{tree(depth - 1, 2 * leaf), Term()}, {tree(depth - 1, 2 * leaf + 1), Term()}});
  };
  const Term term = tree(14, 0);
  const auto decoded = decode(encode(term));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->term, term);
}

// Tuples in tuples that each announce all the bytes left: no more is reserved than could be there.
TEST(EtfCodec, NestedAnnouncementsAreNotAddedUp) {
  constexpr uint32_t size = 1 << 20;
  Raw bytes{131};
  for (uint32_t level = 0; level < 900; ++level) {
    const uint32_t rest = size - (level + 1) * 5;
    for (const uint32_t byte : {uint32_t{105}, rest >> 24, rest >> 16, rest >> 8, rest}) {
      bytes.push_back(static_cast<uint8_t>(byte));
    }
  }
  bytes.resize(1 + size, 106);
  EXPECT_EQ(error_of(bytes), "more elements announced than bytes are left");
  EXPECT_EQ(decode(bytes).error().offset, 11u);  // the second announcement
}

// A term as deep as the limit allows can be decoded, compared, printed and dropped.
TEST(EtfCodec, AsDeepAsTheLimit) {
  Raw deep{131};
  for (int i = 0; i < 999; ++i) deep.insert(deep.end(), {108, 0, 0, 0, 1});
  deep.push_back(106);
  deep.insert(deep.end(), 999, 106);
  const Term term = must_decode(deep);
  EXPECT_EQ(term, must_decode(encode(term)));
  EXPECT_EQ(term_order(term, must_decode(deep)), std::strong_ordering::equal);
  EXPECT_EQ(term.to_string(2000).substr(997, 6), "[[[]]]");
}

// Depth, number and uncompressed size are limited, whatever a peer announces.
TEST(EtfCodec, Limits) {
  Raw deep{131};
  for (int i = 0; i < 100'000; ++i) deep.insert(deep.end(), {104, 1});
  deep.push_back(106);
  EXPECT_EQ(error_of(deep), "nested deeper than the limit");
  EXPECT_EQ(error_of(encode(list(Terms(100, atom("a")))), {.max_terms = 50}), "more terms than the limit");
  const Raw bomb = encode_compressed(binary(Raw(1 << 20, 0)));
  ASSERT_LT(bomb.size(), 10'000u);
  EXPECT_EQ(error_of(bomb, {.max_uncompressed = 1000}), "larger uncompressed than the limit");
  Raw liar = bomb;
  liar[2] = liar[3] = 0;  // announces less than is inside
  EXPECT_EQ(error_of(liar), "damaged compressed data");
}

// What OTP 25 wrote with term_to_binary (corpus/etf_fuzz: one file per kind of term) we write
// byte for byte the same.
TEST(EtfCodec, WritesWhatOtpWrites) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator("models/etf/corpus/etf_fuzz")) {
    if (entry.path().filename().string().find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const Raw bytes((std::istreambuf_iterator<char>(in)), {});
    const auto decoded = decode(bytes);
    ASSERT_TRUE(decoded) << entry.path() << ": " << decoded.error().what;
    EXPECT_EQ(encode(decoded->term), bytes) << entry.path() << ": " << decoded->term.to_string();
    ++files;
  }
  EXPECT_GE(files, 20);
}

// Erlang's order of map keys, from the least to the greatest.
TEST(EtfTerm, Order) {
  const Terms ascending{BigInt{true, Raw(10, 1)},
                        BigInt{true, Raw(9, 1)},
                        INT64_MIN,
                        -1,
                        0,
                        2,
                        INT64_MAX,
                        integer(UINT64_MAX),
                        -1.0,
                        0.5,
                        atom("a"),
                        atom("aa"),
                        atom("b"),
                        Ref{"a@b", 1, {1}},
                        Export{"m", "f", 1},
                        Port{"a@b", 1, 1},
                        Pid{"a@b", 1, 1, 1},
                        tuple(),
                        tuple(9),
                        tuple(1, 2),
                        map({}),
                        map({{9, 9}}),
                        map({{1, 1}, {2, 2}}),
                        map({{1, 1}, {2, 3}}),
                        map({{1, 1}, {3, 1}}),
                        list({}),
                        improper_list({1}, 2),
                        list({1}),
                        list({1, 1}),
                        improper_list({1}, binary("")),
                        list({2}),
                        binary(""),
                        Bits{{0x80}, 1},
                        Bits{{0x80}, 2},
                        binary("\x80"),
                        binary("\x81")};
  for (size_t i = 0; i < ascending.size(); ++i) {
    for (size_t j = 0; j < ascending.size(); ++j) {
      EXPECT_EQ(term_order(ascending[i], ascending[j]), i <=> j)
          << ascending[i].to_string() << " and " << ascending[j].to_string();
    }
  }
}

// The order is total and agrees with equality, whatever the terms.
RC_GTEST_PROP(EtfTerm, OrderIsTotal, ()) {
  const Term a = *testing::term(2), b = *testing::term(2), c = *testing::term(2);
  RC_ASSERT(std::is_eq(term_order(a, b)) == (a == b));
  RC_ASSERT(std::is_eq(term_order(a, a)));
  RC_ASSERT(std::is_lt(term_order(a, b)) == std::is_gt(term_order(b, a)));
  if (term_order(a, b) <= 0 && term_order(b, c) <= 0) RC_ASSERT(std::is_lteq(term_order(a, c)));
}

// No integer type loses bits on the way into a term.
TEST(EtfTerm, IntegersOfEveryType) {
  EXPECT_EQ(Term(uint32_t{0xffffffff}).as_int(), 0xffffffff);
  EXPECT_EQ(Term(static_cast<long long>(INT64_MIN)).as_int(), INT64_MIN);
  EXPECT_EQ(Term(uint64_t{INT64_MAX}).as_int(), INT64_MAX);
  EXPECT_EQ(Term(UINT64_MAX).to_string(), "18446744073709551615");
  EXPECT_EQ(must_decode(encode(Term(UINT64_MAX))), Term(UINT64_MAX));
  static_assert(!std::is_constructible_v<Term, bool>);
  static_assert(!std::is_constructible_v<Term, const char*>);
}

// Of equal keys the last one counts.
TEST(EtfTerm, MapKeepsTheLastOfEqualKeys) {
  EXPECT_EQ(map({{2, 1}, {1, 1}, {2, 2}, {1, 2}, {2, 3}}), map({{1, 2}, {2, 3}}));
}

// Terms print as ~p prints them.
TEST(EtfTerm, Prints) {
  EXPECT_EQ(tuple(atom("ok"), list({1, 2}), binary("hi")).to_string(), "{ok,[1,2],<<\"hi\">>}");
  EXPECT_EQ(tuple(atom("Elixir.Foo"), atom("end"), Term(1.0)).to_string(), "{'Elixir.Foo','end',1.0}");
  EXPECT_EQ(string("abc").to_string(), "\"abc\"");
  EXPECT_EQ(improper_list({1}, Term(2)).to_string(), "[1|2]");
  EXPECT_EQ(map({{atom("k"), Term()}}).to_string(), "#{k => []}");
  EXPECT_EQ(Term(Export{"m", "f", 2}).to_string(), "fun m:f/2");
  EXPECT_EQ(Term(Bits{{0xa0}, 3}).to_string(), "<<5:3>>");
  EXPECT_LE(list(Terms(100'000, atom("abc"))).to_string(100).size(), 103u);
}

// Maps are equal in any order; 1 is not 1.0.
TEST(EtfTerm, Equality) {
  EXPECT_EQ(map({{1, 2}, {3, 4}}), map({{3, 4}, {1, 2}}));
  EXPECT_FALSE(map({{1, 2}}) == map({{1, 3}}));
  EXPECT_FALSE(Term(1) == Term(1.0));
  EXPECT_EQ(improper_list({1}, list({2})), list({1, 2}));
}

}  // namespace
}  // namespace distlab::etf
