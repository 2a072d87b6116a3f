// Joins engines to a Host: sockets, timers, routes by connection id, callbacks.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/quic/doorkeeper.h"
#include "models/quic/engine.h"
#include "models/quic/lifeline.h"
#include "models/quic/lingering.h"

namespace distlab::quic {

class DriverSocket;

// One UDP port of the socket: the first, or that of a connection that has migrated.
class Port final : private UdpHandler {
 public:
  static tl::expected<std::unique_ptr<Port>, NetError> open(DriverSocket& socket, Host& host, Endpoint local);
  void send(Endpoint remote, Bytes packet) { udp_->send_to(remote, packet); }  // a full buffer is a loss
  Endpoint local() const { return local_; }

 private:
  explicit Port(DriverSocket& socket) : socket_(socket) {}
  void on_datagram(Endpoint remote, Bytes datagram) override;
  void on_burst() override;
  void on_burst_end() override;

  DriverSocket& socket_;
  Endpoint local_;
  std::unique_ptr<UdpSocket> udp_;
};

class DriverConnection final : public Connection, private EngineOwner, private PacketSink {
 public:
  DriverConnection(DriverSocket& socket, Path path, uint64_t number, bool server);
  ~DriverConnection() override;
  DriverConnection(const DriverConnection&) = delete;
  DriverConnection& operator=(const DriverConnection&) = delete;

  void begin(EngineConfig config, TlsSession::Client tls, ConnectionHandler& handler);
  bool begin(EngineConfig config, TlsSession::Server tls, const Admission& admission);  // false: impossible
  // These two may destroy the connection and the socket.
  void receive(const Path& path, Bytes datagram);
  void settle();  // tells the application what happened, and sends what follows
  uint64_t number() const { return number_; }
  Ipv4 first_address() const { return first_address_; }
  bool server() const { return server_; }

  // --- Connection
  void set_handler(ConnectionHandler& handler) override { handler_ = &handler; }
  bool connected() const override { return engine_ != nullptr && engine_->connected(); }
  tl::expected<StreamId, std::string> open_stream() override;
  size_t write(StreamId stream, Bytes data) override;
  size_t buffered(StreamId stream) const override { return engine_ == nullptr ? 0 : engine_->buffered(stream); }
  void finish(StreamId stream) override;
  void reset(StreamId stream, uint64_t code) override;
  void set_reading(StreamId stream, bool on) override;
  bool send_datagram(Bytes data) override;
  void close(uint64_t code, std::string_view reason) override;
  bool migrate() override;
  Endpoint remote() const override { return engine_ == nullptr ? last_path_.remote : engine_->path().remote; }
  ConnectionStats stats() const override { return engine_ == nullptr ? last_stats_ : engine_->stats(); }

  bool scheduled = false;  // the socket's note

 private:
  bool begun(tl::expected<std::unique_ptr<Engine>, std::string> engine);
  void schedule();
  void tell(const EngineEvent& event, const Lifeline::Watch& watch);
  void tell_end();
  void arm();
  void on_timer();
  void release_engine();

  // --- EngineOwner
  void fill_secret(std::span<uint8_t> out) override;
  ResetToken reset_token(const ConnectionId& id) override;
  void on_id_issued(const ConnectionId& id) override;
  void on_id_retired(const ConnectionId& id) override;
  void on_peer_token(const ResetToken& token, bool valid) override;
  // --- PacketSink
  void send(const Path& path, Bytes packet) override;

  DriverSocket& socket_;
  const uint64_t number_;
  const Ipv4 first_address_;  // of the peer
  const bool server_;
  ConnectionHandler* handler_;
  std::unique_ptr<Port> own_port_;  // after a migration
  std::unique_ptr<Engine> engine_;  // none once it has ended
  std::vector<ConnectionId> ids_;
  std::vector<ResetToken> tokens_;
  std::string stillborn_;  // why there never was an engine
  Timer timer_;
  Time armed_ = Time::max();
  bool working_ = false;  // in settle(): what is written now is sent at its end
  bool over_ = false;     // no more callbacks
  Path last_path_;
  ConnectionStats last_stats_;
  Lifeline lifeline_;
};

class DriverSocket final : public Socket {
 public:
  DriverSocket(Host& host, RandomStream& random);
  ~DriverSocket() override;
  DriverSocket(const DriverSocket&) = delete;
  DriverSocket& operator=(const DriverSocket&) = delete;

  tl::expected<void, NetError> bind(Endpoint local);
  void on_packet(const Path& path, Bytes datagram);
  // Between these a connection that has received is only scheduled; then all are settled, with those they wrote to.
  void begin_burst() { in_burst_ = true; }
  void end_burst();
  bool in_burst() const { return in_burst_; }

  // --- Socket
  std::unique_ptr<Connection> connect(Endpoint remote, ClientSettings settings, ConnectionHandler& handler) override;
  void listen(ServerSettings settings, Accepted accepted) override;
  Endpoint local() const override { return port_->local(); }
  size_t connections() const override { return live_.size(); }
  SocketStats stats() const override;

  // --- for connections
  Host& host() { return host_; }
  Port& port() { return *port_; }
  Doorkeeper& doorkeeper() { return doorkeeper_; }
  std::span<uint8_t> buffer(size_t size);
  void schedule(DriverConnection& connection);
  void unschedule(DriverConnection& connection);
  void route(const ConnectionId& id, DriverConnection& connection) { routes_[id] = &connection; }
  void unroute(const ConnectionId& id, const DriverConnection& connection);
  void expect_reset(const ResetToken& token, DriverConnection& connection) { resets_[token] = &connection; }
  void forget_reset(const ResetToken& token, const DriverConnection& connection);
  void born(const DriverConnection& connection);
  void died(const DriverConnection& connection, Remains remains, std::span<const ConnectionId> ids);
  void hand_over(DriverConnection& connection);             // its handshake is complete
  void drop(DriverConnection& connection, const End& why);  // it will never be complete

 private:
  void admit(const Path& path, Bytes datagram, const Admission& admission);
  std::optional<Shortage> shortage(Ipv4 client) const;
  void reject(const Rejection& rejection);
  void run_scheduled();
  std::unique_ptr<DriverConnection> take_handshaking(const DriverConnection& connection);
  EngineConfig config(const TransportSettings& transport, Path path, QlogWriter qlog);

  Host& host_;
  RandomStream& random_;
  Doorkeeper doorkeeper_;
  std::unique_ptr<Port> port_;
  Timer flush_timer_;
  std::vector<uint8_t> buffer_;  // the packet being written
  std::map<ConnectionId, DriverConnection*> routes_;
  std::map<ResetToken, DriverConnection*> resets_;
  Lingering lingering_;
  std::vector<DriverConnection*> scheduled_, running_;
  bool in_burst_ = false;
  std::map<uint64_t, std::unique_ptr<DriverConnection>> handshaking_;  // by number
  std::map<Ipv4, size_t> handshakes_of_;                               // by the client's address; never 0
  uint64_t next_number_ = 0;
  std::map<uint64_t, const DriverConnection*> live_;  // by number
  size_t live_servers_ = 0;
  SocketStats ended_;  // sums of those that live no more
  bool listening_ = false;
  ServerSettings server_;
  Accepted accepted_;
  Lifeline lifeline_;
};

}  // namespace distlab::quic
