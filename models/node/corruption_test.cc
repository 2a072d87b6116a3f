// What damage on the way does: the corruption table of the facts page otp-distribution.md, section
// 4, row by row. a sends to b; the accepting side b finds out. Our frames have no atom cache, so they
// are those of a peer with FRAGMENTS only (section 3).
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/node/testing/test_node.h"

namespace distlab::node {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Lab;
using testing::TestNode;
using Frame = std::vector<uint8_t>;

constexpr size_t control_at = 4 + 3;  // behind length and 131 68 0

class Corruption : public ::testing::Test {
 protected:
  Corruption() {
    b_.echo = true;
    EXPECT_TRUE(lab_.connect(a_, b_));
    lab_.world.run_for(1500ms);
    a_.received.clear();
  }

  // Sends a message to b's echo, damaged on the way, and another one 100 ms later.
  void send(const std::function<void(Frame&)>& damage) {
    lab_.world.set_tcp_hook(a_.host.address(), b_.host.address(), [&](TcpChunk& chunk) {
      if (chunk.bytes.size() > 20 && !std::exchange(done_, true)) damage(chunk.bytes);
    });
    sent_ = lab_.world.now();
    a_.send_to(b_.name(), "echo", 20);
    lab_.world.run_for(100ms);
    a_.send_to(b_.name(), "echo", 20);
    lab_.world.run_for(100ms);
  }

  // b noticed at once, with these log lines and reason `killed`; a sees a closed stream.
  void expect_killed(const ::testing::Matcher<std::vector<std::string>>& log) {
    EXPECT_TRUE(done_);
    ASSERT_EQ(b_.downs.size(), 1u);
    EXPECT_EQ(b_.downs[0].second, "killed");
    EXPECT_LE(b_.downs[0].first - sent_, 102ms);
    ASSERT_EQ(a_.downs.size(), 1u);
    EXPECT_EQ(a_.downs[0].second, "connection_closed");
    EXPECT_LE(a_.downs[0].first - b_.downs[0].first, 2ms);
    EXPECT_THAT(lab_.logs(b_), log);
    EXPECT_THAT(lab_.logs(a_), IsEmpty());
  }

  // Nobody noticed: `answers` of the two messages came back, and the link stays up.
  void expect_undetected(size_t answers) {
    EXPECT_TRUE(done_);
    EXPECT_EQ(a_.received.size(), answers);
    lab_.world.run_for(20s);
    EXPECT_THAT(a_.downs, IsEmpty());
    EXPECT_THAT(b_.downs, IsEmpty());
    EXPECT_THAT(lab_.logs(b_), IsEmpty());
  }

  // b waits for the rest of a frame that never comes.
  void expect_swallowed() {
    EXPECT_TRUE(done_);
    EXPECT_THAT(a_.received, IsEmpty());
    lab_.world.run_for(6s);
    ASSERT_EQ(b_.downs.size(), 1u);
    EXPECT_EQ(b_.downs[0].second, "net_tick_timeout");
    EXPECT_GE(b_.downs[0].first - sent_, 2900ms);
    EXPECT_LE(b_.downs[0].first - sent_, 5100ms);
  }

