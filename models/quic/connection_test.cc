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

}  // namespace
}  // namespace distlab::quic
