#include "models/mesh/message.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "models/mesh/cbor.h"
#include "models/mesh/testing/generators.h"

namespace distlab::mesh {
namespace {

using Raw = std::vector<uint8_t>;

Raw raw(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

Frame frame_of(FrameType type, const Raw& body) {
  Raw bytes = begin_frame(type, body.size());
  bytes.insert(bytes.end(), body.begin(), body.end());
  return seal(std::move(bytes));
}

Json publish_body() {
  return {{"topic", "t"},
          {"payload", Json::binary({1, 2})},
          {"qos", 0},
          {"retain", false},
          {"message_id", Json::binary(Raw(16, 9))}};
}

tl::expected<Publish, FrameError> read_publish(const Json& body) {
  return decode_publish(frame_of(FrameType::publish, encode_cbor(body)));
}

// Every message comes back as it was.
RC_GTEST_PROP(Message, RoundTrip, ()) {
  const Message message = *testing::message();
  const Frame frame = encode(message);
  const auto back = decode(frame);
  RC_ASSERT(back.has_value());
  RC_ASSERT(back->index() == message.index());
  RC_ASSERT(raw(encode(*back).bytes()) == raw(frame.bytes()));
}

// A PUBLISH comes back as it was, and its bytes are those a CBOR library makes of the same map.
RC_GTEST_PROP(Publish, RoundTrip, (const Raw& payload)) {
  const std::string topic = *testing::name();
  MessageId id;
  for (auto& byte : id) byte = *rc::gen::arbitrary<uint8_t>();
  const Frame frame = encode(Publish{topic, payload, id});
  const auto back = decode_publish(frame);
  RC_ASSERT(back.has_value());
  RC_ASSERT(back->topic == topic && raw(back->payload) == payload && back->id == id);
  Json body = publish_body();
  body["topic"] = topic;
  body["payload"] = Json::binary(payload);
  body["message_id"] = Json::binary(Raw(id.begin(), id.end()));
  RC_ASSERT(raw(frame.body()) == encode_cbor(body));
}

// The fields of a PUBLISH may come in any order, each once and of its type.
TEST(Publish, IsStrict) {
  ASSERT_TRUE(read_publish(publish_body()));
  // {topic, retain, qos, payload, message_id}: the reverse of what we write.
  Raw reversed = {0xa5, 0x65, 't', 'o', 'p', 'i', 'c', 0x61, 't', 0x66, 'r', 'e', 't', 'a', 'i', 'n', 0xf4};
  for (const uint8_t byte : {0x63, int('q'), int('o'), int('s'), 0x00, 0x67}) reversed.push_back(uint8_t(byte));
  for (const char c : std::string("payload")) reversed.push_back(uint8_t(c));
  reversed.push_back(0x40);
  reversed.push_back(0x6a);
  for (const char c : std::string("message_id")) reversed.push_back(uint8_t(c));
  reversed.push_back(0x50);
  reversed.resize(reversed.size() + 16);
  const Frame frame = frame_of(FrameType::publish, reversed);
  ASSERT_TRUE(decode_publish(frame));
  EXPECT_EQ(decode_publish(frame)->topic, "t");

  const auto with = [](const char* key, const Json& value) {
    Json body = publish_body();
    body[key] = value;
    return read_publish(body);
  };
  EXPECT_FALSE(with("topic", 1));
  EXPECT_FALSE(with("topic", Json::binary({'t'})));
  EXPECT_FALSE(with("topic", "\xff"));
  EXPECT_FALSE(with("payload", "text"));
  EXPECT_FALSE(with("qos", 1));
  EXPECT_FALSE(with("retain", true));
  EXPECT_FALSE(with("retain", 0));
  EXPECT_FALSE(with("message_id", Json::binary(Raw(15, 9))));
  EXPECT_FALSE(with("more", 0));
  const Json whole = publish_body();
  for (const auto& [key, value] : whole.items()) {
    Json body = publish_body();
    body.erase(key);
    EXPECT_FALSE(read_publish(body)) << "without " << key;
    body["else"] = value;
    EXPECT_FALSE(read_publish(body)) << "with another name for " << key;
  }
  Raw cut = encode_cbor(publish_body());
  while (!cut.empty()) {
    cut.pop_back();
    EXPECT_FALSE(decode_publish(frame_of(FrameType::publish, cut)));
  }
  Raw longer = encode_cbor(publish_body());
  longer.push_back(0);
  EXPECT_FALSE(decode_publish(frame_of(FrameType::publish, longer)));
  Raw twice = {0xa5};
  for (int i = 0; i < 5; ++i) twice.insert(twice.end(), {0x63, 'q', 'o', 's', 0x00});
  EXPECT_FALSE(decode_publish(frame_of(FrameType::publish, twice)));
}

// A map with a field missing, of another type, or too many, is no message; nor is a body of another type.
TEST(Message, IsStrict) {
  const auto refused = [](FrameType type, const Json& body) {
    const auto result = decode(frame_of(type, encode_cbor(body)));
    return !result && result.error() == FrameError::body;
  };
  EXPECT_TRUE(refused(FrameType::connect, {{"realm", "r"}}));
  EXPECT_TRUE(refused(FrameType::connect, {{"realm", "r"}, {"identity", 1}}));
  EXPECT_TRUE(refused(FrameType::connect, {{"realm", "r"}, {"identity", "i"}, {"more", 1}}));
  EXPECT_TRUE(refused(FrameType::connect, Json::array({"r", "i"})));
  EXPECT_TRUE(refused(FrameType::ping, {{"id", -1}}));
  EXPECT_TRUE(refused(FrameType::ping, {{"id", 1.5}}));
  EXPECT_TRUE(refused(FrameType::call, {{"call_id", 1}, {"procedure", "p"}}));
  EXPECT_TRUE(refused(FrameType::reply, {{"call_id", 1}}));
  EXPECT_TRUE(refused(FrameType::reply, {{"call_id", 1}, {"result", 1}, {"error", 1}}));
  EXPECT_TRUE(refused(FrameType::reply, {{"call_id", 1}, {"error", {{"code", "c"}}}}));
  EXPECT_TRUE(refused(FrameType::reply, {{"call_id", 1}, {"error", "e"}}));
  EXPECT_EQ(decode(frame_of(FrameType::publish, encode_cbor(publish_body()))).error(), FrameError::type);
  for (const int type : {0x00, 0x07, 0x0f, 0x13, 0x24, 0xff}) {
    EXPECT_EQ(decode(frame_of(FrameType(type), {0xa0})).error(), FrameError::type) << type;
  }
}

}  // namespace
}  // namespace distlab::mesh
