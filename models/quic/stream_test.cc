// Streams and datagrams: order, loss, back-pressure, resets, limits.
#include <numeric>

#include <gtest/gtest.h>

#include "models/quic/testing/peers.h"

namespace distlab::quic {
namespace {

using namespace std::chrono_literals;
using testing::bytes_of;
using testing::Pair;
using testing::Peer;

std::string pattern(size_t size) {
  std::string text(size, ' ');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 251 % 26);
  return text;
}

// Drops every n-th datagram in both directions.
void lose_every(Pair& pair, int n) {
  auto count = std::make_shared<int>(0);
  const UdpHook hook = [count, n](Endpoint, Endpoint, Bytes) -> std::optional<Duration> {
    if (++*count % n == 0) return std::nullopt;
    return Duration{0};
  };
  pair.world.set_udp_hook(testing::client_address, testing::server_address, hook);
  pair.world.set_udp_hook(testing::server_address, testing::client_address, hook);
}

// Writes all of the text as the buffer allows, then the end.
class Sender {
 public:
  Sender(Peer& peer, StreamId stream, std::string text) : peer_(peer), stream_(stream), text_(std::move(text)) {
    peer_.on_room = [this](StreamId) { push(); };
    push();
  }
  void push() {
    done_ += peer_.write(stream_, std::string_view(text_).substr(done_));
    most_buffered_ = std::max(most_buffered_, peer_.connection->buffered(stream_));
    if (done_ == text_.size()) peer_.connection->finish(stream_);
  }
  size_t done() const { return done_; }
  size_t most_buffered() const { return most_buffered_; }

 private:
  Peer& peer_;
  StreamId stream_;
  std::string text_;
  size_t done_ = 0, most_buffered_ = 0;
};

// Proves that ten megabytes arrive whole and in order although every 37th packet is lost, and that
// the sender's buffer is bounded.
TEST(QuicStream, BulkWithLoss) {
  Pair pair;
  pair.client_settings.transport.send_buffer = 1 << 20;
  lose_every(pair, 37);
  ASSERT_TRUE(pair.connect());
  const StreamId stream = pair.client.connection->open_stream().value();
  const std::string text = pattern(10'000'000);
  const Sender sender(pair.client, stream, text);
  EXPECT_EQ(sender.done(), size_t{1} << 20);
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server().finished[stream]; }, 10min));
  EXPECT_TRUE(pair.server().received[stream] == text);
  EXPECT_EQ(sender.most_buffered(), size_t{1} << 20);
  const ConnectionStats stats = pair.client.connection->stats();
  EXPECT_GT(stats.packets_lost, 100U);
  EXPECT_GT(stats.bytes_sent, text.size());
  EXPECT_NEAR(to_seconds(stats.smoothed_rtt), 0.020, 0.005);
}

// Proves that packets that overtake each other change neither bytes nor order.
TEST(QuicStream, BulkOutOfOrder) {
  Pair pair;
  RandomStream random(1, "test", "jitter");
  const UdpHook jitter = [&](Endpoint, Endpoint, Bytes) -> std::optional<Duration> {
    return random.between(0ms, 30ms);
  };
  pair.world.set_udp_hook(testing::client_address, testing::server_address, jitter);
  pair.world.set_udp_hook(testing::server_address, testing::client_address, jitter);
  ASSERT_TRUE(pair.connect());
  const StreamId stream = pair.client.connection->open_stream().value();
  const std::string text = pattern(1'000'000);
  const Sender sender(pair.client, stream, text);
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server().finished[stream]; }, 10min));
  EXPECT_TRUE(pair.server().received[stream] == text);
}

// Proves that a reader that stops stops the sender, within the window, and that nothing is lost
// when it goes on.
TEST(QuicStream, BackPressure) {
  Pair pair;
  pair.client_settings.transport.send_buffer = 200'000;
  pair.server_settings.transport.stream_window = 100'000;
  ASSERT_TRUE(pair.connect());
  const StreamId stream = pair.client.connection->open_stream().value();
  pair.client.write(stream, "x");
  ASSERT_TRUE(pair.world.run_until([&] { return !pair.server().received[stream].empty(); }, 1s));
  pair.server().connection->set_reading(stream, false);
  const std::string text = pattern(1'000'000);
  const Sender sender(pair.client, stream, text);
  pair.world.run_for(1min);
  EXPECT_EQ(pair.server().received[stream].size(), 1U);
  EXPECT_LE(sender.done(), 300'000U);
  EXPECT_GE(sender.done(), 250'000U);  // room is told of by the quarter
  EXPECT_LE(pair.client.connection->buffered(stream), 200'000U);
  pair.server().connection->set_reading(stream, true);
  EXPECT_EQ(pair.server().received[stream].size(), 1U) << "a callback from inside a call";
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server().finished[stream]; }, 1min));
  EXPECT_TRUE(pair.server().received[stream] == "x" + text);
}

