// One QUIC connection as a plain class around ngtcp2: feed it packets and time, drain packets and
// events. It knows no host; whoever owns it gives it chance, secrets and the ids of the socket.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "models/host/random.h"
#include "models/quic/native.h"
#include "models/quic/send_buffer.h"
#include "models/quic/socket.h"
#include "models/quic/tls.h"

namespace distlab::quic {

// What an engine asks of its owner from inside its calls. None of these may call the engine.
class EngineOwner {
 public:
  virtual ~EngineOwner() = default;
  virtual void fill_secret(std::span<uint8_t> out) = 0;
  virtual ResetToken reset_token(const ConnectionId& id) = 0;
  virtual void on_id_issued(const ConnectionId& id) = 0;  // packets to this id are for the engine
  virtual void on_id_retired(const ConnectionId& id) = 0;
  virtual void on_peer_token(const ResetToken& token, bool valid) = 0;  // a packet ending so is for it, too
};

class PacketSink {
 public:
  virtual ~PacketSink() = default;
  virtual void send(const Path& path, Bytes packet) = 0;
};

struct EngineEvent {
  enum class Kind { connected, opened, data, writable, reset, datagram, path_changed, ended };
  Kind kind = Kind::ended;
  StreamId stream = -1;
  uint64_t code = 0;  // of a reset
};

// What is left of a connection that has ended: how long its ids must not be mistaken for unknown
// ones, and what to answer to packets that still arrive (RFC 9000 section 10.2).
struct Remains {
  Duration linger{0};
  std::vector<uint8_t> close_packet;  // empty: no answer
  Path path;
};

struct EngineConfig {
  TransportSettings transport;
  Path path;
  RandomStream random;  // this connection's own: equal ones would draw equal connection ids
  QlogWriter qlog;
};

// Of the first packet of a client, as the server's admission read it.
struct Admission {
  ConnectionId client_id;                   // where to answer
  ConnectionId first_id;                    // the destination id of this packet
  std::optional<ConnectionId> original_id;  // of the one before the Retry, from the token
  std::vector<uint8_t> token;
};

class Engine {
 public:
  // Limits on what may queue up here; the sender of datagrams learns of it, it is not a peer's doing.
  static constexpr size_t max_queued_datagrams = 256;
  static constexpr size_t max_reason = 256;          // bytes of a reason phrase
  static constexpr size_t max_delivery = 64 * 1024;  // bytes in one piece of received data

  static tl::expected<std::unique_ptr<Engine>, std::string> client(EngineOwner& owner, EngineConfig config,
                                                                   TlsSession::Client tls, Time now);
  static tl::expected<std::unique_ptr<Engine>, std::string> server(EngineOwner& owner, EngineConfig config,
                                                                   TlsSession::Server tls, const Admission& admission,
                                                                   Time now);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // --- Input
  void receive(Time now, const Path& path, Bytes datagram);
  void expire(Time now);
  Time expiry() const;  // when to call expire(); Time::max(): never

  // --- Output
  // Sends what may be sent now. `buffer` is scratch for one packet, of at least packet_size().
  void flush(Time now, PacketSink& sink, std::span<uint8_t> buffer);
  size_t packet_size() const { return packet_size_; }
  std::optional<EngineEvent> next_event();
  struct Received {
    std::vector<uint8_t> data;
    bool fin = false;
  };
  Received take_received(StreamId stream);                      // after Kind::data
  void recycle(StreamId stream, std::vector<uint8_t> emptied);  // spares the next allocation
  std::vector<uint8_t> take_datagram();                         // after Kind::datagram
  const End& end() const { return end_; }                       // after Kind::ended
  bool ended() const { return ended_; }
  // To be asked at the end of the engine's life. Of one that has not ended: how to die without a word.
  Remains remains() const;

  // --- What the application does; packets follow with the next flush
  bool connected() const { return connected_ && !ended_; }
  tl::expected<StreamId, std::string> open_stream();
  size_t write(StreamId stream, Bytes data);
  size_t buffered(StreamId stream) const;
  void finish(StreamId stream);
  void reset(StreamId stream, uint64_t code);
  void set_reading(StreamId stream, bool on);
  bool send_datagram(Bytes data);
  void close(Time now, uint64_t code, std::string_view reason, PacketSink& sink, std::span<uint8_t> buffer);
  bool migrate(Time now, Endpoint local);

  Path path() const;
  ConnectionStats stats() const;

 private:
  struct Stream {
    explicit Stream(StreamId number) : id(number) {}
    const StreamId id;
    SendBuffer out;
    bool ready = false;       // in ready_
    bool blocked = false;     // in blocked_: the peer's window is full
    bool wants_room = false;  // write() took less than it was given
    bool fin = false, fin_sent = false;
    bool send_dead = false;  // reset by us or at the peer's wish
    std::vector<uint8_t> in;
    bool reading = true;
    bool announced = false;  // a data event is under way
    bool fin_received = false, fin_delivered = false;
    bool receive_dead = false;
    bool closed = false;  // ngtcp2 has forgotten it
    size_t losses = 0;
  };
  struct Callbacks;  // ngtcp2's view of us

  Engine(EngineOwner& owner, EngineConfig config, Time now);
  void start(ngtcp2_conn* connection, std::unique_ptr<TlsSession> tls);
  ngtcp2_settings native_settings(Time now);
  ngtcp2_transport_params native_parameters() const;
  ConnectionId new_id();

  void push(EngineEvent::Kind kind, StreamId stream = -1, uint64_t code = 0);
  void announce(Stream& stream);
  Stream* find(StreamId stream);
  const Stream* find(StreamId stream) const;
  Stream& make_stream(StreamId stream);
  void forget_if_done(Stream& stream);
  void make_ready(Stream& stream);
  void retry_blocked();
  size_t room_mark() const;

  ngtcp2_ssize write_packet(Time now, NativePath& path, std::span<uint8_t> buffer);
  ngtcp2_ssize write_datagram(Time now, NativePath& path, ngtcp2_pkt_info& info, std::span<uint8_t> buffer);
  ngtcp2_ssize write_stream(Time now, NativePath& path, ngtcp2_pkt_info& info, std::span<uint8_t> buffer);
  void stream_written(Stream& stream, const SendBuffer::Unsent& offered, ngtcp2_ssize taken);
  size_t largest_datagram() const;

  void failed(int error, Time now);
  void finish_with(End end);
  void peer_closed();
  void write_close(const ngtcp2_connection_close_error& error, Time now);
  Duration close_period() const;

  EngineOwner& owner_;
  TransportSettings transport_;
  Path first_path_;
  RandomStream random_;
  QlogWriter qlog_;
  const Time began_;
  size_t packet_size_;

  std::unique_ptr<TlsSession> tls_;
  ngtcp2_conn* connection_ = nullptr;
  bool server_ = false;
  bool connected_ = false, ended_ = false, heard_ = false;
  bool got_reset_ = false, no_protocol_ = false;  // why ngtcp2 is about to fail
  bool close_on_flush_ = false;                   // a close packet waits to be sent
  End end_;
  Remains remains_;
  Path reported_path_;
  std::string offered_versions_;

  std::map<StreamId, Stream> streams_;
  std::deque<StreamId> ready_;  // streams with something to send, each in turn
  std::vector<StreamId> blocked_;
  std::deque<std::vector<uint8_t>> datagrams_out_, datagrams_in_;
  std::vector<EngineEvent> events_;
  size_t events_taken_ = 0;
  uint64_t next_datagram_ = 0;
  uint64_t datagrams_lost_ = 0, losses_of_closed_ = 0;
  ConnectionStats counters_;
};

}  // namespace distlab::quic
