// Datagrams that come together (UdpHandler::on_burst).
#include <gtest/gtest.h>

#include "models/quic/testing/burst_host.h"
#include "models/quic/testing/peers.h"

namespace distlab::quic {
namespace {

using namespace std::chrono_literals;
using testing::BurstHost;
using testing::Pair;
using testing::Peer;

constexpr Duration gathering = 2ms;

// As Pair, with a server whose datagrams come in bursts.
struct Bursts : Pair {
  Bursts() {
    server_socket.reset();
    server_socket = Socket::open(burst_host, {any_address, testing::server_endpoint.port}).value();
  }
  ~Bursts() {
    servers.clear();
    server_socket.reset();
  }
  BurstHost burst_host{server_host, gathering};
};

// Writes all of the text, as room appears.
struct Writer {
  Writer(Peer& peer, std::string text) : peer_(peer), text_(std::move(text)) {
    stream_ = peer_.connection->open_stream().value();
    peer_.on_room = [this](StreamId) { go_on(); };
    go_on();
  }
  StreamId stream() const { return stream_; }

 private:
  void go_on() {
    written_ += peer_.write(stream_, std::string_view(text_).substr(written_));
    if (written_ == text_.size()) peer_.connection->finish(stream_);
  }
  Peer& peer_;
  const std::string text_;
  size_t written_ = 0;
  StreamId stream_ = -1;
};

// Proves that what comes in bursts arrives whole and in order, and is acknowledged with far fewer packets than when
// each datagram comes alone.
TEST(QuicBurst, IsAnsweredOnce) {
  std::string text(2'000'000, 'x');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i % 251);
  const auto transfer = [&text](Pair& pair) {
    EXPECT_TRUE(pair.connect());
    const Writer writer(pair.client, text);
    Peer& server = pair.server();
    EXPECT_TRUE(pair.world.run_until([&] { return server.finished[writer.stream()]; }, 60s));
    EXPECT_TRUE(server.received[writer.stream()] == text);
    return server.connection->stats().packets_sent;
  };
  Pair plain;
  Bursts bursts;
  const uint64_t alone = transfer(plain), together = transfer(bursts);
  EXPECT_GT(bursts.burst_host.largest, 8u);
  EXPECT_LT(together * 3, alone);
}

// Proves that what one connection hears in a burst and writes to another one leaves, though that one heard nothing.
TEST(QuicBurst, CarriesWhatItLeadsTo) {
  Bursts pair;
  ASSERT_TRUE(pair.connect());
  Peer other;
  other.connection = pair.client_socket->connect(testing::server_endpoint, pair.client_settings, other);
  ASSERT_TRUE(pair.world.run_until([&] { return other.connects == 1 && pair.servers.size() == 2; }, 5s));
  Peer& forwarder = pair.server();
  forwarder.on_data = [&](StreamId, Bytes data, bool) {
    Peer& to = *pair.servers.at(1);
    EXPECT_EQ(to.connection->write(to.connection->open_stream().value(), data), data.size());
  };
  const StreamId stream = pair.client.connection->open_stream().value();
  pair.client.write(stream, "pass it on");
  ASSERT_TRUE(pair.world.run_until([&] { return !other.received.empty(); }, 1s));
  EXPECT_EQ(other.received.begin()->second, "pass it on");
  other.connection.reset();
}

// Proves that in a burst, too, a callback may destroy its connection, and its socket with it.
TEST(QuicBurst, MayDestroyItsConnectionAndSocket) {
  for (const bool socket_too : {false, true}) {
    Bursts pair;
    ASSERT_TRUE(pair.connect());
    Peer& server = pair.server();
    int calls = 0;
    server.on_data = [&](StreamId, Bytes, bool) {
      ++calls;
      server.connection.reset();
      if (socket_too) pair.server_socket.reset();
    };
    for (int i = 0; i < 3; ++i)
      pair.client.write(pair.client.connection->open_stream().value(), std::string(5'000, 'x'));
    pair.world.run_for(1s);
    EXPECT_EQ(calls, 1);
  }
}

}  // namespace
}  // namespace distlab::quic