// Proves that a reader may stop from inside the callback, piece by piece.
TEST(QuicStream, ReadingPieceByPiece) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  const StreamId stream = pair.client.connection->open_stream().value();
  Peer& server = pair.server();
  int pieces = 0;
  server.on_data = [&](StreamId id, Bytes data, bool) {
    ++pieces;
    EXPECT_LE(data.size(), 64U * 1024);
    server.connection->set_reading(id, false);
    pair.world.after(100ms, [&server, id] { server.connection->set_reading(id, true); });
  };
  const std::string text = pattern(500'000);
  const Sender sender(pair.client, stream, text);
  ASSERT_TRUE(pair.world.run_until([&] { return server.finished[stream]; }, 1min));
  EXPECT_TRUE(server.received[stream] == text);
  EXPECT_GE(pieces, 8);
}

// Proves that the connection's window is shared and given back: many streams finish one by one.
TEST(QuicStream, ConnectionWindow) {
  Pair pair;
  pair.server_settings.transport.connection_window = 50'000;
  ASSERT_TRUE(pair.connect());
  const std::string text = pattern(100'000);
  std::vector<StreamId> streams;
  for (int i = 0; i < 10; ++i) {
    streams.push_back(pair.client.connection->open_stream().value());
    EXPECT_EQ(pair.client.write(streams.back(), text), text.size());
    pair.client.connection->finish(streams.back());
  }
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server().finished.size() == streams.size(); }, 1min));
  for (const StreamId stream : streams) EXPECT_TRUE(pair.server().received[stream] == text) << stream;
}

// Proves that streams share the path: a small one is not held up by a large one.
TEST(QuicStream, SmallBesideLarge) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  const StreamId large = pair.client.connection->open_stream().value();
  const StreamId small = pair.client.connection->open_stream().value();
  const Sender sender(pair.client, large, pattern(5'000'000));
  pair.client.write(small, "tick");
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server().received[small] == "tick"; }, 100ms));
  EXPECT_FALSE(pair.server().finished[large]);
}

// Proves that small writes of one event share a packet.
TEST(QuicStream, WritesAreCoalesced) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  const StreamId first = pair.client.connection->open_stream().value();
  const StreamId second = pair.client.connection->open_stream().value();
  pair.world.run_for(1s);
  const uint64_t before = pair.client.connection->stats().packets_sent;
  for (int i = 0; i < 20; ++i) pair.client.write(i % 2 == 0 ? first : second, "0123456789");
  pair.world.run_for(0s);
  EXPECT_EQ(pair.client.connection->stats().packets_sent, before + 1);
  pair.world.run_for(1s);
  EXPECT_EQ(pair.server().received[first].size(), 100U);
  EXPECT_EQ(pair.server().received[second].size(), 100U);
}

// Proves that a reset reaches the other side with its code, and that neither side hears more of the stream.
TEST(QuicStream, Reset) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  const StreamId stream = pair.client.connection->open_stream().value();
  pair.client.write(stream, "begun");
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server().received[stream] == "begun"; }, 1s));
  pair.server().write(stream, "not to be read");
  pair.client.connection->reset(stream, 42);
  EXPECT_EQ(pair.client.connection->buffered(stream), 0U);
  EXPECT_EQ(pair.client.write(stream, "more"), 0U);
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server().resets.contains(stream); }, 1s));
  EXPECT_EQ(pair.server().resets[stream], 42U);
  pair.world.run_for(1s);
  EXPECT_EQ(pair.server().write(stream, "more"), 0U);
  EXPECT_TRUE(pair.client.received.empty() && pair.client.resets.empty());
  EXPECT_FALSE(pair.server().finished[stream]);
  EXPECT_TRUE(pair.client.connection->connected() && pair.server().connection->connected());
}

