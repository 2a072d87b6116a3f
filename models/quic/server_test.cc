// What a listening socket admits, refuses and answers without keeping anything.
#include <gtest/gtest.h>

#include "models/quic/testing/peers.h"

namespace distlab::quic {
namespace {

using namespace std::chrono_literals;
using testing::Pair;
using testing::Peer;

// A host that says any bytes to the server and keeps the answers.
struct Stranger : UdpHandler {
  explicit Stranger(TestWorld& world) : host(world.add_host("stranger", Ipv4{0x0a000007})) {
    socket = host.open_udp({any_address, 0}, *this).value();
  }
  void on_datagram(Endpoint, Bytes datagram) override { answers.emplace_back(datagram.begin(), datagram.end()); }
  void say(const std::vector<uint8_t>& datagram) { socket->send_to(testing::server_endpoint, datagram); }

  TestHost& host;
  std::unique_ptr<UdpSocket> socket;
  std::vector<std::vector<uint8_t>> answers;
};

// The datagrams a client sends, as they leave it.
std::shared_ptr<std::vector<std::vector<uint8_t>>> record_client(Pair& pair) {
  auto sent = std::make_shared<std::vector<std::vector<uint8_t>>>();
  pair.world.set_udp_hook(testing::client_address, testing::server_address,
                          [sent](Endpoint, Endpoint, Bytes datagram) -> std::optional<Duration> {
                            sent->emplace_back(datagram.begin(), datagram.end());
                            return Duration{0};
                          });
  return sent;
}

// Proves that address validation costs one round trip and that nothing is kept before it.
TEST(QuicServer, ValidatesAddresses) {
  Duration plain{0}, validated{0};
  for (const bool validate : {false, true}) {
    Pair pair;
    pair.server_settings.validate_address = validate;
    pair.listen();
    pair.dial();
    const Time begin = pair.world.now();
    pair.world.run_for(25ms);
    EXPECT_EQ(pair.server_socket->connections(), validate ? 0U : 1U);
    ASSERT_TRUE(pair.world.run_until([&] { return pair.client.connects == 1; }, 1s));
    (validate ? validated : plain) = pair.world.now() - begin;
  }
  EXPECT_EQ(validated, plain + 20ms);
}

// Proves that a token is good for one address only, and is refused in words when it is not.
TEST(QuicServer, StolenToken) {
  Pair pair;
  pair.server_settings.validate_address = true;
  const auto sent = record_client(pair);
  pair.listen();
  pair.dial();
  ASSERT_TRUE(pair.world.run_until([&] { return sent->size() == 2; }, 1s));
  pair.client.connection.reset();
  pair.world.black_hole(testing::client_address, testing::server_address);  // catches what is on its way
  Stranger stranger(pair.world);
  stranger.say(sent->at(1));  // the second Initial, with the token
  pair.world.run_for(1s);
  ASSERT_EQ(stranger.answers.size(), 1U);
  EXPECT_EQ(stranger.answers[0][0] & 0x80, 0x80) << "an Initial packet with CONNECTION_CLOSE";
  EXPECT_LT(stranger.answers[0].size(), 100U);
  EXPECT_EQ(pair.server_socket->connections(), 0U);
}

// Proves that a token that is not one of ours is no token: a Retry follows and nothing is kept.
TEST(QuicServer, GarbageToken) {
  Pair pair;
  pair.server_settings.validate_address = true;
  const auto sent = record_client(pair);
  ASSERT_TRUE(pair.connect());
  std::vector<uint8_t> initial = sent->at(0);
  const size_t token_length_at = 1 + 4 + 1 + initial[5] + 1 + initial[6 + initial[5]];
  ASSERT_EQ(initial[token_length_at], 0);
  initial[token_length_at] = 10;  // what follows is read as the token
  Stranger stranger(pair.world);
  stranger.say(initial);
  pair.world.run_for(1s);
  ASSERT_EQ(stranger.answers.size(), 1U);
  EXPECT_EQ(stranger.answers[0][0] & 0xb0, 0xb0) << "a Retry packet";
  EXPECT_EQ(pair.server_socket->connections(), 1U);
}

// Proves that a client of an unknown version is told which ones there are, and one that asks with
// a short packet is not.
TEST(QuicServer, UnknownVersion) {
  Pair pair;
  pair.listen();
  Stranger stranger(pair.world);
  std::vector<uint8_t> initial(1200, 0);
  initial[0] = 0xc0;
  initial[1] = 0x5a;  // version 0x5a5a5a5a
  initial[2] = initial[3] = initial[4] = 0x5a;
  initial[5] = 8;  // destination id
  initial[14] = 8;
  std::fill_n(initial.begin() + 15, 8, 0x77);  // source id
  stranger.say(initial);
  pair.world.run_for(1s);
  ASSERT_EQ(stranger.answers.size(), 1U);
  const std::vector<uint8_t>& answer = stranger.answers[0];
  ASSERT_EQ(answer.size(), 1U + 4 + 9 + 9 + 2 * 4);
  EXPECT_EQ(std::vector<uint8_t>(answer.begin() + 1, answer.begin() + 5), std::vector<uint8_t>(4, 0)) << "version 0";
  EXPECT_EQ(std::vector<uint8_t>(answer.begin() + 6, answer.begin() + 14), std::vector<uint8_t>(8, 0x77));
  EXPECT_EQ(std::vector<uint8_t>(answer.end() - 4, answer.end()), (std::vector<uint8_t>{0, 0, 0, 1}));
  initial.resize(1199);
  stranger.say(initial);
  pair.world.run_for(1s);
  EXPECT_EQ(stranger.answers.size(), 1U);
}

// Proves that a client whose version the server does not know ends with that, and what there is.
TEST(QuicServer, ClientHearsOfVersions) {
  Pair pair;
  struct Answer : UdpHandler {
    void on_datagram(Endpoint remote, Bytes datagram) override {
      std::vector<uint8_t> out{0x80, 0, 0, 0, 0};
      const size_t to = 6, to_size = datagram[5], from = to + to_size + 1, from_size = datagram[to + to_size];
      out.push_back(static_cast<uint8_t>(from_size));
      out.insert(out.end(), datagram.begin() + from, datagram.begin() + from + from_size);
      out.push_back(static_cast<uint8_t>(to_size));
      out.insert(out.end(), datagram.begin() + to, datagram.begin() + to + to_size);
      out.insert(out.end(), {0x6b, 0x33, 0x43, 0xcf});
      socket->send_to(remote, out);
    }
    std::unique_ptr<UdpSocket> socket;
  } server;
  TestHost& host = pair.world.add_host("other server", Ipv4{0x0a000005});
  server.socket = host.open_udp({any_address, 4433}, server).value();
  pair.client.connection = pair.client_socket->connect({host.address(), 4433}, pair.client_settings, pair.client);
  ASSERT_TRUE(pair.world.run_until([&] { return pair.client.end.has_value(); }, 1s));
  EXPECT_EQ(pair.client.end_text(), "version: the server speaks 0x6b3343cf");
}

// Proves that one connection too many is refused at once and in words, and that room comes back.
TEST(QuicServer, ConnectionLimit) {
  Pair pair;
  pair.server_settings.max_connections = 1;
  ASSERT_TRUE(pair.connect());
  Peer second;
  second.connection = pair.client_socket->connect(testing::server_endpoint, pair.client_settings, second);
  ASSERT_TRUE(pair.world.run_until([&] { return second.end.has_value(); }, 100ms));
  EXPECT_EQ(second.end->kind, EndKind::refused);
  pair.client.connection->close(0, "");
  pair.world.run_for(1s);
  Peer third;
  third.connection = pair.client_socket->connect(testing::server_endpoint, pair.client_settings, third);
  EXPECT_TRUE(pair.world.run_until([&] { return third.connects == 1; }, 1s));
}

// Proves that no more handshakes than allowed are under way, and that those who wait get their turn.
TEST(QuicServer, HandshakeLimit) {
  Pair pair;
  pair.server_settings.max_handshakes = 2;
  pair.listen();
  std::vector<std::unique_ptr<Peer>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<Peer>());
    clients.back()->connection =
        pair.client_socket->connect(testing::server_endpoint, pair.client_settings, *clients.back());
  }
  pair.world.run_for(25ms);
  EXPECT_EQ(pair.server_socket->connections(), 2U);
  EXPECT_TRUE(pair.world.run_until([&] { return pair.servers.size() == 5; }, 5s));
}

