#include "models/tunnel/message_faults.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace distlab::tunnel {
namespace {

constexpr std::string_view peer = "b@host";

class MessageFaultsTest : public testing::Test {
 protected:
  // What becomes of these messages, one character each; letters of different topics do not mix.
  std::string send(std::string_view letters, const std::string& topic = "t") {
    out_.clear();
    for (const char letter : letters) {
      const std::vector<uint8_t> message(size_, uint8_t(letter));
      faults_.apply(std::string(peer), topic, message, [this, &topic](const std::string& to, Bytes sent) {
        EXPECT_EQ(to, topic);
        EXPECT_EQ(sent.size(), size_);
        out_ += char(sent.back());
      });
    }
    return out_;
  }
  void add(MessageFaultKind kind, uint64_t nth, uint64_t count = 1, size_t min_size = 0) {
    faults_.add(std::string(peer), {kind, nth, count, min_size, [this] { ++done_; }});
  }

  MessageFaults faults_;
  size_t size_ = 3;
  std::string out_;
  int done_ = 0;
};

TEST_F(MessageFaultsTest, EachKindDoesWhatItSays) {
  // To the second message, counted from the moment it was asked for; then all is as before.
  const std::vector<std::pair<MessageFaultKind, std::string>> kinds{{MessageFaultKind::drop, "acd"},
                                                                    {MessageFaultKind::duplicate, "abbcd"},
                                                                    {MessageFaultKind::swap, "acbd"},
                                                                    {MessageFaultKind::replay, "abcbd"},
                                                                    {MessageFaultKind::corrupt, "accd"}};
  int times = 0;
  for (const auto& [kind, expected] : kinds) {
    add(kind, 2);
    EXPECT_TRUE(faults_.pending(peer));
    EXPECT_EQ(send("abcd"), expected) << to_string(kind);
    EXPECT_EQ(done_, ++times);
    EXPECT_FALSE(faults_.pending(peer));
    EXPECT_EQ(send("abcd"), "abcd");
  }
}

TEST_F(MessageFaultsTest, SeveralInARow) {
  // `count` messages from the n-th on; a swap passes each on behind the next.
  add(MessageFaultKind::drop, 2, 2);
  EXPECT_EQ(send("abcd"), "ad");
  EXPECT_EQ(done_, 2);
  add(MessageFaultKind::drop, 1, ~uint64_t{0});
  EXPECT_EQ(send("abcd"), "");
  EXPECT_TRUE(faults_.pending(peer));
}

TEST_F(MessageFaultsTest, EachFaultCountsForItself) {
  // Two faults at once, at different places; of two at one place the first added is done.
  add(MessageFaultKind::drop, 3);
  add(MessageFaultKind::duplicate, 1);
  EXPECT_EQ(send("abcd"), "aabd");
  add(MessageFaultKind::drop, 1);
  add(MessageFaultKind::duplicate, 1);
  EXPECT_EQ(send("ab"), "b");
}

TEST_F(MessageFaultsTest, SmallMessagesNeedNotCount) {
  // As when the n-th message with payload is meant, whatever ticks go between.
  add(MessageFaultKind::drop, 2, 1, 100);
  EXPECT_EQ(send("abc"), "abc");
  size_ = 100;
  EXPECT_EQ(send("ABC"), "AC");
}

TEST_F(MessageFaultsTest, AHeldMessageStaysWithItsTunnel) {
  // A swapped message waits for the next one of its own topic.
  add(MessageFaultKind::swap, 1);
  EXPECT_EQ(send("a", "first"), "");
  EXPECT_EQ(send("xy", "second"), "xy");
  EXPECT_EQ(send("b", "first"), "ba");
  EXPECT_FALSE(faults_.pending(peer));
}

TEST_F(MessageFaultsTest, OtherPeersAreLeftAlone) {
  // And what counts no message does nothing.
  faults_.add("c@host", {MessageFaultKind::drop});
  add(MessageFaultKind::drop, 0);
  add(MessageFaultKind::drop, 1, 0);
  EXPECT_FALSE(faults_.pending(peer));
  EXPECT_TRUE(faults_.pending("c@host"));
  EXPECT_EQ(send("ab"), "ab");
}

}  // namespace
}  // namespace distlab::tunnel
