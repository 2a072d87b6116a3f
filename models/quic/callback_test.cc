// When the application is called, and what it may do then.
#include <gtest/gtest.h>

#include "models/quic/testing/peers.h"

namespace distlab::quic {
namespace {

using namespace std::chrono_literals;
using testing::Pair;
using testing::Peer;

// Destroys its connection in the n-th callback of any kind.
struct Quitter : ConnectionHandler {
  explicit Quitter(int when) : left(when) {}
  void step() {
    ++calls;
    if (--left == 0) connection.reset();
    EXPECT_GE(left, 0) << "called after its connection was destroyed";
  }
  void on_connected() override {
    if (connection != nullptr) {
      const StreamId stream = connection->open_stream().value();
      connection->write(stream, testing::bytes_of("hello"));
      connection->finish(stream);
      connection->send_datagram(testing::bytes_of("datagram"));
    }
    step();
  }
  void on_stream_opened(StreamId) override { step(); }
  void on_stream_data(StreamId stream, Bytes data, bool fin) override {
    const std::vector<uint8_t> copy(data.begin(), data.end());
    step();
    EXPECT_TRUE(std::equal(copy.begin(), copy.end(), data.begin()));  // it lasts as long as the callback
    if (connection == nullptr) return;
    connection->write(stream, data);
    if (fin) connection->finish(stream);
    if (fin) connection->send_datagram(testing::bytes_of("datagram"));
  }
  void on_stream_writable(StreamId) override { step(); }
  void on_stream_reset(StreamId, uint64_t) override { step(); }
  void on_datagram(Bytes) override { step(); }
  void on_ended(const End&) override { step(); }

  std::unique_ptr<Connection> connection;
  int left;
  int calls = 0;
};

// Proves that a callback may destroy its connection, whichever it is, on either side.
TEST(QuicCallback, MayDestroyItsConnection) {
  int most = 0;
  for (const bool at_server : {false, true}) {
    for (int when = 1; when < 12; ++when) {
      Pair pair;
      Quitter client(at_server ? 1000 : when), server(at_server ? when : 1000);
      pair.server_socket->listen(pair.server_settings, [&](std::unique_ptr<Connection> connection) {
        server.connection = std::move(connection);
        server.connection->set_handler(server);
        server.on_connected();
      });
      client.connection = pair.client_socket->connect(testing::server_endpoint, pair.client_settings, client);
      pair.world.run_for(1s);
      if (client.connection) client.connection->close(0, "");
      pair.world.run_for(100s);
      most = std::max(most, at_server ? server.calls : client.calls);
      client.connection.reset();
      server.connection.reset();
    }
  }
  EXPECT_GE(most, 5);
}

// Proves that a callback may destroy the connection and its socket with it.
TEST(QuicCallback, MayDestroyTheSocketToo) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  const StreamId stream = pair.client.connection->open_stream().value();
  pair.server().on_data = [&](StreamId, Bytes, bool) {
    pair.server().connection.reset();
    pair.server_socket.reset();
  };
  pair.client.write(stream, "the end");
  pair.world.run_for(1s);
  EXPECT_EQ(pair.server_socket, nullptr);
}

// Proves that a callback may close its connection, and that nothing follows.
TEST(QuicCallback, MayCloseItsConnection) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  const StreamId stream = pair.client.connection->open_stream().value();
  const StreamId other = pair.client.connection->open_stream().value();
  pair.server().on_data = [&](StreamId id, Bytes, bool) {
    pair.server().write(id, "it may be too late for this");
    pair.server().connection->close(9, "heard enough");
  };
  pair.client.write(stream, "one");
  pair.client.write(other, "two");
  pair.world.run_for(1s);
  EXPECT_EQ(pair.server().received.size(), 1U);
  EXPECT_FALSE(pair.server().end.has_value());
  EXPECT_EQ(pair.client.end_text(), "application 9: heard enough");
}

// Proves that a callback may move its connection, also when it has moved before.
TEST(QuicCallback, MayMigrate) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  const StreamId stream = pair.client.connection->open_stream().value();
  pair.server().on_data = [&](StreamId id, Bytes data, bool) { pair.server().connection->write(id, data); };
  int moves = 0;
  pair.client.on_data = [&](StreamId, Bytes, bool) {
    if (pair.client.connection->migrate()) ++moves;
  };
  for (int i = 1; i <= 3; ++i) {
    pair.client.write(stream, "x");
    ASSERT_TRUE(pair.world.run_until([&] { return moves == i; }, 1s));
    pair.world.run_for(5s);
  }
  EXPECT_EQ(pair.server().paths.size(), 3U);
}

// Proves that an accepted connection that nobody keeps is gone, without a word.
TEST(QuicCallback, NotKept) {
  Pair pair;
  pair.server_socket->listen(pair.server_settings, [](std::unique_ptr<Connection> connection) { connection.reset(); });
  pair.dial();
  pair.world.run_for(1s);
  EXPECT_EQ(pair.server_socket->connections(), 0U);
  EXPECT_FALSE(pair.client.end.has_value());
  pair.world.run_for(3min);
  EXPECT_EQ(pair.client.end_text(), "handshake timeout: the handshake was not completed");
}

