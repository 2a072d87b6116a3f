#include "models/dist/framing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "models/dist/testing/samples.h"

namespace distlab::dist {
namespace {

using testing::bytes;
using ::testing::ElementsAre;

std::vector<uint8_t> copy(Bytes b) {
  return {b.begin(), b.end()};
}

// Frames that lie in one chunk are given out without a copy, ticks included.
TEST(FrameDecoder, WholeFramesAreNotCopied) {
  const auto stream = bytes("00000003 'abc' 00000000 00000001 'd'");
  FrameDecoder decoder(HeaderSize::four);
  decoder.feed(stream);
  auto frame = decoder.next();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->bytes.data(), stream.data() + 4);
  EXPECT_EQ(frame->bytes.size(), 3u);
  frame = decoder.next();
  ASSERT_TRUE(frame);
  EXPECT_TRUE(frame->bytes.empty());
  EXPECT_FALSE(frame->too_long);
  EXPECT_THAT(decoder.next()->bytes, ElementsAre('d'));
  EXPECT_FALSE(decoder.next());
}

// Any cutting of the stream yields the same frames, for both header sizes.
RC_GTEST_PROP(FrameDecoder, CuttingDoesNotMatter, (bool two)) {
  const auto header = two ? HeaderSize::two : HeaderSize::four;
  const auto frames =
      *rc::gen::container<std::vector<std::vector<uint8_t>>>(rc::gen::arbitrary<std::vector<uint8_t>>());
  std::vector<uint8_t> stream;
  for (const auto& frame : frames) {
    write_length(stream, frame.size(), header);
    stream.insert(stream.end(), frame.begin(), frame.end());
  }
  FrameDecoder decoder(header);
  std::vector<std::vector<uint8_t>> got;
  for (size_t at = 0; at < stream.size();) {
    const size_t count = std::min<size_t>(*rc::gen::inRange<size_t>(1, 40), stream.size() - at);
    const std::vector<uint8_t> chunk(stream.begin() + ptrdiff_t(at), stream.begin() + ptrdiff_t(at + count));
    decoder.feed(chunk);
    while (const auto frame = decoder.next()) got.push_back(copy(frame->bytes));
    at += count;
  }
  RC_ASSERT(got == frames);
  RC_ASSERT(decoder.take_rest().empty());
}

// A flipped length swallows the stream without allocating for it: the facts' corruption row "length
// MSB"; the connection then dies of net_tick_timeout.
TEST(FrameDecoder, AFlippedLengthSwallowsTheStream) {
  FrameDecoder decoder(HeaderSize::four, 1 << 20);
  const auto stream = bytes("40000003 'abc' 00000001 'd'");
  decoder.feed(stream);
  EXPECT_FALSE(decoder.next());
  EXPECT_EQ(decoder.buffered(), 0u);
  const std::vector<uint8_t> more(1 << 20, 0);
  for (int i = 0; i < 100; ++i) {
    decoder.feed(more);
    EXPECT_FALSE(decoder.next());
  }
  EXPECT_EQ(decoder.buffered(), 0u);
}

// When all the bytes of a frame beyond the limit have come, it is reported, and the next one is read.
TEST(FrameDecoder, AFrameBeyondTheLimitIsReportedAtItsEnd) {
  FrameDecoder decoder(HeaderSize::four, 4);
  const auto stream = bytes("00000005 'abcde' 00000004 'wxyz'");
  for (size_t i = 0; i < 8; ++i) {
    decoder.feed(Bytes(stream).subspan(i, 1));
    EXPECT_FALSE(decoder.next());
  }
  decoder.feed(Bytes(stream).subspan(8));
  const auto frame = decoder.next();
  ASSERT_TRUE(frame && frame->too_long);
  EXPECT_EQ(frame->length, 5u);
  EXPECT_THAT(decoder.next()->bytes, ElementsAre('w', 'x', 'y', 'z'));
}

// Lengths the socket's driver cannot represent end the stream at once (packet_parser.c; seen with
// gen_tcp: 0x7fffffff is emsgsize, 0x7ffffffb is waited for).
TEST(FrameDecoder, AnImpossibleLengthEndsTheStream) {
  FrameDecoder decoder(HeaderSize::four, 1 << 20, 0x7ffffffb);
  const auto good = bytes("7ffffffb"), bad = bytes("80000007 'abc'");
  decoder.feed(good);
  EXPECT_FALSE(decoder.next());
  FrameDecoder other(HeaderSize::four, 1 << 20, 0x7ffffffb);
  other.feed(bad);
  const auto frame = other.next();
  ASSERT_TRUE(frame);
  EXPECT_TRUE(frame->invalid);
}

// What is framed comes out of the decoder as it went in.
TEST(FrameDecoder, FramesWhatItReads) {
  for (const HeaderSize header : {HeaderSize::two, HeaderSize::four}) {
    const auto sent = framed(bytes("'abc'"), header);
    FrameDecoder decoder(header);
    decoder.feed(sent);
    EXPECT_THAT(decoder.next()->bytes, ElementsAre('a', 'b', 'c'));
  }
}

// What was fed and not given out can be handed to the next protocol.
TEST(FrameDecoder, TheRestIsHandedOver) {
  const auto first = bytes("0001 'a' 00"), second = bytes("02 'bc' 0000");
  FrameDecoder decoder(HeaderSize::two);
  decoder.feed(first);
  EXPECT_TRUE(decoder.next());
  EXPECT_FALSE(decoder.next());
  decoder.feed(second);
  EXPECT_THAT(decoder.next()->bytes, ElementsAre('b', 'c'));
  EXPECT_THAT(decoder.take_rest(), ElementsAre(0, 0));
  EXPECT_FALSE(decoder.next());
}

}  // namespace
}  // namespace distlab::dist
