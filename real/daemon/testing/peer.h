// Peers of a relay that say what they like, over real QUIC.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/mesh/message.h"
#include "models/quic/socket.h"
#include "real/asio_host.h"

namespace distlab::daemon::testing {

// One QUIC connection that says what it likes.
class Peer final : public quic::ConnectionHandler {
 public:
  Peer(quic::Socket& socket, Endpoint relay, const std::string& alpn = "macula") {
    quic::ClientSettings settings;
    settings.alpn = alpn;
    connection = socket.connect(relay, std::move(settings), *this);
  }
  // False: the connection is not there, or has no stream to give.
  bool say(Bytes bytes) {
    if (!connection->connected()) return false;
    if (!stream) {
      const auto opened = connection->open_stream();
      if (!opened) return false;
      stream = *opened;
    }
    return connection->write(*stream, bytes) == bytes.size();
  }
  bool say(const mesh::Message& message) { return say(mesh::encode(message).bytes()); }

  void on_connected() override {
    up = true;
    if (when_up) when_up(*this);
  }
  void on_stream_data(quic::StreamId, Bytes data, bool) override { heard += data.size(); }
  void on_ended(const quic::End& why) override { ended = why; }

  std::function<void(Peer&)> when_up;
  std::unique_ptr<quic::Connection> connection;
  std::optional<quic::StreamId> stream;
  std::optional<quic::End> ended;
  size_t heard = 0;
  bool up = false;
};

// Peers on a machine with this address.
struct Machine {
  Machine(real::AsioLoop& loop, Ipv4 address) : host(loop, options(address)) {}
  static real::AsioHostOptions options(Ipv4 address) {
    real::AsioHostOptions out;
    out.name = "peer";
    out.seed = address.bits;  // connection ids are drawn from it
    out.address = address;
    return out;
  }
  // One that the caller keeps; it must be gone before the machine.
  std::unique_ptr<Peer> make(Endpoint relay, const std::string& alpn = "macula") {
    if (!socket) socket = std::move(*quic::Socket::open(host, {any_address, 0}));
    return std::make_unique<Peer>(*socket, relay, alpn);
  }
  Peer& dial(Endpoint relay, const std::string& alpn = "macula") { return *peers.emplace_back(make(relay, alpn)); }
  void vanish() {  // without a word
    peers.clear();
    socket.reset();
  }
  real::AsioHost host;
  std::unique_ptr<quic::Socket> socket;
  std::deque<std::unique_ptr<Peer>> peers;
};

}  // namespace distlab::daemon::testing
