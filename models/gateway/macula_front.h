// The gateway for a BEAM with the carrier `-proto_dist macula`: it has no EPMD and no listener, and makes every
// connection itself, to us.
//
// Frames have a length of two bytes and carry one term each; the protocol is in real/beam/README.md. The first
// frame decides what a connection is: control (join), a dial, or the fetching of a tunnel that a peer has opened.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "models/carrier/carrier.h"
#include "models/etf/term.h"
#include "models/gateway/pipes.h"

namespace distlab::gateway {

class Outgoing;

// macula:join_mesh/1. What the BEAM left out is empty.
struct JoinRequest {
  std::string node;
  std::string cookie;
  std::vector<std::string> relays;
  std::string realm, identity, cacertfile;
  std::optional<bool> verify;  // tls_verify
};

struct MaculaFrontSettings {
  Endpoint listen{loopback_address, 0};
  size_t max_connections = 1024;                     // besides those that have become pipes
  Duration attach_limit = std::chrono::seconds{30};  // an incoming tunnel waits so long to be fetched
  // How long a join waits for a session with a relay before it is answered all the same, as join_mesh's
  // wait_for_relay does for 30 s (facts relay-distribution.md section 1.5).
  Duration wait_for_relay{0};
  Duration preamble_limit = std::chrono::seconds{10};  // a connection says what it is within this time
};

// macula_dist_relay:get_tunnel_metrics/0.
struct TunnelLine {
  std::string id, peer, state, direction;  // direction: "out" or "in"
  uint64_t bytes_in = 0, bytes_out = 0, msgs_in = 0, msgs_out = 0;
};

// What the front's owner does for it.
class MaculaMesh {
 public:
  virtual ~MaculaMesh() = default;
  // Becomes a member of the mesh; the carrier must live until leave(). The error is a line for the user.
  virtual tl::expected<carrier::Carrier*, std::string> join(const JoinRequest& request) = 0;
  virtual void leave() = 0;
  // The cookie that the node uses for this peer from now on; without a peer, its own.
  virtual void set_cookie(const std::string& peer, const std::string& cookie) = 0;
  virtual std::vector<TunnelLine> tunnels() = 0;
  virtual std::string relay() = 0;  // that there is a session with; empty: none
};

class MaculaFront {
 public:
  // Host and mesh must outlive it.
  MaculaFront(Host& host, MaculaMesh& mesh, MaculaFrontSettings settings = {});
  ~MaculaFront();
  MaculaFront(const MaculaFront&) = delete;
  MaculaFront& operator=(const MaculaFront&) = delete;

  bool listening() const { return listener_ != nullptr; }
  Endpoint local() const { return listener_->local(); }  // only if listening
  bool joined() const { return carrier_ != nullptr; }
  size_t connections() const { return pipes_.count(); }

 private:
  class Connection;
  struct Incoming;

  void accept(std::unique_ptr<ByteStream> stream);
  // False: the connection is not to be used again.
  bool first(Connection& connection, const etf::Term& term);
  bool join(Connection& connection, const etf::Term& request);
  bool dial(Connection& connection, const std::string& peer, const std::string& cookie);
  bool attach(Connection& connection, uint64_t id);
  bool ask(Connection& connection, const etf::Term& term);
  void say_metrics(Connection& connection, const etf::Term& question);
  etf::Term status();
  void confirm(uint64_t control, Time until);
  void arrived(std::unique_ptr<ByteStream> stream);
  void announce(uint64_t id);
  void left();
  void gone(uint64_t id);

  Host& host_;
  MaculaMesh& mesh_;
  const MaculaFrontSettings settings_;
  std::unique_ptr<TcpListener> listener_;
  carrier::Carrier* carrier_ = nullptr;
  uint64_t control_ = 0;    // the connection that has joined; 0: none
  bool confirmed_ = false;  // and has been told so
  uint64_t last_ = 0;
  std::map<uint64_t, std::unique_ptr<Connection>> connections_;
  std::map<uint64_t, std::unique_ptr<Outgoing>> outgoing_;
  std::map<uint64_t, std::unique_ptr<Incoming>> incoming_;
  Timer waiting_;  // for a relay
  Pipes pipes_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

// {join, Map}. The error says what is wrong with it.
tl::expected<JoinRequest, std::string> parse_join(const etf::Term& map);

}  // namespace distlab::gateway
