// The EPMD daemon: names of the nodes of one machine and the ports they listen on.
//
// Source: erts/epmd/src/epmd_srv.c; the epmd of OTP 25 was measured beside it (epmd_test.cc). A
// name is held as long as the connection it was registered on, and only nodes of this machine
// register. Creations differ from each other: epmd takes the second of the day a name is first
// seen and counts on from there, we count from a random start.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "models/epmd/codec.h"
#include "models/host/host.h"

namespace distlab::epmd {

struct ServerOptions {
  Ipv4 address = any_address;
  uint16_t port = default_port;
  Duration packet_timeout = std::chrono::seconds{60};  // -packet_timeout: idle before a request is complete
  size_t max_connections = 1024;                       // FD_SETSIZE; a registered name occupies one
  std::vector<Alive2Request> known = {};               // nodes that are there without having registered
  // A node has come (with its request) or gone (nothing). Not of those that are known.
  std::function<void(const std::string& name, const Alive2Request*)> changed = {};
};

class Server {
 public:
  Server(Host& host, ServerOptions options = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  bool listening() const { return listener_ != nullptr; }  // false: the port was taken
  Endpoint local() const { return listener_->local(); }    // only if listening
  size_t registered() const { return nodes_.size(); }

 private:
  class Connection;

  void accept(std::unique_ptr<ByteStream> stream);
  void serve(Connection& connection, const Request& request);
  Alive2Response enter(Connection& connection, const Alive2Request& request);
  const Alive2Request* find(const std::string& name) const;
  void forget(Connection& connection);
  void gone(Connection& connection);

  Host& host_;
  ServerOptions options_;
  uint32_t next_creation_;
  std::unique_ptr<TcpListener> listener_;
  std::list<std::unique_ptr<Connection>> connections_;
  std::list<Alive2Request> nodes_;  // the latest first, as NAMES_RESP lists them
};

}  // namespace distlab::epmd