// Proves that one address cannot have all the handshakes: another client is served meanwhile.
TEST(QuicServer, HandshakeLimitPerAddress) {
  Pair pair;
  pair.server_settings.max_handshakes_per_address = 3;
  pair.listen();
  pair.world.black_hole(testing::server_address, testing::client_address);
  std::vector<std::unique_ptr<Peer>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<Peer>());
    clients.back()->connection =
        pair.client_socket->connect(testing::server_endpoint, pair.client_settings, *clients.back());
  }
  pair.world.run_for(1s);
  EXPECT_EQ(pair.server_socket->connections(), 3U);
  TestHost& host = pair.world.add_host("somebody else", Ipv4{0x0a000006});
  const auto socket = Socket::open(host, {any_address, 0}).value();
  Peer other;
  other.connection = socket->connect(testing::server_endpoint, pair.client_settings, other);
  EXPECT_TRUE(pair.world.run_until([&] { return other.connects == 1; }, 1s));
  pair.world.black_hole(testing::server_address, testing::client_address, false);
  EXPECT_TRUE(pair.world.run_until([&] { return pair.servers.size() == 6; }, 9s));
}

// What a server is told of clients it did not let in, in words.
std::shared_ptr<std::vector<std::string>> record_rejections(Pair& pair) {
  auto told = std::make_shared<std::vector<std::string>>();
  pair.server_settings.rejected = [told](const Rejection& rejection) {
    EXPECT_EQ(rejection.remote.address, testing::client_address);
    const auto* lacking = std::get_if<Shortage>(&rejection.why);
    told->emplace_back(lacking != nullptr ? to_string(*lacking) : to_string(std::get<End>(rejection.why)));
  };
  return told;
}

