#include "models/mesh/cbor.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "models/mesh/testing/generators.h"

namespace distlab::mesh {
namespace {

using Raw = std::vector<uint8_t>;

// Any value comes back as it was.
RC_GTEST_PROP(Cbor, RoundTrip, ()) {
  const Json value = *testing::json();
  const auto back = decode_cbor(encode_cbor(value), {.depth = 16, .values = 100'000});
  RC_ASSERT(back.has_value());
  // NaN differs from itself.
  RC_ASSERT(encode_cbor(*back) == encode_cbor(value));
}

// Bytes that are no CBOR, or CBOR of a kind that is not ours, are refused.
TEST(Cbor, RefusesWhatIsNotStrict) {
  const std::vector<std::pair<const char*, Raw>> bad = {
      {"nothing", {}},
      {"cut short", {0xa1, 0x61, 'a'}},
      {"something after it", {0x00, 0x00}},
      {"a tag", {0xc0, 0x60}},
      {"undefined", {0xf7}},
      {"a simple value of one byte", {0xf8, 0xff}},
      {"a break alone", {0xff}},
      {"indefinite array", {0x9f, 0xff}},
      {"indefinite text", {0x7f, 0x61, 'a', 0xff}},
      {"reserved length", {0x1c}},
      {"a key that is a number", {0xa1, 0x00, 0x00}},
      {"a key twice", {0xa2, 0x61, 'a', 0x00, 0x61, 'a', 0x01}},
      {"text that is not UTF-8", {0x61, 0xff}},
      {"a key that is not UTF-8", {0xa1, 0x61, 0xff, 0x00}},
      {"a number below -2^63", {0x3b, 0x80, 0, 0, 0, 0, 0, 0, 0}},
      {"bytes longer than there are", {0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
      {"more items than there are", {0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
      {"a map whose count overflows when doubled", {0xbb, 0x80, 0, 0, 0, 0, 0, 0, 0x00}},
  };
  for (const auto& [what, bytes] : bad) EXPECT_FALSE(decode_cbor(bytes)) << what;
  EXPECT_EQ(decode_cbor(Raw{0x3b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}),
            Json(std::numeric_limits<int64_t>::min()));
  EXPECT_EQ(decode_cbor(Raw{0xf9, 0x3c, 0x00}), Json(1.0));
}

// Depth and number of values end at their limits, not at the end of the stack.
TEST(Cbor, HasLimits) {
  Raw deep(1'000'000, 0x81);
  deep.push_back(0);
  EXPECT_FALSE(decode_cbor(deep));
  EXPECT_TRUE(decode_cbor(Raw{0x81, 0x81, 0x00}, {.depth = 2, .values = 3}));
  EXPECT_FALSE(decode_cbor(Raw{0x81, 0x81, 0x81, 0x00}, {.depth = 2, .values = 9}));
  EXPECT_FALSE(decode_cbor(Raw{0x82, 0x00, 0x00}, {.depth = 2, .values = 2}));
}

// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing beyond U+10FFFF.
TEST(Utf8, IsStrict) {
  for (const char* good : {"", "a", "ø", "€", "😀", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) EXPECT_TRUE(valid_utf8(good));
  for (const char* bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "a\xff"}) {
    EXPECT_FALSE(valid_utf8(bad));
  }
}

// Words of a peer are cut between characters and made printable.
TEST(Shortened, IsSafeToPrint) {
  EXPECT_EQ(shortened("abc"), "abc");
  EXPECT_EQ(shortened("a\xff\xfe"
                      "b"),
            "a??b");
  EXPECT_EQ(shortened("ab€", 4), "ab...");
  EXPECT_TRUE(valid_utf8(shortened(std::string(1000, '\xe2'))));
}

// A head takes the shortest form, as RFC 8949 section 4.2.1 wants it.
RC_GTEST_PROP(CborHead, IsShortAndReadsBack, ()) {
  const uint64_t value = *testing::number();
  Raw out;
  put_cbor_head(out, CborMajor::uint, value);
  RC_ASSERT(out == encode_cbor(Json(value)));
  CborReader reader(out);
  const auto head = reader.head();
  RC_ASSERT(head && head->major == CborMajor::uint && head->value == value && reader.at_end());
}

}  // namespace
}  // namespace distlab::mesh
