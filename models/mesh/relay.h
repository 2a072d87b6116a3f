// The relay: RelayCore behind a QUIC listener. One connection is one session; its first bidirectional
// stream carries the frames, other streams are refused.
//
// Destroying it is a crash: nobody is told. shutdown() says goodbye first.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "models/host/host.h"
#include "models/mesh/ingress.h"
#include "models/mesh/relay_core.h"
#include "models/mesh/relay_settings.h"
#include "models/quic/socket.h"

namespace distlab::mesh {

class Relay {
 public:
  Relay(Host& host, RelaySettings settings);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  bool listening() const { return socket_ != nullptr; }  // false: the port was taken

  // DISCONNECT with this reason and FIN to every session, then CONNECTION_CLOSE. `done` is told when all
  // are gone, after RelaySettings::close_linger at the latest. Whoever connects meanwhile is refused.
  void shutdown(const std::string& reason, std::function<void()> done);
  // While wedged the relay reads and believes itself healthy, but sends no frame; QUIC goes on.
  void wedge(bool on) { core_.set_wedged(on); }

  // For sessions from now on; those that are there, or on their way, keep what they met.
  void set_credentials(std::shared_ptr<const quic::ServerCredentials> credentials);

  const RelayStats& stats() const { return core_.stats(); }
  quic::SocketStats quic_stats() const { return socket_ ? socket_->stats() : quic::SocketStats{}; }

 private:
  class Peer;

  void listen();
  void accept(std::unique_ptr<quic::Connection> connection);
  void rejected(const quic::Rejection& rejection);
  void on_data(SessionId id, Bytes data);
  void pump();
  void flush(Peer& peer);         // `peer` may be gone after it
  void close_gently(Peer& peer);  // and after it
  void hang_up(Peer& peer, CloseCode code, const std::string& reason);
  void remove(SessionId id, const std::string& reason, std::string_view sort = {});  // as RelayCore::on_gone
  void arm_timer();

  Host& host_;
  RelaySettings settings_;
  RelayCore core_;
  Ingress ingress_;
  std::unique_ptr<quic::Socket> socket_;
  std::map<SessionId, std::unique_ptr<Peer>> peers_;  // hold connections of the socket
  Timer timer_, shutdown_timer_;
  Time timer_due_{};
  bool shutting_down_ = false;
  std::function<void()> shut_down_;
};

}  // namespace distlab::mesh
