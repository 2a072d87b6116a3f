#include "real/ground/courier.h"

#include <array>
#include <csignal>
#include <string>
#include <tuple>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace distlab::ground {
namespace {

using Message = std::tuple<MessageKind, uint32_t, std::string>;

Bytes bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string text_of(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

class CourierTest : public testing::Test {
 protected:
  CourierTest() {
    std::signal(SIGPIPE, SIG_IGN);
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_NONBLOCK), 0);
    reader_ = lab::Fd(ends[0]);
    writer_ = lab::Fd(ends[1]);
  }

  // All that the pipe has now.
  std::string drain() const {
    std::string out;
    std::array<char, 65536> buffer{};
    for (ssize_t size = 0; (size = ::read(reader_.get(), buffer.data(), buffer.size())) > 0;)
      out.append(buffer.data(), static_cast<size_t>(size));
    return out;
  }

  static std::vector<Message> messages_in(const std::vector<std::string>& pieces) {
    std::vector<Message> out;
    MessageReader messages;
    for (const std::string& piece : pieces)
      messages.feed(bytes_of(piece), [&](MessageKind kind, uint32_t source, Bytes content) {
        out.emplace_back(kind, source, text_of(content));
      });
    return out;
  }

  Loop loop_ = std::move(*Loop::make(Clock(Clock::monotonic())));
  lab::Fd reader_, writer_;
};

const std::vector<Message> examples = {{MessageKind::origin, 0, "123"},
                                       {MessageKind::events, 0xfffffffe, std::string("\0\x01\xff", 3)},
                                       {MessageKind::lost_tail, 7, ""},
                                       {MessageKind::events, 256, std::string(300, 'e')},
                                       {MessageKind::result, 0, "{}"}};

// Messages are found again wherever the stream of their bytes is cut in two, and byte by byte.
TEST_F(CourierTest, BoundariesAtEverySplit) {
  Courier courier(loop_, writer_.get());
  for (const auto& [kind, source, text] : examples) courier.send(kind, source, bytes_of(text));
  const std::string stream = drain();
  for (size_t at = 0; at <= stream.size(); ++at)
    ASSERT_EQ(messages_in({stream.substr(0, at), stream.substr(at)}), examples) << at;
  std::vector<std::string> single;
  for (const char byte : stream) single.emplace_back(1, byte);
  EXPECT_EQ(messages_in(single), examples);
}

// A message whose end has not come is not given out.
TEST_F(CourierTest, WaitsForTheEndOfAMessage) {
  Courier courier(loop_, writer_.get());
  courier.send(MessageKind::events, 1, bytes_of("whole"));
  courier.send(MessageKind::events, 2, bytes_of("cut off"));
  std::string stream = drain();
  stream.pop_back();
  EXPECT_EQ(messages_in({stream}), (std::vector<Message>{{MessageKind::events, 1, "whole"}}));
}

// With a reader that takes nothing for a while, nothing waits and nothing is lost: all comes in order later.
TEST_F(CourierTest, KeepsWhatAReaderDoesNotTake) {
  Courier courier(loop_, writer_.get());
  std::vector<Message> sent;
  for (uint32_t i = 0; i < 200; ++i) {
    sent.emplace_back(MessageKind::events, i, std::string(10'000 + i, static_cast<char>('a' + i % 26)));
    courier.send(MessageKind::events, i, bytes_of(std::get<2>(sent.back())));
  }
  bool empty = false;
  courier.when_empty([&] {
    empty = true;
    loop_.stop();
  });
  EXPECT_FALSE(empty);
  std::vector<std::string> pieces;
  std::function<void()> read_some = [&] {
    pieces.push_back(drain());
    loop_.after(std::chrono::microseconds{100}, read_some);
  };
  read_some();
  loop_.run();
  EXPECT_TRUE(empty);
  pieces.push_back(drain());
  EXPECT_EQ(messages_in(pieces), sent);
}

// Nothing to send is all sent.
TEST_F(CourierTest, IsEmptyAtFirst) {
  Courier courier(loop_, writer_.get());
  bool empty = false;
  courier.when_empty([&] { empty = true; });
  EXPECT_TRUE(empty);
}

// A reader that is gone stops the loop, at once or when the pipe is tried again.
TEST_F(CourierTest, StopsWithoutAReader) {
  Courier courier(loop_, writer_.get());
  courier.send(MessageKind::events, 1, bytes_of(std::string(1 << 20, 'x')));
  reader_.reset();
  loop_.run();
  courier.send(MessageKind::events, 2, bytes_of("more"));
  bool told = false;
  courier.when_empty([&] { told = true; });
  loop_.run();
  EXPECT_FALSE(told);
}

}  // namespace
}  // namespace distlab::ground
