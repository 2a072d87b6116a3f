// QUIC over the UDP socket of a Host: a Socket dials and accepts connections.
//
// ngtcp2 and GnuTLS do the protocol (RFC 9000, 9001, 9002, 9221); this face gives them the host's
// time, packets and chance. The times and sizes of packets depend on the host's random streams and
// on what is written, never on key material.
//
// Callbacks come from the host's event loop only, never from inside a call on a Connection or a
// Socket, and never after the object they are about is destroyed. A callback may destroy the
// connection it is about.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

#include "models/host/host.h"
#include "models/quic/credentials.h"
#include "models/quic/settings.h"

namespace distlab::quic {

using StreamId = int64_t;  // RFC 9000 section 2.1

class ConnectionHandler {
 public:
  virtual ~ConnectionHandler() = default;
  virtual void on_connected() {}              // handshake confirmed (client) or completed (server)
  virtual void on_stream_opened(StreamId) {}  // by the peer
  // `fin`: the peer has finished the stream; data may be empty then.
  virtual void on_stream_data(StreamId stream, Bytes data, bool fin) = 0;
  virtual void on_stream_writable(StreamId) {}  // after write() took less than it was given
  virtual void on_stream_reset(StreamId, uint64_t /*code*/) {}
  virtual void on_datagram(Bytes) {}
  virtual void on_path_changed(Endpoint /*remote*/) {}  // the peer's new address, or ours, is validated
  virtual void on_ended(const End& why) = 0;            // the last callback
};

struct ConnectionStats {
  Duration smoothed_rtt{0};
  uint64_t congestion_window = 0;  // bytes
  uint64_t bytes_in_flight = 0;
  uint64_t packets_sent = 0, packets_received = 0;  // UDP datagrams
  uint64_t packets_lost = 0;                        // of those with stream data or datagrams, as far as noticed
  uint64_t bytes_sent = 0, bytes_received = 0;      // UDP payload
};

class Connection {
 public:
  // Destroying an open connection is dying without a word. close() says goodbye.
  virtual ~Connection() = default;
  virtual void set_handler(ConnectionHandler& handler) = 0;  // accepted ones, from inside Accepted
  virtual bool connected() const = 0;

  // A bidirectional stream; fails when the peer allows no more now, or the connection is not up.
  virtual tl::expected<StreamId, std::string> open_stream() = 0;
  // Takes as much as fits into the stream's send buffer and returns that count; if it is less than
  // data.size(), on_stream_writable follows once there is room again. 0 on an unknown stream.
  virtual size_t write(StreamId stream, Bytes data) = 0;
  virtual size_t buffered(StreamId stream) const = 0;  // written and not yet acknowledged
  virtual void finish(StreamId stream) = 0;            // FIN after what was written
  virtual void reset(StreamId stream, uint64_t code) = 0;
  // While off, data stays in the receive window and the peer meets back-pressure. Starts on.
  virtual void set_reading(StreamId stream, bool on) = 0;
  virtual bool send_datagram(Bytes data) = 0;  // false: too large, not allowed, or the queue is full

  // CONNECTION_CLOSE (0x1d) with this reason (256 bytes of it); no further callbacks. Data that
  // cannot leave at once is lost: wait until buffered() is 0 if it matters.
  virtual void close(uint64_t code, std::string_view reason) = 0;
  // A client moves to a new local port, as after a change of network (RFC 9000 section 9).
  virtual bool migrate() = 0;

  virtual Endpoint remote() const = 0;  // distlab::Endpoint: address and port
  virtual ConnectionStats stats() const = 0;
};

using QlogWriter = std::function<void(std::string_view)>;  // JSON text sequence, piece by piece

struct ClientSettings {
  TransportSettings transport = {};
  std::string alpn;
  TlsVerify verify = TlsVerify::none;
  std::string server_name;  // SNI, and what the certificate must be for
  std::shared_ptr<const ClientCredentials> credentials;
  QlogWriter qlog = {};
  // The date at the start of the run (host time run_start), for the validity of certificates.
  std::chrono::sys_seconds date_at_start = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};
};

// Why a server had no room for a client. For want of connections it says so (CONNECTION_REFUSED), else nothing.
enum class Shortage { connections, handshakes, handshakes_per_address };
std::string_view to_string(Shortage shortage);

// A client that never became a connection: there was no room, or its handshake failed. Clients repeat first
// packets that are not answered, and each is one of these.
struct Rejection {
  Endpoint remote;  // not validated: it may be anybody's
  std::variant<Shortage, End> why;
};

struct ServerSettings {
  TransportSettings transport = {};
  std::string alpn;
  std::shared_ptr<const ServerCredentials> credentials;
  bool validate_address = false;  // Retry before any state is made (RFC 9000 section 8.1)
  size_t max_connections = 10'000;
  size_t max_handshakes = 1'000;  // connections whose handshake is under way; more are ignored
  // The same in a later life of the server: its resets are believed then. Empty: drawn anew.
  std::vector<uint8_t> reset_key = {};
  std::function<QlogWriter(std::string_view connection_id)> qlog = {};
  size_t max_handshakes_per_address = 500;  // so that one host cannot have them all
  // Told of each. Peers decide how often, so it should do little.
  std::function<void(const Rejection&)> rejected = {};
};

// Of a socket and all its connections, also those that have ended.
struct SocketStats {
  size_t connections = 0;                                             // now, with those whose handshake is under way
  size_t handshakes = 0;                                              // of them, as a server
  uint64_t packets_sent = 0, packets_received = 0, packets_lost = 0;  // as in ConnectionStats
  uint64_t bytes_sent = 0, bytes_received = 0;
};

class Socket {
 public:
  using Accepted = std::function<void(std::unique_ptr<Connection>)>;

  // Opens a UDP socket. The host must outlive the socket, the socket its connections.
  static tl::expected<std::unique_ptr<Socket>, NetError> open(Host& host, Endpoint local);
  virtual ~Socket() = default;  // without a word to anybody

  virtual std::unique_ptr<Connection> connect(Endpoint remote, ClientSettings settings, ConnectionHandler& handler) = 0;
  // `accepted` is told of each connection when its handshake is complete; on_connected does not follow.
  virtual void listen(ServerSettings settings, Accepted accepted) = 0;
  virtual Endpoint local() const = 0;
  virtual size_t connections() const = 0;
  virtual SocketStats stats() const = 0;  // looks at every connection
};

}  // namespace distlab::quic
