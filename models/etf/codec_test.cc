#include "models/etf/codec.h"

#include <filesystem>
#include <fstream>
#include <iterator>

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
  std::vector<std::pair<Term, Term>> pairs;
  for (int64_t i = 0; i < 100'000; ++i) pairs.emplace_back(Term(i), atom("v"));
  EXPECT_TRUE(decode(encode(map(pairs))));
  pairs.emplace_back(Term(int64_t{5}), atom("w"));
  EXPECT_EQ(error_of(encode(map(pairs))), "a map with a key twice");
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
