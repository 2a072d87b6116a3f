// The network of TestWorld: delays, buffers, holds, black holes, hooks.
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "models/host/test_host.h"
#include "models/host/testing/peer.h"

namespace distlab {
namespace {

using namespace std::chrono_literals;
using conformance::bytes_of;
using conformance::Datagrams;
using conformance::Peer;

class TestNetTest : public testing::Test {
 protected:
  TestWorld world_;
  TestHost& a_ = world_.add_host("a", Ipv4{0x0a000001});
  TestHost& b_ = world_.add_host("b", Ipv4{0x0a000002});
  const Ipv4 from_ = a_.address(), to_ = b_.address();
  Peer client_, server_;
  std::unique_ptr<TcpListener> listener_;

  void listen() {
    listener_ = *b_.listen_tcp({any_address, 9100},
                               [this](std::unique_ptr<ByteStream> stream) { server_.take(std::move(stream)); });
  }
  void dial() { client_.stream = a_.connect_tcp({to_, 9100}, client_); }
  void connect() {
    listen();
    dial();
    ASSERT_TRUE(world_.run_until([&] { return client_.connected == 1 && server_.stream; }, 10s));
  }
  Duration elapsed() const { return world_.now() - run_start; }
};

TEST_F(TestNetTest, ConnectingTakesARoundTrip) {
  // And the far end has the connection one way later; each direction has its own delay.
  world_.set_delay(from_, to_, 30ms);
  world_.set_delay(to_, from_, 50ms);
  listen();
  dial();
  ASSERT_TRUE(world_.run_until([&] { return client_.connected == 1; }, 10s));
  EXPECT_EQ(elapsed(), 80ms);
  ASSERT_TRUE(world_.run_until([&] { return server_.stream != nullptr; }, 10s));
  EXPECT_EQ(elapsed(), 110ms);
  server_.stream->write(bytes_of("x"));
  ASSERT_TRUE(world_.run_until([&] { return !client_.data.empty(); }, 10s));
  EXPECT_EQ(elapsed(), 160ms);
}

TEST_F(TestNetTest, ConnectingCanBeInstant) {
  // Data still takes its time.
  world_.tcp().instant_connect = true;
  world_.set_default_delay(50ms);
  connect();
  EXPECT_EQ(elapsed(), 0ms);
  client_.stream->write(bytes_of("x"));
  ASSERT_TRUE(world_.run_until([&] { return !server_.data.empty(); }, 10s));
  EXPECT_EQ(elapsed(), 50ms);
}

TEST_F(TestNetTest, AnUnknownAddressTimesOut) {
  // After 127 s, as Linux gives up its seven SYNs.
  client_.stream = a_.connect_tcp({Ipv4{0x0a0000ff}, 9100}, client_);
  world_.run_for(tcp_connect_timeout - 1ms);
  EXPECT_FALSE(client_.closed);
  world_.run_for(1ms);
  EXPECT_EQ(client_.closed, NetError::timed_out);
}

TEST_F(TestNetTest, ALostSynIsRepeated) {
  // After 1 s, then 2 s more: a path that is back at 2.5 s connects at 3 s.
  listen();
  world_.black_hole(from_, to_);
  dial();
  world_.run_for(2500ms);
  world_.black_hole(from_, to_, false);
  ASSERT_TRUE(world_.run_until([&] { return client_.connected == 1; }, 10s));
  EXPECT_EQ(elapsed(), 3002ms);
}

TEST_F(TestNetTest, ALostSynAckIsRepeatedToo) {
  // The far kernel knows the half-open connection and makes no second one.
  int accepted = 0;
  listener_ = *b_.listen_tcp({any_address, 9100}, [&](std::unique_ptr<ByteStream> stream) {
    ++accepted;
    server_.take(std::move(stream));
  });
  world_.black_hole(to_, from_);
  dial();
  world_.run_for(500ms);
  world_.black_hole(to_, from_, false);
  world_.run_for(10s);
  EXPECT_EQ(client_.connected, 1);
  EXPECT_EQ(accepted, 1);
}

TEST_F(TestNetTest, ShrinkingADelayDoesNotReorder) {
  // TCP's bytes keep their order when later ones could overtake.
  connect();
  world_.set_delay(from_, to_, 10s);
  client_.stream->write(bytes_of("slow "));
  world_.set_delay(from_, to_, 1ms);
  client_.stream->write(bytes_of("fast"));
  world_.run_for(9s);
  EXPECT_EQ(server_.text(), "");
  world_.run_for(2s);
  EXPECT_EQ(server_.text(), "slow fast");
}

TEST_F(TestNetTest, ChunksAreNoLargerThanAsked) {
  // One byte per on_data: what parsers must survive.
  world_.tcp().chunk = 1;
  connect();
  int calls = 0;
  server_.then = [&] { ++calls; };
  client_.stream->write(bytes_of("abcdef"));
  world_.run_for(1s);
  EXPECT_EQ(calls, 6);
  EXPECT_EQ(server_.text(), "abcdef");
}

TEST_F(TestNetTest, BuffersAreBounded) {
  // A reader that is off: send buffer plus receive buffer and not a byte more.
  world_.tcp().send_buffer = 1000;
  world_.tcp().receive_buffer = 500;
  connect();
  server_.stream->set_reading(false);
  const std::vector<uint8_t> block(10'000);
  size_t written = client_.stream->write(block);
  EXPECT_EQ(written, 1000u);
  client_.then = [&] { written += client_.stream->write(block); };
  world_.run_for(1s);
  EXPECT_EQ(written, 1500u);
  EXPECT_EQ(client_.stream->write(block), 0u);
  client_.then = nullptr;
  const int before = client_.writable;
  server_.stream->set_reading(true);
  world_.run_for(1s);
  EXPECT_EQ(server_.data.size(), 1500u);
  EXPECT_EQ(client_.writable, before + 1);
}

TEST_F(TestNetTest, TheWindowLimitsThroughput) {
  // At most one receive buffer per round trip, as TCP without window scaling over a long path.
  world_.tcp().receive_buffer = 10'000;
  world_.set_default_delay(100ms);
  connect();
  client_.stream->write(std::vector<uint8_t>(50'000));
  const Time start = world_.now();
  ASSERT_TRUE(world_.run_until([&] { return server_.data.size() == 50'000; }, 60s));
  EXPECT_EQ(world_.now() - start, 900ms);
}

TEST_F(TestNetTest, HeldBytesAreReleasedInOrder) {
  // Only the held direction waits; nothing is lost.
  connect();
  world_.hold(from_, to_);
  client_.stream->write(bytes_of("one "));
  world_.run_for(3s);
  client_.stream->write(bytes_of("two"));
  server_.stream->write(bytes_of("back"));
  world_.run_for(1s);
  EXPECT_EQ(server_.text(), "");
  EXPECT_EQ(client_.text(), "back");
  world_.release(from_, to_);
  EXPECT_EQ(server_.text(), "") << "only from the event loop";
  world_.run_for(0s);
  EXPECT_EQ(server_.text(), "one two");
}

TEST_F(TestNetTest, ABlackHoleSwallowsUntilItIsLifted) {
  // TCP resends; UDP and the RST of a killed process are gone for good.
  connect();
  Datagrams datagrams, none;
  const auto socket = b_.open_udp({any_address, 9}, datagrams);
  const auto sender = a_.open_udp({any_address, 0}, none);
  world_.black_hole(from_, to_);
  client_.stream->write(bytes_of("late"));
  (*sender)->send_to({to_, 9}, bytes_of("gone"));
  world_.run_for(60s);
  EXPECT_EQ(server_.text(), "");
  world_.black_hole(from_, to_, false);
  world_.run_for(0s);
  EXPECT_EQ(server_.text(), "late");
  EXPECT_TRUE(datagrams.got.empty());
  world_.black_hole(from_, to_);
  client_.stream->abort();
  world_.run_for(60s);
  world_.black_hole(from_, to_, false);
  world_.run_for(60s);
  EXPECT_FALSE(server_.closed) << "half-open until it writes";
  server_.stream->write(bytes_of("anybody there?"));
  world_.run_for(1s);
  EXPECT_EQ(server_.closed, NetError::reset);
}

TEST_F(TestNetTest, UnacknowledgedDataGivesUp) {
  // ETIMEDOUT after 924.6 s (tcp_retries2 = 15), also when only the acknowledgements are lost.
  connect();
  world_.black_hole(to_, from_);
  client_.stream->write(bytes_of("x"));
  world_.run_for(924s);
  EXPECT_EQ(server_.text(), "x");
  EXPECT_FALSE(client_.closed);
  world_.run_for(2s);
  EXPECT_EQ(client_.closed, NetError::timed_out);
}

TEST_F(TestNetTest, ATcpHookChangesChunks) {
  // It sees who sends what as which chunk, and may drop, flip and insert bytes.
  listen();
  std::vector<std::string> seen;
  world_.set_tcp_hook(from_, to_, [&](TcpChunk& chunk) {
    EXPECT_EQ(chunk.to.port, 9100);
    seen.emplace_back(chunk.bytes.begin(), chunk.bytes.end());
    EXPECT_EQ(chunk.index + 1, seen.size());
    if (chunk.index == 1) chunk.bytes.clear();
    if (chunk.index == 2) chunk.bytes[0] ^= 0x20;
    if (chunk.index == 3) chunk.bytes.insert(chunk.bytes.begin(), {'<', '<', '<'});
  });
  dial();
  world_.run_for(1s);
  for (const char* text : {"one ", "two ", "three ", "four"}) client_.stream->write(bytes_of(text));
  server_.stream->write(bytes_of("untouched"));
  world_.run_for(1s);
  EXPECT_EQ(seen, (std::vector<std::string>{"one ", "two ", "three ", "four"}));
  EXPECT_EQ(server_.text(), "one Three <<<four");
  EXPECT_EQ(client_.text(), "untouched");
}

TEST_F(TestNetTest, AHookDoesNotDisturbTheWindow) {
  // Bytes it drops or adds count for the sender as what it wrote: the stream does not stall.
  world_.tcp().receive_buffer = 1000;
  world_.set_tcp_hook(from_, to_, [](TcpChunk& chunk) {
    if (chunk.index % 2 == 0) {
      chunk.bytes.clear();
    } else {
      chunk.bytes.resize(chunk.bytes.size() * 3);
    }
  });
  connect();
  client_.stream->write(std::vector<uint8_t>(10'000));
  client_.stream->close();
  ASSERT_TRUE(world_.run_until([&] { return server_.closed.has_value(); }, 10s));
  EXPECT_EQ(server_.closed, NetError::closed);
  EXPECT_EQ(server_.data.size(), 15'000u);
}

TEST_F(TestNetTest, AUdpHookLosesAndDelays) {
  // Datagrams may overtake each other, as they do.
  Datagrams datagrams, none;
  const auto socket = b_.open_udp({any_address, 9}, datagrams);
  const auto sender = a_.open_udp({any_address, 0}, none);
  world_.set_udp_hook(from_, to_, [](Endpoint, Endpoint, Bytes datagram) -> std::optional<Duration> {
    if (datagram[0] == 'l') return std::nullopt;
    return datagram[0] == 's' ? 100ms : 0ms;
  });
  for (const char* text : {"slow", "lost", "quick"}) EXPECT_TRUE((*sender)->send_to({to_, 9}, bytes_of(text)));
  world_.run_for(1s);
  ASSERT_EQ(datagrams.got.size(), 2u);
  EXPECT_EQ(datagrams.got[0].second, "quick");
  EXPECT_EQ(datagrams.got[1].second, "slow");
  EXPECT_FALSE((*sender)->send_to({to_, 9}, std::vector<uint8_t>(65'508)));
}

TEST_F(TestNetTest, ClosingWithUnreadDataResets) {
  // tcp_close(): unread data in the receive queue makes the close an abort.
  connect();
  server_.stream->set_reading(false);
  client_.stream->write(bytes_of("never read"));
  world_.run_for(1s);
  server_.stream->close();
  world_.run_for(1s);
  EXPECT_EQ(client_.closed, NetError::reset);
}

TEST_F(TestNetTest, WritingToAClosedPeerResets) {
  // Data in flight towards a socket its process has closed is answered with RST.
  connect();
  server_.stream->close();
  client_.stream->write(bytes_of("crossing"));
  world_.run_for(1s);
  EXPECT_TRUE(client_.closed.has_value());
  EXPECT_TRUE(server_.data.empty());
}

TEST_F(TestNetTest, DestroyingAListenerResetsItsBacklog) {
  // Connections completed by the kernel and not yet accepted.
  connect();
  b_.freeze();
  Peer waiting;
  waiting.stream = a_.connect_tcp({to_, 9100}, waiting);
  world_.run_for(1s);
  EXPECT_EQ(waiting.connected, 1);
  listener_.reset();
  b_.thaw();
  world_.run_for(1s);
  EXPECT_EQ(waiting.closed, NetError::reset);
}

TEST_F(TestNetTest, RunsAreReproducible) {
  // The same script twice gives the same bytes at the same times.
  const auto run = [] {
    TestWorld world(9);
    TestHost& a = world.add_host("a", Ipv4{1});
    TestHost& b = world.add_host("b", Ipv4{2});
    world.tcp() = {.send_buffer = 3000, .receive_buffer = 2000, .chunk = 700};
    std::vector<std::pair<Time, size_t>> trace;
    Peer client, server;
    server.then = [&] { trace.emplace_back(world.now(), server.data.size()); };
    const auto listener =
        b.listen_tcp({any_address, 1}, [&](std::unique_ptr<ByteStream> s) { server.take(std::move(s)); });
    client.stream = a.connect_tcp({b.address(), 1}, client);
    client.then = [&] {
      client.stream->write(std::vector<uint8_t>(4000 + a.random("size").below(1000)));
      world.set_delay(a.address(), b.address(), a.random("delay").between(1ms, 20ms));
    };
    world.run_for(10s);
    return trace;
  };
  const auto first = run();
  EXPECT_GT(first.size(), 10u);
  EXPECT_EQ(run(), first);
}

}  // namespace
}  // namespace distlab
