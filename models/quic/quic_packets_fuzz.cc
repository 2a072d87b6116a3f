// A socket against any datagrams, and against genuine ones with bytes changed under way.
//
// Input: a byte of choices (the constants below), then datagrams, each with two bytes of length
// before it; or, when genuine packets are changed, triples: which packet, where, with what.
// Afterwards a well-behaved client must still be served.
#include <algorithm>
#include <cstdlib>

#include "models/quic/testing/peers.h"
#include "models/quic/testing/relay_box.h"

namespace {

using namespace distlab;
using namespace std::chrono_literals;
using quic::testing::Pair;
using quic::testing::Peer;
using quic::testing::RelayBox;

constexpr uint8_t handshake_begun = 1, validate_address = 2, change_genuine = 4, to_client_too = 8;

void require(bool condition) {
  if (!condition) std::abort();
}

struct Stranger : UdpHandler {
  void on_datagram(Endpoint, Bytes) override {}
};

void say_all(Pair& pair, Bytes input, bool client_too) {
  Stranger handler;
  TestHost& host = pair.world.add_host("stranger", Ipv4{0x0a000007});
  const auto socket = host.open_udp({any_address, 0}, handler).value();
  while (input.size() >= 2) {
    const size_t size = std::min<size_t>(static_cast<size_t>(input[0] << 8 | input[1]), input.size() - 2);
    socket->send_to(quic::testing::server_endpoint, input.subspan(2, size));
    if (client_too) {
      socket->send_to({quic::testing::client_address, pair.client_socket->local().port}, input.subspan(2, size));
    }
    input = input.subspan(2 + size);
    pair.world.run_for(1ms);
  }
}

// What a client does through a box that changes its packets and the server's.
void talk(Pair& pair, Bytes input) {
  RelayBox box(pair.world, Ipv4{0x0a000009}, quic::testing::server_endpoint);
  size_t packet = 0;
  box.set_change([&](std::vector<uint8_t>& bytes) {
    for (size_t i = 0; i + 3 <= input.size(); i += 3) {
      if (input[i] == packet && !bytes.empty()) bytes[input[i + 1] % bytes.size()] ^= input[i + 2];
    }
    ++packet;
  });
  Peer client;
  client.connection = pair.client_socket->connect(box.entrance(), pair.client_settings, client);
  pair.world.run_for(2s);
  if (client.connection->connected()) {
    const auto stream = client.connection->open_stream().value();
    client.write(stream, std::string(5000, 'x'));
    pair.world.run_for(2s);
  }
  client.connection->close(1, "done");
  pair.world.run_for(1s);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const uint8_t choices = data[0];
  const Bytes input(data + 1, size - 1);
  Pair pair(7);  // not the seed of the corpus, whose ids would be those of the clients here
  pair.server_settings.validate_address = (choices & validate_address) != 0;
  pair.listen();
  Peer other;
  if ((choices & handshake_begun) != 0) {
    other.connection = pair.client_socket->connect(quic::testing::server_endpoint, pair.client_settings, other);
    pair.world.run_for(15ms);
  }
  if ((choices & change_genuine) != 0) {
    talk(pair, input);
  } else {
    say_all(pair, input, (choices & to_client_too) != 0);
  }
  pair.dial();
  require(pair.world.run_until([&] { return pair.client.connects == 1; }, 5s));
  pair.world.run_for(1min);
  require(pair.server_socket->connections() <= 2 + pair.servers.size());
  return 0;
}