// Proves that the server is told why a handshake failed: by its own doing, the client's, or nobody's.
TEST(QuicServer, TellsOfFailedHandshakes) {
  const std::vector<std::pair<std::string, std::function<void(Pair&)>>> cases{
      {"tls: no_application_protocol (alert 120)", [](Pair& pair) { pair.client_settings.alpn = "other"; }},
      {"tls: unknown_ca (alert 48)",
       [](Pair& pair) {
         const Authority other("another CA", testing::secret(9));
         pair.client_settings.verify = TlsVerify::peer;
         pair.client_settings.server_name = "relay.test";
         pair.client_settings.credentials = ClientCredentials::load(other.certificate()).value();
       }},
      {"handshake timeout",
       [](Pair& pair) { pair.world.black_hole(testing::server_address, testing::client_address); }}};
  for (const auto& [reason, spoil] : cases) {
    Pair pair;
    pair.server_settings.transport.handshake_timeout = 3s;
    const auto told = record_rejections(pair);
    spoil(pair);
    pair.listen();
    pair.dial();
    pair.world.run_for(100ms);
    pair.client.connection.reset();
    pair.world.run_for(5s);
    ASSERT_EQ(told->size(), 1U) << reason;
    EXPECT_EQ(told->at(0).substr(0, reason.size()), reason);
    EXPECT_EQ(pair.server_socket->connections(), 0U);
  }
}

// Proves that the server is told of every first packet it had no room for, and of no client it let in.
TEST(QuicServer, TellsOfShortage) {
  const std::vector<std::pair<std::string, size_t ServerSettings::*>> cases{
      {"connections", &ServerSettings::max_connections},
      {"handshakes", &ServerSettings::max_handshakes},
      {"handshakes_per_address", &ServerSettings::max_handshakes_per_address}};
  for (const auto& [reason, limit] : cases) {
    Pair pair;
    pair.server_settings.*limit = 1;
    const auto told = record_rejections(pair);
    pair.listen();
    pair.dial();
    Peer second;
    second.connection = pair.client_socket->connect(testing::server_endpoint, pair.client_settings, second);
    pair.world.run_for(100ms);
    EXPECT_EQ(*told, std::vector<std::string>{reason});
    EXPECT_EQ(pair.servers.size(), 1U);
  }
}

// Proves that whoever is told may destroy the socket.
TEST(QuicServer, RejectionMayEndTheSocket) {
  for (const size_t limit : {0, 10}) {
    Pair pair;
    pair.server_settings.max_handshakes = limit;
    pair.client_settings.alpn = "other";
    int told = 0;
    pair.server_settings.rejected = [&](const Rejection&) {
      ++told;
      pair.server_socket.reset();
    };
    pair.listen();
    pair.dial();
    pair.world.run_for(1s);
    EXPECT_EQ(told, 1);
  }
}

