// Two streams joined behave as one connection does: bytes in order, back-pressure, an end that is passed on.
#include "models/gateway/pipe.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "models/host/test_host.h"
#include "models/host/testing/peer.h"

namespace distlab::gateway {
namespace {

using namespace std::chrono_literals;
using conformance::bytes_of;
using conformance::pattern;
using conformance::Peer;

constexpr Endpoint left_port{Ipv4{0x0a000001}, 1000};
constexpr Endpoint right_port{Ipv4{0x0a000003}, 1000};

// left -- middle -- right: the pipe joins the middle's two connections.
class PipeTest : public testing::Test {
 protected:
  PipeTest() {
    left_listener_ = *left_.listen_tcp(left_port, [this](auto stream) { left.take(std::move(stream)); });
    right_listener_ = *right_.listen_tcp(right_port, [this](auto stream) { right.take(std::move(stream)); });
  }

  void join(const std::string& early = "") {
    Peer to_left, to_right;
    to_left.stream = middle_.connect_tcp(left_port, to_left);
    to_right.stream = middle_.connect_tcp(right_port, to_right);
    ASSERT_TRUE(world_.run_until([&] { return to_left.connected == 1 && to_right.connected == 1; }, 1s));
    ASSERT_TRUE(world_.run_until([&] { return left.stream && right.stream; }, 1s));
    pipe = std::make_unique<Pipe>(middle_, std::move(to_left.stream), std::move(to_right.stream),
                                  std::vector<uint8_t>(early.begin(), early.end()), [this] { ++over; });
  }
  void write(Peer& to, std::string_view text) { to.stream->write(bytes_of(text)); }

  TestWorld world_;
  TestHost& left_ = world_.add_host("left", left_port.address);
  TestHost& middle_ = world_.add_host("middle", Ipv4{0x0a000002});
  TestHost& right_ = world_.add_host("right", right_port.address);
  std::unique_ptr<TcpListener> left_listener_, right_listener_;

 public:
  Peer left, right;
  std::unique_ptr<Pipe> pipe;
  int over = 0;
};

// What came early goes first, then everything in order, both ways.
TEST_F(PipeTest, PassesBytesBothWaysAndWhatCameEarlyFirst) {
  join("hello ");
  write(left, "world");
  write(right, "back");
  world_.run_for(1s);
  EXPECT_EQ(right.text(), "hello world");
  EXPECT_EQ(left.text(), "back");
  EXPECT_EQ(over, 0);
}

// A reader that does not read stops the writer at the far side, and nothing is lost when it reads again.
TEST_F(PipeTest, HoldsTheFasterSideBack) {
  join();
  const std::vector<uint8_t> much = pattern(8 << 20);
  right.stream->set_reading(false);
  size_t taken = 0;
  const auto push = [&] { taken += left.stream->write(Bytes(much).subspan(taken)); };
  left.then = [&] {
    if (left.writable > 0) push();
  };
  push();
  world_.run_for(10s);
  EXPECT_LT(taken, much.size()) << "somebody buffers without a bound";
  right.stream->set_reading(true);
  world_.run_for(60s);
  EXPECT_EQ(taken, much.size());
  EXPECT_EQ(right.data, much);
}

// An orderly end comes after all bytes, also those that had to wait.
TEST_F(PipeTest, PassesAnOrderlyEndOnBehindAllBytes) {
  join();
  const std::vector<uint8_t> much = pattern(400'000);
  right.stream->set_reading(false);
  size_t taken = left.stream->write(much);
  world_.run_for(5s);
  taken += left.stream->write(Bytes(much).subspan(taken));
  world_.run_for(5s);
  ASSERT_EQ(taken, much.size());
  left.stream->close();
  world_.run_for(5s);
  right.stream->set_reading(true);
  world_.run_for(5s);
  EXPECT_EQ(right.data, much);
  EXPECT_EQ(right.closed, NetError::closed);
  EXPECT_EQ(over, 1);
}

// A reset is passed on as one.
TEST_F(PipeTest, PassesAResetOn) {
  join();
  right.stream->abort();
  world_.run_for(1s);
  EXPECT_EQ(left.closed, NetError::reset);
  EXPECT_EQ(over, 1);
}

// Destroying the pipe ends both connections.
TEST_F(PipeTest, ClosesBothEndsWhenItIsDestroyed) {
  join();
  pipe.reset();
  world_.run_for(1s);
  EXPECT_EQ(left.closed, NetError::closed);
  EXPECT_EQ(right.closed, NetError::closed);
}

}  // namespace
}  // namespace distlab::gateway
