#include "models/mesh/frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace distlab::mesh {
namespace {

using Raw = std::vector<uint8_t>;
using ::testing::ElementsAre;

Frame frame_of(FrameType type, const Raw& body) {
  Raw bytes = begin_frame(type, body.size());
  bytes.insert(bytes.end(), body.begin(), body.end());
  return seal(std::move(bytes));
}

// The header is the one of the facts, section 1.2.
TEST(Frame, HasTheHeaderOfTheFacts) {
  const Frame frame = frame_of(FrameType::publish, Raw(258, 7));
  EXPECT_THAT(Raw(frame.bytes().begin(), frame.bytes().begin() + 8), ElementsAre(1, 0x10, 0, 0, 0, 0, 1, 2));
  EXPECT_EQ(frame.body().size(), 258u);
  EXPECT_EQ(frame.type(), FrameType::publish);
}

// However a stream is cut, the same frames come out.
RC_GTEST_PROP(FrameReader, CuttingDoesNotMatter, (const std::vector<Raw>& bodies)) {
  Raw stream;
  for (const Raw& body : bodies) {
    const Frame frame = frame_of(FrameType::call, body);
    stream.insert(stream.end(), frame.bytes().begin(), frame.bytes().end());
  }
  FrameReader reader;
  std::vector<Raw> got;
  for (size_t at = 0; at < stream.size();) {
    const size_t count = std::min<size_t>(*rc::gen::inRange<size_t>(1, 30), stream.size() - at);
    RC_ASSERT(reader.push(Bytes(stream).subspan(at, count)).has_value());
    while (const auto frame = reader.next()) got.emplace_back(frame->body().begin(), frame->body().end());
    at += count;
  }
  RC_ASSERT(got == bodies);
  RC_ASSERT(reader.buffered() == 0u);
}

// A stream that is not ours is refused for what is wrong with it, and stays refused; frames before it count.
TEST(FrameReader, RefusesForeignStreams) {
  const std::vector<std::pair<FrameError, Raw>> bad = {
      {FrameError::version, {2, 1, 0, 0, 0, 0, 0, 0}},
      {FrameError::flags, {1, 1, 1, 0, 0, 0, 0, 0}},
      {FrameError::flags, {1, 1, 0, 1, 0, 0, 0, 0}},
      {FrameError::too_large, {1, 1, 0, 0, 0, 0, 0, 93}},
      {FrameError::too_large, {1, 1, 0, 0, 0xff, 0xff, 0xff, 0xff}},
  };
  const Frame good = frame_of(FrameType::ping, Raw(92, 0));  // with its header exactly the limit
  for (const auto& [error, header] : bad) {
    Raw stream(good.bytes().begin(), good.bytes().end());
    stream.insert(stream.end(), header.begin(), header.end());
    FrameReader reader(100);
    EXPECT_EQ(reader.push(stream).error(), error);
    EXPECT_TRUE(reader.next().has_value());
    EXPECT_FALSE(reader.next().has_value());
    EXPECT_EQ(reader.push(good.bytes()).error(), error);
    EXPECT_FALSE(reader.next().has_value());
  }
}

// A header that claims much makes the reader keep no more than what came.
TEST(FrameReader, KeepsOnlyWhatCame) {
  FrameReader reader;
  ASSERT_TRUE(reader.push(Raw{1, 1, 0, 0, 0, 0x0f, 0, 0, 42}));
  EXPECT_EQ(reader.buffered(), 9u);
  EXPECT_FALSE(reader.next());
}

}  // namespace
}  // namespace distlab::mesh