// Proves that calls only schedule: nothing is heard before the loop runs, not even a failure.
TEST(QuicCallback, NeverFromInsideACall) {
  Pair pair;
  pair.client_settings.server_name = std::string(100'000, 'x');  // more than a handshake can carry
  pair.dial();
  EXPECT_FALSE(pair.client.end.has_value());
  ASSERT_TRUE(pair.world.run_until([&] { return pair.client.end.has_value(); }, 20s));
  EXPECT_EQ(pair.client.end->kind, EndKind::host) << pair.client.end_text();
}

// Proves that after close() an object answers, says nothing and hears nothing.
TEST(QuicCallback, AfterClose) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  const StreamId stream = pair.client.connection->open_stream().value();
  pair.client.write(stream, "last words");
  pair.client.connection->close(1, "enough");
  Connection& connection = *pair.client.connection;
  EXPECT_FALSE(connection.connected());
  EXPECT_FALSE(connection.open_stream().has_value());
  EXPECT_EQ(pair.client.write(stream, "x"), 0U);
  EXPECT_EQ(connection.remote(), testing::server_endpoint);
  EXPECT_GT(connection.stats().packets_sent, 2U);
  connection.close(2, "again");
  connection.reset(stream, 1);
  EXPECT_FALSE(connection.migrate());
  pair.world.run_for(1s);
  EXPECT_EQ(pair.server().received[stream], "last words") << "what was written before is sent";
  EXPECT_EQ(pair.server().end_text(), "application 1: enough");
  EXPECT_FALSE(pair.client.end.has_value());
}

// Proves that a goodbye said during the handshake reaches the server, which never heard of the client.
TEST(QuicCallback, CloseDuringTheHandshake) {
  Pair pair;
  pair.listen();
  pair.dial();
  pair.world.run_for(15ms);
  EXPECT_EQ(pair.server_socket->connections(), 1U);
  pair.client.connection->close(5, "changed my mind");
  pair.world.run_for(15ms);
  EXPECT_EQ(pair.server_socket->connections(), 0U);
  EXPECT_TRUE(pair.servers.empty());
}

// Proves that a connection may be destroyed or closed before its first packet has left.
TEST(QuicCallback, GivenUpAtOnce) {
  Pair pair;
  pair.listen();
  pair.dial();
  pair.client.connection.reset();
  pair.dial();
  pair.client.connection->close(1, "");
  pair.world.run_for(1s);
  EXPECT_EQ(pair.client_socket->connections(), 0U);
  EXPECT_TRUE(pair.servers.empty());
}

// Proves that a long reason is cut rather than not said.
TEST(QuicCallback, LongReason) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  pair.client.connection->close(1, std::string(5000, 'x'));
  pair.world.run_for(1s);
  EXPECT_EQ(pair.server().end->reason, std::string(256, 'x'));
}

// Proves that both sides' qlog comes out in pieces, with the times of the run.
TEST(QuicQlog, BothSides) {
  std::string client_log, server_log, server_id;
  {
    Pair pair;
    pair.client_settings.qlog = [&](std::string_view piece) { client_log += piece; };
    pair.server_settings.qlog = [&](std::string_view id) {
      server_id = id;
      return [&](std::string_view piece) { server_log += piece; };
    };
    ASSERT_TRUE(pair.connect());
    pair.world.run_for(1s);
  }
  for (const std::string& log : {client_log, server_log}) {
    EXPECT_EQ(log[0], '\x1e') << "a JSON text sequence";
    EXPECT_NE(log.find("\"qlog_format\":\"JSON-SEQ\""), std::string::npos);
    EXPECT_NE(log.find("packet_sent"), std::string::npos);
    EXPECT_NE(log.find("packet_received"), std::string::npos);
    EXPECT_NE(log.find(server_id), std::string::npos) << "both have the same id";
  }
  EXPECT_GE(server_id.size(), 16U);
}

// Everything that crosses the network in a run with loss: when, how large, which way.
std::vector<std::string> trace(uint64_t seed, bool validate) {
  Pair pair(seed);
  std::vector<std::string> seen;
  int count = 0;
  const UdpHook hook = [&](Endpoint from, Endpoint to, Bytes datagram) -> std::optional<Duration> {
    seen.push_back(std::to_string(pair.world.now().time_since_epoch().count()) + " " + from.to_string() + " " +
                   to.to_string() + " " + std::to_string(datagram.size()));
    if (++count % 37 == 0) return std::nullopt;
    return Duration{0};
  };
  pair.world.set_udp_hook(testing::client_address, testing::server_address, hook);
  pair.world.set_udp_hook(testing::server_address, testing::client_address, hook);
  pair.server_settings.validate_address = validate;
  pair.listen();
  std::vector<std::unique_ptr<Peer>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<Peer>());
    clients.back()->connection =
        pair.client_socket->connect(testing::server_endpoint, pair.client_settings, *clients.back());
  }
  pair.world.run_for(2s);
  const std::string text(100'000, 'x');
  for (const auto& client : clients) {
    if (!client->connection->connected()) continue;
    client->write(client->connection->open_stream().value(), text);
    client->connection->send_datagram(testing::bytes_of("datagram"));
  }
  pair.world.run_for(2min);
  for (size_t i = 0; i < 10; ++i) clients[i]->connection->migrate();
  pair.world.run_for(2min);
  for (const auto& client : clients) client->connection->close(1, "done");
  pair.world.run_for(1s);
  return seen;
}

// Proves that times and sizes of packets depend on the seed alone, though GnuTLS draws its own keys.
TEST(QuicDeterminism, EqualSeedsEqualPackets) {
  for (const bool validate : {false, true}) {
    const std::vector<std::string> first = trace(1, validate);
    EXPECT_GT(first.size(), 2000U);
    for (int again = 0; again < 3; ++again) {
      const std::vector<std::string> other = trace(1, validate);
      ASSERT_EQ(first.size(), other.size());
      for (size_t i = 0; i < first.size(); ++i) ASSERT_EQ(first[i], other[i]) << i;
    }
  }
}

}  // namespace
}  // namespace distlab::quic
