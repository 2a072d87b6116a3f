// The EPMD daemon: names of the nodes of one machine and the ports they listen on.
//
// Source: erts/epmd/src/epmd_srv.c of OTP 25. A name is held as long as the connection it was
// registered on; creations count from a random start, so that a restarted node is told from its
// former life.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "models/epmd/codec.h"
#include "models/host/host.h"

namespace distlab::epmd {

struct ServerOptions {
  Ipv4 address = any_address;
  uint16_t port = default_port;
  Duration packet_timeout = std::chrono::seconds{60};  // -packet_timeout: idle before a request is complete
  size_t max_connections = 1024;
};

class Server {
 public:
  Server(Host& host, ServerOptions options = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  bool listening() const { return listener_ != nullptr; }  // false: the port was taken
  size_t registered() const { return nodes_.size(); }

 private:
  class Connection;

  void accept(std::unique_ptr<ByteStream> stream);
  void serve(Connection& connection, const Request& request);
  Alive2Response enter(Connection& connection, const Alive2Request& request);
  void gone(Connection& connection);

  Host& host_;
  ServerOptions options_;
  uint32_t next_creation_;
  std::unique_ptr<TcpListener> listener_;
  std::list<std::unique_ptr<Connection>> connections_;
  std::map<std::string, Alive2Request> nodes_;
};

}  // namespace distlab::epmd
