#include "models/tunnel/loopback.h"

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "models/host/test_host.h"
#include "models/host/testing/peer.h"

namespace distlab::tunnel {
namespace {

using namespace std::chrono_literals;
using conformance::bytes_of;
using conformance::pattern;
using conformance::Peer;

class Loopback : public testing::Test {
 protected:
  void connect(LoopbackSettings settings = {}) {
    LoopbackPair pair(host_, settings);
    dist_end_ = pair.dist.get();
    bridge_end_ = pair.bridge.get();
    dist_.take(std::move(pair.dist));
    bridge_.take(std::move(pair.bridge));
  }
  void run() { world_.run_for(1ns); }

  TestWorld world_;
  TestHost& host_ = world_.add_host("a", Ipv4{0x0a000001});
  Peer dist_, bridge_;
  LoopbackEnd* dist_end_ = nullptr;
  LoopbackEnd* bridge_end_ = nullptr;
};

TEST_F(Loopback, CarriesDataBothWaysFromTheLoopOnly) {
  // Nothing arrives inside a write; all of it does at the same instant.
  connect();
  bool inside = true;
  dist_.inside = bridge_.inside = &inside;
  const Time began = world_.now();
  EXPECT_EQ(dist_.stream->write(bytes_of("name")), 4u);
  EXPECT_EQ(bridge_.stream->write(bytes_of("status")), 6u);
  dist_.stream->write(bytes_of("!"));
  EXPECT_EQ(bridge_end_->unread(), 5u);
  inside = false;
  world_.run_until([&] { return !dist_.data.empty() && !bridge_.data.empty(); }, 1s);
  EXPECT_EQ(bridge_.text() + " " + dist_.text(), "name! status");
  EXPECT_EQ(world_.now(), began);
  EXPECT_EQ(bridge_end_->received(), 5u);
  EXPECT_EQ(dist_end_->received(), 6u);
}

TEST_F(Loopback, TheBridgeReadsAtMostItsBuffer) {
  // recv(S, 0) of a raw socket gives up to 1460 bytes (facts section 1.2 step 7): 200 kB in 137 receives
  // when they are all there (the facts counted 138).
  LoopbackPair pair(host_, {});
  struct Reads : StreamHandler {
    std::vector<size_t> sizes;
    void on_data(Bytes data) override { sizes.push_back(data.size()); }
    void on_closed(NetError) override {}
  } reads;
  pair.bridge->set_handler(reads);
  pair.dist->write(pattern(200'016));
  run();
  EXPECT_EQ(reads.sizes.size(), 137u);
  for (size_t i = 0; i + 1 < reads.sizes.size(); ++i) EXPECT_EQ(reads.sizes[i], 1460u);
  EXPECT_EQ(reads.sizes.back(), 200'016 % 1460);
}

TEST_F(Loopback, AReaderThatStopsHoldsTheWriterBack) {
  // Both buffers fill; on_writable comes once a third of the send buffer is free, and all bytes arrive in
  // order.
  connect({.send_buffer = 3000, .receive_buffer = 1000, .bridge_read = 500});
  bridge_.stream->set_reading(false);
  const auto sent = pattern(10'000);
  size_t at = dist_.stream->write(sent);
  EXPECT_EQ(at, 4000u);
  EXPECT_EQ(dist_.stream->write(bytes_of("x")), 0u);
  run();
  EXPECT_EQ(dist_.writable, 0);
  EXPECT_TRUE(bridge_.data.empty());

  bridge_.then = [&] {
    if (bridge_.data.size() == 500) bridge_.stream->set_reading(false);
  };
  bridge_.stream->set_reading(true);
  run();
  EXPECT_EQ(bridge_.data.size(), 500u);
  EXPECT_EQ(dist_.writable, 0) << "too little room";

  dist_.then = [&] { at += dist_.stream->write(Bytes(sent).subspan(at)); };
  bridge_.stream->set_reading(true);
  run();
  EXPECT_EQ(bridge_.data, sent);
  EXPECT_GE(dist_.writable, 2);
}

TEST_F(Loopback, CloseFinishesAfterAllData) {
  // What was written arrives, then closed; a reader that is off is told of neither.
  connect();
  bridge_.stream->set_reading(false);
  dist_.stream->write(bytes_of("last words"));
  dist_.stream->close();
  run();
  EXPECT_TRUE(bridge_.data.empty());
  EXPECT_FALSE(bridge_.closed);
  bridge_.stream->set_reading(true);
  run();
  EXPECT_EQ(bridge_.text(), "last words");
  EXPECT_EQ(bridge_.closed, NetError::closed);
  EXPECT_EQ(bridge_.stream->write(bytes_of("x")), 0u);
  EXPECT_EQ(dist_.stream->write(bytes_of("x")), 0u);
  EXPECT_FALSE(dist_.closed) << "who closes hears nothing";
}

TEST_F(Loopback, ClosingWithDataUnreadResets) {
  // As a kernel does; and a reset is told even with reading off.
  connect();
  bridge_.stream->set_reading(false);
  dist_.stream->set_reading(false);
  dist_.stream->write(bytes_of("unread"));
  bridge_.stream->close();
  run();
  EXPECT_EQ(dist_.closed, NetError::reset);
}

TEST_F(Loopback, AbortResets) {
  // What was under way is gone.
  connect();
  dist_.stream->write(bytes_of("lost"));
  dist_.stream->abort();
  run();
  EXPECT_EQ(bridge_.closed, NetError::reset);
  EXPECT_TRUE(bridge_.data.empty());
}

TEST_F(Loopback, WritingToAnEndThatIsGoneSucceedsUntilItIsTold) {
  // The kernel takes the bytes, and the reset comes back later.
  connect();
  dist_.stream->set_reading(false);
  bridge_.stream.reset();
  EXPECT_EQ(dist_.stream->write(bytes_of("void")), 4u);
  dist_.stream->set_reading(true);
  run();
  EXPECT_EQ(dist_.closed, NetError::closed);
}

TEST_F(Loopback, AnEndCanBeDestroyedInAnyOfItsCallbacks) {
  // In on_data with more waiting, in on_writable and in on_closed; the peer hears of it. (A sanitizer
  // build sees use after free.)
  for (const char* where : {"data", "writable", "closed"}) {
    connect({.send_buffer = 3000, .receive_buffer = 1000, .bridge_read = 500});
    struct Destroys : StreamHandler {
      std::unique_ptr<ByteStream> stream;
      std::string in;
      int after = 0;
      void meet(const std::string& here) {
        if (!stream) ++after;
        if (here == in) stream.reset();
      }
      void on_data(Bytes) override { meet("data"); }
      void on_writable() override { meet("writable"); }
      void on_closed(NetError) override { meet("closed"); }
    } destroys;
    destroys.in = where;
    destroys.stream = std::move(bridge_.stream);
    destroys.stream->set_handler(destroys);
    dist_.stream->write(pattern(2000));
    destroys.stream->write(pattern(5000));
    run();
    if (std::string(where) == "closed") dist_.stream->close();
    run();
    EXPECT_FALSE(destroys.stream) << where;
    EXPECT_EQ(destroys.after, 0) << where;
    EXPECT_EQ(dist_.closed.has_value(), std::string(where) != "closed") << where;
    dist_ = Peer();
  }
}

TEST_F(Loopback, EitherEndMayGoFirst) {
  // With data under way in both directions and the event still to come.
  for (const bool dist_first : {true, false}) {
    LoopbackPair pair(host_, {});
    Peer dist, bridge;
    pair.dist->set_handler(dist);
    pair.bridge->set_handler(bridge);
    pair.dist->write(bytes_of("to bridge"));
    pair.bridge->write(bytes_of("to dist"));
    (dist_first ? pair.dist : pair.bridge).reset();
    (dist_first ? pair.bridge : pair.dist).reset();
    run();
    EXPECT_TRUE(dist.data.empty() && bridge.data.empty());
  }
}

}  // namespace
}  // namespace distlab::tunnel
