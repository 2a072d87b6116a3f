// Addresses that change under a connection, and servers that have lost it.
#include <gtest/gtest.h>

#include "models/quic/testing/peers.h"
#include "models/quic/testing/relay_box.h"

namespace distlab::quic {
namespace {

using namespace std::chrono_literals;
using testing::Pair;
using testing::RelayBox;

// Proves that a NAT that forgets its mapping changes the peer's address and nothing else: the
// stream goes on, and the server is told once.
TEST(QuicPath, NatRebinding) {
  Pair pair;
  RelayBox box(pair.world, Ipv4{0x0a000009}, testing::server_endpoint);
  pair.listen();
  pair.client.connection = pair.client_socket->connect(box.entrance(), pair.client_settings, pair.client);
  ASSERT_TRUE(pair.world.run_until([&] { return pair.client.connects == 1; }, 1s));
  const StreamId stream = pair.client.connection->open_stream().value();
  pair.client.write(stream, "before ");
  pair.world.run_for(1s);
  const Endpoint before = pair.server().connection->remote();
  EXPECT_EQ(before, box.exit());
  box.rebind();
  pair.client.write(stream, "after");
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server().received[stream] == "before after"; }, 1s));
  ASSERT_TRUE(pair.world.run_until([&] { return !pair.server().paths.empty(); }, 1s));
  EXPECT_EQ(pair.server().connection->remote(), box.exit());
  EXPECT_NE(pair.server().connection->remote(), before);
  pair.server().write(stream, "answer");
  ASSERT_TRUE(pair.world.run_until([&] { return pair.client.received[stream] == "answer"; }, 1s));
  pair.world.run_for(1min);
  EXPECT_EQ(pair.server().paths, std::vector<Endpoint>{box.exit()});
  EXPECT_TRUE(pair.client.paths.empty());
}

// Proves that rebindings one after the other, each in the middle of a transfer, lose nothing.
TEST(QuicPath, ManyRebindings) {
  Pair pair;
  RelayBox box(pair.world, Ipv4{0x0a000009}, testing::server_endpoint);
  pair.listen();
  pair.client.connection = pair.client_socket->connect(box.entrance(), pair.client_settings, pair.client);
  ASSERT_TRUE(pair.world.run_until([&] { return pair.client.connects == 1; }, 1s));
  const StreamId stream = pair.client.connection->open_stream().value();
  const std::string piece(100'000, 'x');
  size_t sent = 0;
  for (int i = 0; i < 20; ++i) {
    sent += pair.client.write(stream, piece);
    pair.world.run_for(30ms);
    box.rebind();
    pair.world.run_for(500ms);
  }
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server().received[stream].size() == sent; }, 1min));
  EXPECT_GE(pair.server().paths.size(), 15U);
}

// Proves that a client moves to another port, also twice, also in the middle of a transfer.
TEST(QuicPath, Migration) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  const StreamId stream = pair.client.connection->open_stream().value();
  const std::string piece(300'000, 'x');
  size_t sent = 0;
  for (int i = 0; i < 3; ++i) {
    sent += pair.client.write(stream, piece);
    pair.world.run_for(50ms);
    const Endpoint before = pair.server().connection->remote();
    ASSERT_TRUE(pair.client.connection->migrate()) << i;
    ASSERT_TRUE(pair.world.run_until([&] { return pair.server().paths.size() == static_cast<size_t>(i) + 1; }, 5s));
    EXPECT_NE(pair.server().connection->remote(), before);
    ASSERT_TRUE(pair.world.run_until([&] { return pair.client.paths.size() == static_cast<size_t>(i) + 1; }, 5s));
    EXPECT_EQ(pair.client.paths.back(), testing::server_endpoint);
    pair.world.run_for(5s);
  }
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server().received[stream].size() == sent; }, 1min));
  EXPECT_FALSE(pair.server().connection->migrate()) << "only a client moves";
}

// A server's process dies and comes back, with this key.
void restart_server(Pair& pair, std::vector<uint8_t> key) {
  pair.server_host.kill();
  pair.servers.clear();
  pair.server_socket.reset();
  pair.server_host.restart();
  pair.server_settings.reset_key = std::move(key);
  pair.server_socket = Socket::open(pair.server_host, {any_address, testing::server_endpoint.port}).value();
  pair.listen();
}

// Proves that a server that has lost its state but kept its key ends a client's connection at the
// client's next packet, also when the client has a second connection to somebody else.
TEST(QuicStatelessReset, SameKey) {
  Pair pair;
  pair.server_settings.reset_key = {1, 2, 3, 4, 5, 6, 7, 8};
  ASSERT_TRUE(pair.connect());
  const StreamId stream = pair.client.connection->open_stream().value();
  pair.world.run_for(1s);
  restart_server(pair, {1, 2, 3, 4, 5, 6, 7, 8});
  pair.world.run_for(5s);
  EXPECT_FALSE(pair.client.end.has_value());
  pair.client.write(stream, "are you there?");
  ASSERT_TRUE(pair.world.run_until([&] { return pair.client.end.has_value(); }, 100ms));
  EXPECT_EQ(pair.client.end_text(), "stateless reset");
  EXPECT_TRUE(pair.servers.empty());
}

// Proves that a reset with another key is not believed: the connection dies of silence.
TEST(QuicStatelessReset, OtherKey) {
  Pair pair;
  pair.server_settings.reset_key = {1, 2, 3, 4, 5, 6, 7, 8};
  ASSERT_TRUE(pair.connect());
  const StreamId stream = pair.client.connection->open_stream().value();
  pair.world.run_for(1s);
  restart_server(pair, {8, 7, 6, 5, 4, 3, 2, 1});
  pair.client.write(stream, "are you there?");
  pair.world.run_for(59s);
  EXPECT_FALSE(pair.client.end.has_value());
  pair.world.run_for(2min);
  EXPECT_EQ(pair.client.end_text(), "idle");
}

// Proves that the same holds after a migration, when the ids in use are not the first ones.
TEST(QuicStatelessReset, AfterMigration) {
  Pair pair;
  pair.server_settings.reset_key = {9};
  ASSERT_TRUE(pair.connect());
  const StreamId stream = pair.client.connection->open_stream().value();
  ASSERT_TRUE(pair.client.connection->migrate());
  pair.world.run_for(5s);
  restart_server(pair, {9});
  pair.client.write(stream, "are you there?");
  ASSERT_TRUE(pair.world.run_until([&] { return pair.client.end.has_value(); }, 100ms));
  EXPECT_EQ(pair.client.end_text(), "stateless reset");
}

// Proves that a client that is gone, its socket still open, is silent: no reset, no goodbye.
TEST(QuicPath, DestroyedWithoutAWord) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  const StreamId stream = pair.server().connection->open_stream().value();
  pair.world.run_for(1s);
  int said = 0;
  pair.world.set_udp_hook(testing::client_address, testing::server_address,
                          [&](Endpoint, Endpoint, Bytes) -> std::optional<Duration> {
                            ++said;
                            return Duration{0};
                          });
  pair.client.connection.reset();
  pair.server().write(stream, "are you there?");
  pair.world.run_for(50s);
  EXPECT_FALSE(pair.server().end.has_value());
  pair.world.run_for(2min);
  EXPECT_EQ(said, 0);
  EXPECT_EQ(pair.server().end_text(), "idle");
}

}  // namespace
}  // namespace distlab::quic
