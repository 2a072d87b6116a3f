#include "models/epmd/codec.h"

#include <gtest/gtest.h>

namespace distlab::epmd {
namespace {

using Raw = std::vector<uint8_t>;

Raw raw(std::initializer_list<int> head, std::string_view tail = "") {
  Raw out(head.begin(), head.end());
  out.insert(out.end(), tail.begin(), tail.end());
  return out;
}

// The bytes OTP 25 sends to register a node (facts, OTP: "Unmodified BEAM through an agent").
TEST(EpmdCodec, Alive2AsOtpSendsIt) {
  const Alive2Request request{.port = 0x8c3d, .name = "a", .extra = ""};
  const Raw bytes = raw({0, 14, 120, 0x8c, 0x3d, 77, 0, 0, 6, 0, 5, 0, 1, 'a', 0, 0});
  EXPECT_EQ(encode(Request(request)), bytes);
  const auto decoded = decode_request(bytes);
  ASSERT_TRUE(decoded && *decoded);
  const auto& back = std::get<Alive2Request>(**decoded);
  EXPECT_EQ(back.name, "a");
  EXPECT_EQ(back.port, 0x8c3d);
  EXPECT_EQ(back.highest, 6);
}

// Answers have the layout of the facts: 118 with a 32-bit creation, 119 with the node's entry.
TEST(EpmdCodec, Answers) {
  EXPECT_EQ(encode(Alive2Response{0, 0x01020304}, true), raw({118, 0, 1, 2, 3, 4}));
  EXPECT_EQ(encode(Alive2Response{1, 99}, false), raw({121, 1, 0, 99}));
  EXPECT_EQ(encode(Port2Response{1, {}}), raw({119, 1}));
  const Raw found = encode(Port2Response{0, {.port = 4000, .name = "bob", .extra = ""}});
  EXPECT_EQ(found, raw({119, 0, 0x0f, 0xa0, 77, 0, 0, 6, 0, 5, 0, 3, 'b', 'o', 'b', 0, 0}));
  EXPECT_EQ(decode_port2_response(found).value()->node.port, 4000);
  const Raw names = encode(NamesResponse{4369, {{"a", 1}, {"b c", 65535}}});
  EXPECT_EQ(names, raw({0, 0, 0x11, 0x11}, "name a at port 1\nname b c at port 65535\n"));
  EXPECT_EQ(decode_names_response(names).value().nodes.at(1).second, 65535);
}

// With one byte missing anywhere, every decoder waits for more and invents nothing.
TEST(EpmdCodec, WaitsForTheRest) {
  const Raw request = encode(Request(Alive2Request{.port = 1, .name = "abc", .extra = "x"}));
  for (size_t n = 0; n < request.size(); ++n) EXPECT_FALSE(decode_request(std::span(request).first(n)).value());
  const Raw answer = encode(Port2Response{0, {.port = 1, .name = "abc", .extra = ""}});
  for (size_t n = 0; n < answer.size(); ++n) EXPECT_FALSE(decode_port2_response(std::span(answer).first(n)).value());
  EXPECT_TRUE(decode_port2_response(answer).value());
}

// Nonsense is an error at once.
TEST(EpmdCodec, Nonsense) {
  EXPECT_FALSE(decode_request(raw({0, 0})));
  EXPECT_FALSE(decode_request(raw({255, 255})));
  EXPECT_FALSE(decode_request(raw({0, 1, 9})));
  EXPECT_FALSE(decode_request(raw({0, 1, 122})));  // no name
  EXPECT_FALSE(decode_request(raw({0, 4, 122, 'a', 0, 'b'})));
  EXPECT_FALSE(decode_request(raw({0, 2, 122, 'a', 0})));  // a byte behind the request
  EXPECT_FALSE(decode_request(raw({0, 5, 120, 0, 1, 77, 0})));
  EXPECT_FALSE(decode_alive2_response(raw({1})));
  EXPECT_FALSE(decode_port2_response(raw({1})));
  EXPECT_FALSE(decode_names_response(raw({0, 0})));
  EXPECT_FALSE(decode_names_response(raw({0, 0, 0, 1}, "name a at port x\n")));
}

}  // namespace
}  // namespace distlab::epmd