// Proves that a reset gives back the connection's window of what was received and never read.
TEST(QuicStream, ResetGivesTheWindowBack) {
  Pair pair;
  pair.server_settings.transport.connection_window = 20'000;
  ASSERT_TRUE(pair.connect());
  Peer& server = pair.server();
  for (int i = 0; i < 20; ++i) {
    const StreamId stream = pair.client.connection->open_stream().value();
    pair.client.write(stream, "x");
    ASSERT_TRUE(pair.world.run_until([&] { return !server.received[stream].empty(); }, 1s)) << i;
    server.connection->set_reading(stream, false);
    pair.client.write(stream, pattern(15'000));
    pair.world.run_for(1s);
    (i % 2 == 0 ? pair.client : server).connection->reset(stream, 1);
    pair.world.run_for(1s);
  }
}

// Proves that no more streams open at a time than the peer allows, and that closing one makes room.
TEST(QuicStream, Limit) {
  Pair pair;
  pair.server_settings.transport.max_bidi_streams = 3;
  ASSERT_TRUE(pair.connect());
  std::vector<StreamId> streams;
  for (int i = 0; i < 3; ++i) streams.push_back(pair.client.connection->open_stream().value());
  EXPECT_EQ(pair.client.connection->open_stream().error(), "the peer allows no more streams now");
  pair.client.connection->finish(streams[0]);
  pair.world.run_for(1s);
  EXPECT_FALSE(pair.client.connection->open_stream().has_value()) << "the server has not finished it";
  pair.server().connection->finish(streams[0]);
  pair.world.run_for(1s);
  EXPECT_TRUE(pair.client.connection->open_stream().has_value());
}

// Proves that the server opens streams too.
TEST(QuicStream, OpenedByTheServer) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  const StreamId stream = pair.server().connection->open_stream().value();
  pair.server().write(stream, "news");
  ASSERT_TRUE(pair.world.run_until([&] { return pair.client.received[stream] == "news"; }, 1s));
  EXPECT_EQ(pair.client.opened, std::vector<StreamId>{stream});
}

// Proves that a thousand streams one after the other leave nothing behind that would stop the next.
TEST(QuicStream, ManyInTurn) {
  Pair pair;
  pair.world.set_default_delay(1ms);
  pair.server_settings.transport.connection_window = 10'000;
  ASSERT_TRUE(pair.connect());
  Peer& server = pair.server();
  server.on_data = [&](StreamId id, Bytes data, bool fin) {
    server.connection->write(id, data);
    if (fin) server.connection->finish(id);
  };
  for (int i = 0; i < 1000; ++i) {
    const StreamId stream = pair.client.connection->open_stream().value();
    pair.client.write(stream, pattern(100));
    pair.client.connection->finish(stream);
    ASSERT_TRUE(pair.world.run_until([&] { return pair.client.finished[stream]; }, 1s)) << i;
  }
}

// Proves that unknown streams are harmless.
TEST(QuicStream, Unknown) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  Connection& connection = *pair.client.connection;
  for (const StreamId stream : {StreamId{-1}, StreamId{0}, StreamId{1}, StreamId{4000}}) {
    EXPECT_EQ(connection.write(stream, bytes_of("x")), 0U);
    EXPECT_EQ(connection.buffered(stream), 0U);
    connection.finish(stream);
    connection.reset(stream, 1);
    connection.set_reading(stream, false);
  }
  pair.world.run_for(1s);
  EXPECT_TRUE(connection.connected());
}

// Proves that nothing can be opened or sent before the handshake.
TEST(QuicStream, TooEarly) {
  Pair pair;
  pair.listen();
  pair.dial();
  EXPECT_EQ(pair.client.connection->open_stream().error(), "not connected");
  EXPECT_FALSE(pair.client.connection->send_datagram(bytes_of("x")));
  EXPECT_FALSE(pair.client.connection->migrate());
}

// Proves that datagrams arrive, up to the largest that fits, and that larger ones are refused.
TEST(QuicDatagram, Sizes) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  pair.world.run_for(1s);  // let the path's width be found
  size_t largest = 0;
  for (size_t size = 0; size < 1500; ++size) {
    if (!pair.client.connection->send_datagram(bytes_of(std::string(size, 'x')))) break;
    largest = size;
    pair.world.run_for(10ms);
  }
  EXPECT_GT(largest, 1400U);
  EXPECT_LT(largest, 1452U);
  pair.world.run_for(1s);
  ASSERT_EQ(pair.server().datagrams.size(), largest + 1);
  EXPECT_EQ(pair.server().datagrams.back().size(), largest);
}

// Proves that a datagram that does not fit the first, narrow packets of a connection is refused, not stuck.
TEST(QuicDatagram, NotDuringPathDiscovery) {
  Pair pair;
  pair.client_settings.transport.max_udp_payload = 1200;
  ASSERT_TRUE(pair.connect());
  pair.world.run_for(1s);
  EXPECT_FALSE(pair.client.connection->send_datagram(bytes_of(std::string(1200, 'x'))));
  EXPECT_TRUE(pair.client.connection->send_datagram(bytes_of(std::string(1150, 'x'))));
}

// Proves that the queue of datagrams is bounded.
TEST(QuicDatagram, QueueIsBounded) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  size_t taken = 0;
  while (taken < 10'000 && pair.client.connection->send_datagram(bytes_of("x"))) ++taken;
  EXPECT_LT(taken, 1000U);
  EXPECT_GT(taken, 10U);
  pair.world.run_for(1s);
  EXPECT_EQ(pair.server().datagrams.size(), taken);
  EXPECT_TRUE(pair.client.connection->send_datagram(bytes_of("x")));
}

// Proves that a side that wants no datagrams gets none.
TEST(QuicDatagram, NotAllowed) {
  Pair pair;
  pair.server_settings.transport.datagrams = false;
  ASSERT_TRUE(pair.connect());
  EXPECT_FALSE(pair.client.connection->send_datagram(bytes_of("x")));
  EXPECT_TRUE(pair.server().connection->send_datagram(bytes_of("x")));
}

}  // namespace
}  // namespace distlab::quic
