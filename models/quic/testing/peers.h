// A server and its clients on a TestWorld, with handlers that keep what they are told.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/host/test_host.h"
#include "models/quic/socket.h"

namespace distlab::quic::testing {

inline constexpr Ipv4 client_address{0x0a000001}, server_address{0x0a000002};
inline constexpr Endpoint server_endpoint{server_address, 4433};

inline Secret secret(uint8_t seed) {
  Secret result;
  result.fill(seed);
  return result;
}

inline const Authority& authority() {
  static const Authority made("distlab test CA", secret(1));
  return made;
}

inline std::shared_ptr<const ServerCredentials> server_credentials() {
  static const auto loaded =
      ServerCredentials::load(authority().issue({"relay", {"relay.test"}, false}, secret(2))).value();
  return loaded;
}

inline Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Keeps all it hears, and the connection if it was accepted.
struct Peer : ConnectionHandler {
  std::unique_ptr<Connection> connection;
  int connects = 0;
  std::vector<StreamId> opened, writable;
  std::map<StreamId, std::string> received;
  std::map<StreamId, bool> finished;
  std::map<StreamId, uint64_t> resets;
  std::vector<std::string> datagrams;
  std::vector<Endpoint> paths;
  std::optional<End> end;
  std::function<void(StreamId, Bytes, bool)> on_data;
  std::function<void(StreamId)> on_room;

  void on_connected() override { ++connects; }
  void on_stream_opened(StreamId stream) override { opened.push_back(stream); }
  void on_stream_data(StreamId stream, Bytes data, bool fin) override {
    received[stream].append(reinterpret_cast<const char*>(data.data()), data.size());
    if (fin) finished[stream] = true;
    if (on_data) on_data(stream, data, fin);
  }
  void on_stream_writable(StreamId stream) override {
    writable.push_back(stream);
    if (on_room) on_room(stream);
  }
  void on_stream_reset(StreamId stream, uint64_t code) override { resets[stream] = code; }
  void on_datagram(Bytes data) override {
    datagrams.emplace_back(reinterpret_cast<const char*>(data.data()), data.size());
  }
  void on_path_changed(Endpoint remote) override { paths.push_back(remote); }
  void on_ended(const End& why) override { end = why; }

  std::string end_text() const { return end ? to_string(*end) : "not ended"; }
  size_t write(StreamId stream, std::string_view text) { return connection->write(stream, bytes_of(text)); }
};

// What every test starts from: a listening server, a socket to dial from.
struct Pair {
  explicit Pair(uint64_t seed = 1) : world(seed) {
    client_settings.alpn = server_settings.alpn = "macula";
    server_settings.credentials = server_credentials();
    world.set_default_delay(std::chrono::milliseconds{10});
    client_socket = Socket::open(client_host, {any_address, 0}).value();
    server_socket = Socket::open(server_host, {any_address, server_endpoint.port}).value();
  }
  ~Pair() {
    client.connection.reset();
    servers.clear();
    client_socket.reset();
    server_socket.reset();
  }

  void listen() {
    server_socket->listen(server_settings, [this](std::unique_ptr<Connection> connection) {
      servers.push_back(std::make_unique<Peer>());
      servers.back()->connection = std::move(connection);
      servers.back()->connection->set_handler(*servers.back());
    });
  }
  void dial() { client.connection = client_socket->connect(server_endpoint, client_settings, client); }
  // Both sides up.
  bool connect() {
    listen();
    dial();
    return world.run_until([this] { return client.connects == 1 && !servers.empty(); }, std::chrono::seconds{5});
  }
  Peer& server() { return *servers.at(0); }

  TestWorld world;
  TestHost& client_host = world.add_host("client", client_address);
  TestHost& server_host = world.add_host("server", server_address);
  ClientSettings client_settings;
  ServerSettings server_settings;
  std::unique_ptr<Socket> client_socket, server_socket;
  Peer client;
  std::vector<std::unique_ptr<Peer>> servers;
};

}  // namespace distlab::quic::testing