// Proves that the figures of a socket are those of its connections, and that those of the dead stay.
TEST(QuicServer, Stats) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  const StreamId stream = pair.client.connection->open_stream().value();
  pair.client.write(stream, std::string(100'000, 'x'));
  pair.world.run_for(1s);
  const ConnectionStats one = pair.server().connection->stats();
  SocketStats all = pair.server_socket->stats();
  EXPECT_EQ(all.connections, 1U);
  EXPECT_EQ(all.handshakes, 0U);
  EXPECT_GT(one.bytes_received, 100'000U);
  EXPECT_EQ(all.bytes_received, one.bytes_received);
  EXPECT_EQ(all.packets_sent, one.packets_sent);
  pair.world.black_hole(testing::server_address, testing::client_address);
  Peer second;
  second.connection = pair.client_socket->connect(testing::server_endpoint, pair.client_settings, second);
  pair.world.run_for(50ms);
  EXPECT_EQ(pair.server_socket->stats().handshakes, 1U);
  pair.servers.clear();
  second.connection.reset();
  pair.world.run_for(20s);
  all = pair.server_socket->stats();
  EXPECT_EQ(all.connections, 0U);
  EXPECT_EQ(all.handshakes, 0U);
  EXPECT_GT(all.bytes_received, one.bytes_received);
}

// Proves that a client that begins a handshake and falls silent is forgotten.
TEST(QuicServer, HalfAHandshake) {
  Pair pair;
  pair.server_settings.transport.handshake_timeout = 3s;
  pair.listen();
  pair.world.black_hole(testing::server_address, testing::client_address);
  pair.dial();
  pair.world.run_for(1s);
  pair.client.connection.reset();
  EXPECT_EQ(pair.server_socket->connections(), 1U);
  pair.world.run_for(5s);
  EXPECT_EQ(pair.server_socket->connections(), 0U);
}

// Proves that nothing is kept of an Initial packet that does not decrypt.
TEST(QuicServer, BrokenInitial) {
  Pair pair;
  std::vector<std::string> told;
  pair.server_settings.rejected = [&told](const Rejection& rejection) {
    told.push_back(to_string(std::get<End>(rejection.why)));
  };
  const auto sent = record_client(pair);
  ASSERT_TRUE(pair.connect());
  Stranger stranger(pair.world);
  std::vector<uint8_t> initial = sent->at(0);
  initial[6] ^= 1;  // another destination id, so other keys
  stranger.say(initial);
  pair.world.run_for(1s);
  EXPECT_EQ(pair.server_socket->connections(), 1U);
  EXPECT_TRUE(stranger.answers.empty());
  EXPECT_EQ(told, std::vector<std::string>{"transport 0: its first packet does not begin a connection"});
}

// Proves that a stateless reset is shorter than what it answers: two sockets that know nothing of
// each other's connection cannot answer each other for ever.
TEST(QuicServer, ResetsShrink) {
  Pair pair;
  pair.listen();
  Stranger stranger(pair.world);
  std::vector<uint8_t> packet(60, 0x41);
  stranger.say(packet);
  pair.world.run_for(1s);
  ASSERT_EQ(stranger.answers.size(), 1U);
  EXPECT_LT(stranger.answers[0].size(), packet.size());
  packet.resize(22);
  stranger.say(packet);
  pair.world.run_for(1s);
  ASSERT_EQ(stranger.answers.size(), 2U);
  EXPECT_EQ(stranger.answers[1].size(), 21U);
  packet.resize(21);
  stranger.say(packet);
  pair.world.run_for(1s);
  EXPECT_EQ(stranger.answers.size(), 2U);
}

// Proves that the goodbye is said again to a peer that missed it.
TEST(QuicServer, GoodbyeIsRepeated) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  const StreamId stream = pair.client.connection->open_stream().value();
  pair.world.run_for(1s);
  pair.world.black_hole(testing::server_address, testing::client_address);
  pair.server().connection->close(3, "going");
  pair.world.run_for(20ms);
  pair.world.black_hole(testing::server_address, testing::client_address, false);
  pair.client.write(stream, "hello?");
  ASSERT_TRUE(pair.world.run_until([&] { return pair.client.end.has_value(); }, 100ms));
  EXPECT_EQ(pair.client.end_text(), "application 3: going");
}

}  // namespace
}  // namespace distlab::quic