  Lab lab_;
  TestNode& a_ = lab_.start('a', {.net_ticktime = 4s});
  TestNode& b_ = lab_.start('b', {.net_ticktime = 4s});
  bool done_ = false;
  Time sent_{};
};

// Row "drop 5 bytes": the first bytes of the next frame fill the hole, and from there on the stream
// is out of step. Wherever the hole is, the connection does not outlive it.
class FiveBytesDropped : public Corruption, public ::testing::WithParamInterface<size_t> {};

TEST_P(FiveBytesDropped, EndTheConnection) {
  send([](Frame& frame) {
    ASSERT_LE(GetParam() + 5, frame.size());
    frame.erase(frame.begin() + ptrdiff_t(GetParam()), frame.begin() + ptrdiff_t(GetParam()) + 5);
  });
  lab_.world.run_for(6s);
  ASSERT_EQ(b_.downs.size(), 1u);
  if (b_.downs[0].second == "killed") {
    EXPECT_THAT(lab_.logs(b_), ::testing::Not(IsEmpty()));
  } else {
    EXPECT_EQ(b_.downs[0].second, "net_tick_timeout");
  }
}

INSTANTIATE_TEST_SUITE_P(Places, FiveBytesDropped, ::testing::Range<size_t>(0, 60));

TEST_F(Corruption, FiveBytesOfTheControlMessageDropped) {
  // The same row, inside the control message: noticed at once.
  send([](Frame& frame) { frame.erase(frame.begin() + control_at + 1, frame.begin() + control_at + 6); });
  expect_killed(::testing::Not(IsEmpty()));
}

TEST_F(Corruption, TheVersionByteFlipped) {
  // Row "flip byte 4 (131)".
  send([](Frame& frame) { frame[4] ^= 0x01; });
  expect_killed(ElementsAre(HasSubstr("** Got message from incompatible erlang on channel ")));
}

TEST_F(Corruption, AHeaderByteFlipped) {
  // Row "flip header / control byte": the count of atom references.
  send([](Frame& frame) { frame[6] ^= 0x40; });
  expect_killed(::testing::Contains(
      HasSubstr("got a corrupted distribution header from 'a@hosta.test' on distribution channel ")));
}

TEST_F(Corruption, AControlByteFlipped) {
  // The same row: the tag of the control tuple.
  send([](Frame& frame) { frame[control_at] ^= 0x80; });
  expect_killed(::testing::Not(IsEmpty()));
}

TEST_F(Corruption, TheFrameShorterByOne) {
  // Row "length -1": the payload ends too early.
  send([](Frame& frame) { --frame[3]; });
  expect_killed(::testing::Contains(HasSubstr("got a corrupted external term from 'a@hosta.test'")));
}

TEST_F(Corruption, TheFrameLongerByOne) {
  // Row "length +1": the frame eats the next one's first byte, and all after it is out of step; the
  // stream is never in step again, whatever is said of it first.
  send([](Frame& frame) { ++frame[3]; });
  lab_.world.run_for(6s);
  ASSERT_EQ(b_.downs.size(), 1u);
}

TEST_F(Corruption, TheHighestLengthBitsSet) {
  // Row "length MSB": everything is swallowed, and the tick timer finds it.
  send([](Frame& frame) { frame[0] = 0x01; });
  expect_swallowed();
}

TEST_F(Corruption, ThreeZeroBytesInserted) {
  // Row "+3 zero bytes": the length is misread as a large one.
  send([](Frame& frame) { frame.insert(frame.begin(), 3, 0); });
  lab_.world.run_for(6s);
  ASSERT_EQ(b_.downs.size(), 1u);
}

TEST_F(Corruption, FourZeroBytesInserted) {
  // Row "+4 zeros": a tick more. Undetected.
  send([](Frame& frame) { frame.insert(frame.begin(), 4, 0); });
  expect_undetected(2);
}

TEST_F(Corruption, TheWholeFrameDropped) {
  // Row "whole frame dropped": undetected, the call times out, the link stays up.
  send([](Frame& frame) { frame.clear(); });
  expect_undetected(1);
}

TEST_F(Corruption, TheWholeFrameDuplicated) {
  // Row "whole frame duplicated": undetected, done twice.
  send([](Frame& frame) {
    const Frame copy = frame;
    frame.insert(frame.end(), copy.begin(), copy.end());
  });
  expect_undetected(3);
}

TEST_F(Corruption, APayloadByteFlipped) {
  // No integrity check: a changed byte inside a binary is delivered as it came.
  send([](Frame& frame) { frame.back() ^= 0xff; });
  expect_undetected(2);
}

TEST_F(Corruption, TheDiallingSideNoticesAsWell) {
  // Facts section 4: whichever side receives the damage logs and kills the connection.
  lab_.world.set_tcp_hook(b_.host.address(), a_.host.address(), [&](TcpChunk& chunk) {
    if (chunk.bytes.size() > 20) chunk.bytes[4] ^= 1;
  });
  a_.send_to(b_.name(), "echo");
  lab_.world.run_for(100ms);
  ASSERT_EQ(a_.downs.size(), 1u);
  EXPECT_EQ(a_.downs[0].second, "killed");
  ASSERT_EQ(b_.downs.size(), 1u);
  EXPECT_EQ(b_.downs[0].second, "connection_closed");
}

}  // namespace
}  // namespace distlab::node
