#include "models/dist/channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/dist/testing/samples.h"

namespace distlab::dist {
namespace {

using namespace testing;
using ::testing::HasSubstr;

const Pid from = pid(node_a, 80);
const Pid to = pid(node_b, 81);

ChannelConfig config(const std::string& self, const std::string& peer) {
  ChannelConfig c;
  c.names = {self, peer, 1};
  c.flags = default_flags(true);
  return c;
}

Channel channel_a() {
  return Channel(config(node_a, node_b));
}
Channel channel_b() {
  return Channel(config(node_b, node_a));
}

Message message(size_t size) {
  return {SendSender{from, to}, etf::binary(std::vector<uint8_t>(size, 'x'))};
}

// Takes up to `room` bytes out of the channel, as a stream with that much room would.
std::vector<uint8_t> drain(Channel& channel, size_t room = SIZE_MAX) {
  std::vector<uint8_t> out;
  for (Bytes b; !(b = channel.output()).empty();) {
    const size_t count = std::min(b.size(), room - out.size());
    out.insert(out.end(), b.begin(), b.begin() + ptrdiff_t(count));
    const bool full = count < b.size();
    channel.consumed(count);
    if (full) break;
  }
  return out;
}

// Messages come out at the other end as they went in, in order, however the bytes are cut.
TEST(Channel, MessagesArriveInOrder) {
  for (const size_t chunk : {1, 3, 1000, 70'000}) {
    Channel a = channel_a(), b = channel_b();
    const std::vector<size_t> sizes = {0, 10, 70'000, 1, 200'000, 5};
    for (const size_t size : sizes) EXPECT_FALSE(a.send(message(size)));
    a.write_tick();
    const auto stream = drain(a);
    std::vector<size_t> got;
    for (size_t i = 0; i < stream.size(); i += chunk) {
      b.on_bytes(Bytes(stream).subspan(i, std::min(chunk, stream.size() - i)));
      while (auto next = b.next()) {
        ASSERT_TRUE(*next);
        got.push_back((**next).payload->as<etf::Bits>()->bytes.size());
      }
    }
    EXPECT_EQ(got, sizes);
    EXPECT_EQ(a.sent_messages(), sizes.size());
    EXPECT_EQ(b.received_messages(), sizes.size());
    // Whole frames are counted, fragments and the tick one each.
    EXPECT_EQ(a.stats().sent_frames, 4u + 2 + 4 + 1);
    EXPECT_EQ(b.stats().received_frames, a.stats().sent_frames);
    EXPECT_EQ(a.stats().pending_bytes, 0u);
  }
}

// A frame counts as received only when it is whole: bulk over a slow link can starve the tick
// algorithm if a frame takes longer than the tick time (facts section 4).
TEST(Channel, OnlyWholeFramesCount) {
  Channel a = channel_a(), b = channel_b();
  a.send(message(50'000));
  const auto stream = drain(a);
  b.on_bytes(Bytes(stream).first(stream.size() - 1));
  EXPECT_FALSE(b.next());
  EXPECT_EQ(b.stats().received_frames, 0u);
  b.on_bytes(Bytes(stream).last(1));
  EXPECT_TRUE(b.next());
  EXPECT_EQ(b.stats().received_frames, 1u);
}

// The handshake's packets are where the counters start.
TEST(Channel, CountersStartWithTheHandshake) {
  auto c = config(node_a, node_b);
  c.received_packets = 3;
  c.sent_packets = 2;
  const Channel a(c);
  EXPECT_EQ(a.stats().received_frames, 3u);
  EXPECT_EQ(a.stats().sent_frames, 2u);
}

// Busy at the limit, resumed only when all that was queued is handed over (dist.c:erts_dist_command).
TEST(Channel, BusyAndResumed) {
  auto c = config(node_a, node_b);
  c.busy_limit = 100'000;
  Channel a(c);
  EXPECT_FALSE(a.send(message(60'000)));
  EXPECT_TRUE(a.send(message(60'000)));
  EXPECT_TRUE(a.busy());
  EXPECT_FALSE(a.take_resumed());
  drain(a, 30'000);  // the first frame is partly out, the driver takes the second up to its watermark
  EXPECT_GT(a.stats().pending_bytes, 8u * 1024);
  EXPECT_TRUE(a.send(message(60'000)));
  EXPECT_TRUE(a.busy());
  drain(a, 60'000);
  EXPECT_TRUE(a.busy());
  drain(a);
  EXPECT_FALSE(a.busy());
  EXPECT_TRUE(a.take_resumed());
  EXPECT_FALSE(a.take_resumed());
  EXPECT_EQ(a.queued_bytes(), 0u);
}

// A stream that takes everything at once never lets a small sender see a busy channel.
TEST(Channel, AFastStreamIsNeverBusy) {
  Channel a = channel_a();
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(a.send(message(10'000)));
    drain(a);
  }
  EXPECT_FALSE(a.take_resumed());
}

// While the stream takes nothing, frames pile up in the driver to its high watermark and then in the
// queue; pending bytes, which suppress ticks, are the driver's alone.
TEST(Channel, TwoQueues) {
  Channel a = channel_a();
  a.send(message(1000));
  EXPECT_EQ(a.stats().sent_frames, 0u);
  EXPECT_EQ(a.stats().pending_bytes, 0u);
  drain(a, 1);
  EXPECT_EQ(a.stats().sent_frames, 1u);
  const size_t one = a.stats().pending_bytes + 1;
  for (int i = 0; i < 20; ++i) a.send(message(1000));
  const size_t held = a.stats().pending_bytes;
  EXPECT_GE(held, 8u * 1024);
  EXPECT_LT(held, 8u * 1024 + one);
  EXPECT_GT(a.queued_bytes(), 10'000u);
  // Below the low watermark it takes more.
  drain(a, held - 4000);
  EXPECT_GE(a.stats().pending_bytes, 8u * 1024);
  drain(a);
  EXPECT_EQ(a.stats().sent_frames, 21u);
}

// A tick is written behind what the driver holds and before what waits in the queue (inet_tcp's
// forced send).
TEST(Channel, TicksBypassTheQueue) {
  Channel a = channel_a();
  for (int i = 0; i < 3; ++i) a.send(message(60'000));
  drain(a, 1);  // one frame begun, one held by the driver, one queued
  a.write_tick();
  auto rest = drain(a);
  rest.insert(rest.begin(), 0);
  FrameDecoder frames(HeaderSize::four);
  frames.feed(rest);
  std::vector<bool> empty;
  while (const auto frame = frames.next()) empty.push_back(frame->bytes.empty());
  EXPECT_EQ(empty, (std::vector<bool>{false, false, true, false}));
}

// Output may be taken in small pieces.
TEST(Channel, OutputInPieces) {
  Channel a = channel_a(), b = channel_a();
  a.send(message(5000));
  b.send(message(5000));
  std::vector<uint8_t> pieces;
  for (Bytes x; !(x = a.output(7)).empty();) {
    EXPECT_LE(x.size(), 7u);
    pieces.insert(pieces.end(), x.begin(), x.end());
    a.consumed(x.size());
  }
  EXPECT_EQ(pieces, drain(b));
}

// What the peer cannot be told is not sent.
TEST(Channel, MessagesThePeerCannotTakeAreDropped) {
  auto c = config(node_a, node_b);
  c.flags &= ~flag::dist_monitor_name;
  Channel a(c);
  a.send({MonitorP{from, std::string("x"), ref(node_a, 1)}, {}});
  EXPECT_FALSE(a.has_output());
  EXPECT_EQ(a.sent_messages(), 0u);
}

// A corrupted frame ends the connection with OTP's log line; what came before it is still delivered.
TEST(Channel, CorruptionEndsTheConnection) {
  Channel a = channel_a(), b = channel_b();
  a.send(message(10));
  a.send(message(10));
  auto stream = drain(a);
  stream[stream.size() / 2 + 4] ^= 0xff;
  b.on_bytes(stream);
  auto first = b.next();
  ASSERT_TRUE(first);
  EXPECT_TRUE(*first);
  auto second = b.next();
  ASSERT_TRUE(second);
  ASSERT_FALSE(*second);
  EXPECT_EQ(second->error().reason, "killed");
  EXPECT_THAT(second->error().log[0], HasSubstr("incompatible erlang"));
}

// A length with its first byte flipped: valid lengths swallow what follows, and no frame is counted
// any more, so that net_tick_timeout ends it; impossible ones end it at once.
TEST(Channel, FlippedLength) {
  for (const uint8_t first_byte : {0x01, 0x40, 0x80}) {
    Channel a = channel_a(), b = channel_b();
    a.send(message(10));
    auto stream = drain(a);
    stream[0] = first_byte;
    for (int i = 0; i < 50; ++i) a.write_tick();
    const auto ticks = drain(a);
    stream.insert(stream.end(), ticks.begin(), ticks.end());
    b.on_bytes(stream);
    const auto next = b.next();
    EXPECT_EQ(next.has_value(), first_byte == 0x80);
    if (next) {
      EXPECT_EQ(next->error().reason, "emsgsize");
    }
    EXPECT_EQ(b.stats().received_frames, 0u);
  }
}

}  // namespace
}  // namespace distlab::dist
