// Connections from dial to end: handshake, keep-alive, time-outs, goodbyes.
#include <gtest/gtest.h>

#include "models/quic/testing/peers.h"

namespace distlab::quic {
namespace {

using namespace std::chrono_literals;
using testing::Pair;

// Proves that a handshake takes a round trip and a half and both sides hear of it once.
TEST(QuicConnection, Handshake) {
  Pair pair;
  const Time begin = pair.world.now();
  ASSERT_TRUE(pair.connect());
  EXPECT_LE(pair.world.now() - begin, 50ms);
  EXPECT_TRUE(pair.client.connection->connected());
  EXPECT_TRUE(pair.server().connection->connected());
  EXPECT_EQ(pair.client.connection->remote(), testing::server_endpoint);
  EXPECT_EQ(pair.server().connection->remote().address, testing::client_address);
  pair.world.run_for(1s);
  EXPECT_EQ(pair.client.connects, 1);
  EXPECT_EQ(pair.servers.size(), 1U);
  EXPECT_EQ(pair.client_socket->connections(), 1U);
  EXPECT_EQ(pair.server_socket->connections(), 1U);
}

// Proves that bytes go both ways on a stream, with the end of each direction.
TEST(QuicConnection, StreamBothWays) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  const StreamId stream = pair.client.connection->open_stream().value();
  EXPECT_EQ(pair.client.write(stream, "hello"), 5U);
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server().received[stream] == "hello"; }, 1s));
  EXPECT_EQ(pair.server().opened, std::vector<StreamId>{stream});
  pair.server().write(stream, "and goodbye");
  pair.server().connection->finish(stream);
  ASSERT_TRUE(pair.world.run_until([&] { return pair.client.finished[stream]; }, 1s));
  EXPECT_EQ(pair.client.received[stream], "and goodbye");
  EXPECT_FALSE(pair.server().finished[stream]);
  pair.client.connection->finish(stream);
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server().finished[stream]; }, 1s));
  EXPECT_EQ(pair.server().received[stream], "hello");
}

// Proves that code and reason of a goodbye reach the peer, and that the closer hears no more.
TEST(QuicConnection, Close) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  pair.client.connection->close(7, "shutting down");
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server().end.has_value(); }, 1s));
  EXPECT_EQ(*pair.server().end, (End{EndKind::application, 7, "shutting down"}));
  EXPECT_EQ(pair.server().end_text(), "application 7: shutting down");
  pair.world.run_for(5s);
  EXPECT_FALSE(pair.client.end.has_value());
  EXPECT_EQ(pair.client_socket->connections() + pair.server_socket->connections(), 0U);
}

// Proves that silence ends a connection on both sides, without a word.
TEST(QuicConnection, IdleTimeout) {
  Pair pair;
  pair.client_settings.transport.idle_timeout = 5s;
  pair.client_settings.transport.keep_alive = pair.server_settings.transport.keep_alive = 0s;
  ASSERT_TRUE(pair.connect());
  pair.world.run_for(4s);
  EXPECT_FALSE(pair.client.end || pair.server().end);
  pair.world.run_for(2s);
  EXPECT_EQ(pair.client.end_text(), "idle");
  EXPECT_EQ(pair.server().end_text(), "idle");
}

// Proves that keep-alive holds an idle connection open.
TEST(QuicConnection, KeepAlive) {
  Pair pair;
  pair.client_settings.transport.idle_timeout = 5s;
  pair.client_settings.transport.keep_alive = 2s;
  pair.server_settings.transport.keep_alive = 0s;
  ASSERT_TRUE(pair.connect());
  pair.world.run_for(10min);
  EXPECT_TRUE(pair.client.connection->connected() && pair.server().connection->connected());
}

// Proves that a dial nobody answers ends after handshake_timeout.
TEST(QuicConnection, NoAnswer) {
  Pair pair;
  pair.dial();  // nobody listens
  pair.world.run_for(9900ms);
  EXPECT_FALSE(pair.client.end);
  pair.world.run_for(200ms);
  EXPECT_EQ(pair.client.end_text(), "handshake timeout: no answer");
}

// Proves that unprintable bytes of a peer's goodbye do not get into logs.
TEST(QuicConnection, OddReason) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  pair.server().connection->close(7, "a\n\x01\xff z");
  ASSERT_TRUE(pair.world.run_until([&] { return pair.client.end.has_value(); }, 1s));
  EXPECT_EQ(pair.client.end->reason, "a??? z");
}

// Proves that a process that stands still for less than the idle timeout loses nothing.
TEST(QuicConnection, FrozenForAWhile) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  const StreamId stream = pair.client.connection->open_stream().value();
  pair.server_host.freeze();
  pair.client.write(stream, "patience");
  pair.world.run_for(30s);
  EXPECT_TRUE(pair.server().received.empty());
  pair.server_host.thaw();
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server().received[stream] == "patience"; }, 10s));
  pair.world.run_for(1min);
  EXPECT_TRUE(pair.client.connection->connected() && pair.server().connection->connected());
}

// Proves that one that stands still for longer has lost its peer: it does not know at first, since
// what had arrived meanwhile counts as a sign of life, then ends; new connections are served at once.
TEST(QuicConnection, FrozenTooLong) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  pair.server_host.freeze();
  pair.world.run_for(5min);
  EXPECT_EQ(pair.client.end_text(), "idle");
  pair.server_host.thaw();
  pair.dial();
  EXPECT_TRUE(pair.world.run_until([&] { return pair.client.connects == 2; }, 1s));
  EXPECT_EQ(pair.server_socket->connections(), 2U);
  pair.world.run_for(1h);
  EXPECT_EQ(pair.server().end_text(), "idle");
  EXPECT_EQ(pair.server_socket->connections(), 1U);
}

// Proves that a black hole is noticed by the idle timeout on both sides, keep-alive or not.
TEST(QuicConnection, BlackHole) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  pair.world.run_for(30s);
  pair.world.black_hole(testing::client_address, testing::server_address);
  pair.world.black_hole(testing::server_address, testing::client_address);
  pair.world.run_for(59s);
  EXPECT_FALSE(pair.client.end || pair.server().end);
  pair.world.run_for(1min);
  EXPECT_EQ(pair.client.end_text(), "idle");
  EXPECT_EQ(pair.server().end_text(), "idle");
}

// Proves that a server that dies in the middle of a handshake is a handshake that times out.
TEST(QuicConnection, HandshakeCutShort) {
  Pair pair;
  pair.listen();
  pair.dial();
  pair.world.run_for(15ms);
  pair.world.black_hole(testing::client_address, testing::server_address);
  pair.world.run_for(20s);
  EXPECT_EQ(pair.client.end_text(), "handshake timeout: the handshake was not completed");
  EXPECT_EQ(pair.server_socket->connections(), 0U);
}

}  // namespace
}  // namespace distlab::quic
