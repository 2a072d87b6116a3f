#include "models/quic/engine.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "models/quic/engine_callbacks.h"

namespace distlab::quic {
namespace {

constexpr size_t smallest_packet = NGTCP2_MAX_UDP_PAYLOAD_SIZE;       // RFC 9000 section 14: every path carries it
constexpr size_t largest_packet = NGTCP2_MAX_PMTUD_UDP_PAYLOAD_SIZE;  // ngtcp2 discovers no more

ngtcp2_duration native(Duration duration) {
  return static_cast<ngtcp2_duration>(std::max(duration, Duration{0}).count());
}

}  // namespace

// --- Life ---------------------------------------------------------------------------------------

Engine::Engine(EngineOwner& owner, EngineConfig config, Time now)
    : owner_(owner),
      transport_(config.transport),
      first_path_(config.path),
      random_(config.random),
      qlog_(std::move(config.qlog)),
      began_(now),
      packet_size_(std::clamp(transport_.max_udp_payload, smallest_packet, largest_packet)),
      reported_path_(config.path) {}

Engine::~Engine() {
  if (connection_ != nullptr) ngtcp2_conn_del(connection_);
}

tl::expected<std::unique_ptr<Engine>, std::string> Engine::client(EngineOwner& owner, EngineConfig config,
                                                                  TlsSession::Client tls, Time now) {
  auto session = TlsSession::open(std::move(tls));
  if (!session) return tl::unexpected(session.error());
  std::unique_ptr<Engine> engine(new Engine(owner, std::move(config), now));
  // RFC 9000 section 7.2: at least 8 unpredictable bytes.
  const ngtcp2_cid remote = to_native(engine->new_id()), own = to_native(engine->new_id());
  const ngtcp2_settings settings = engine->native_settings(now);
  const ngtcp2_transport_params parameters = engine->native_parameters();
  NativePath path(engine->first_path_);
  ngtcp2_conn* connection = nullptr;
  const int made = ngtcp2_conn_client_new(&connection, &remote, &own, path.get(), NGTCP2_PROTO_VER_V1,
                                          &Callbacks::table(), &settings, &parameters, nullptr, engine.get());
  if (made != 0) return tl::unexpected(std::string(ngtcp2_strerror(made)));
  engine->start(connection, std::move(*session));
  owner.on_id_issued(from_native(own));
  return engine;
}

tl::expected<std::unique_ptr<Engine>, std::string> Engine::server(EngineOwner& owner, EngineConfig config,
                                                                  TlsSession::Server tls, const Admission& admission,
                                                                  Time now) {
  auto session = TlsSession::open(std::move(tls));
  if (!session) return tl::unexpected(session.error());
  std::unique_ptr<Engine> engine(new Engine(owner, std::move(config), now));
  engine->server_ = true;
  const ConnectionId own = engine->new_id();
  const ConnectionId original = admission.original_id.value_or(admission.first_id);
  ngtcp2_settings settings = engine->native_settings(now);
  settings.qlog.odcid = to_native(original);
  settings.token = {const_cast<uint8_t*>(admission.token.data()), admission.token.size()};  // copied, not written
  ngtcp2_transport_params parameters = engine->native_parameters();
  parameters.original_dcid = to_native(original);
  if (admission.original_id) {
    parameters.retry_scid = to_native(admission.first_id);
    parameters.retry_scid_present = 1;
  }
  const ResetToken token = owner.reset_token(own);
  std::copy(token.begin(), token.end(), parameters.stateless_reset_token);
  parameters.stateless_reset_token_present = 1;
  const ngtcp2_cid remote = to_native(admission.client_id), own_native = to_native(own);
  NativePath path(engine->first_path_);
  ngtcp2_conn* connection = nullptr;
  const int made = ngtcp2_conn_server_new(&connection, &remote, &own_native, path.get(), NGTCP2_PROTO_VER_V1,
                                          &Callbacks::table(), &settings, &parameters, nullptr, engine.get());
  if (made != 0) return tl::unexpected(std::string(ngtcp2_strerror(made)));
  engine->start(connection, std::move(*session));
  owner.on_id_issued(own);
  owner.on_id_issued(admission.first_id);  // until the client has our own
  return engine;
}

void Engine::start(ngtcp2_conn* connection, std::unique_ptr<TlsSession> tls) {
  connection_ = connection;
  tls_ = std::move(tls);
  tls_->attach(connection_);
  ngtcp2_conn_set_keep_alive_timeout(connection_, native(transport_.keep_alive));
}

ngtcp2_settings Engine::native_settings(Time now) {
  ngtcp2_settings settings;
  ngtcp2_settings_default(&settings);
  settings.initial_ts = to_native(now);
  settings.handshake_timeout = UINT64_MAX;  // ours lasts until the handshake is confirmed
  settings.max_tx_udp_payload_size = packet_size_;
  settings.no_pmtud = packet_size_ == smallest_packet ? 1 : 0;
  settings.rand_ctx.native_handle = &random_;
  if (qlog_) settings.qlog.write = &Callbacks::write_qlog;
  return settings;
}

ngtcp2_transport_params Engine::native_parameters() const {
  ngtcp2_transport_params parameters;
  ngtcp2_transport_params_default(&parameters);
  parameters.initial_max_stream_data_bidi_local = transport_.stream_window;
  parameters.initial_max_stream_data_bidi_remote = transport_.stream_window;
  parameters.initial_max_stream_data_uni = transport_.stream_window;
  parameters.initial_max_data = transport_.connection_window;
  parameters.initial_max_streams_bidi = transport_.max_bidi_streams;
  parameters.initial_max_streams_uni = transport_.max_uni_streams;
  parameters.max_idle_timeout = native(transport_.idle_timeout);
  parameters.max_datagram_frame_size = transport_.datagrams ? 65'535 : 0;
  return parameters;
}

ConnectionId Engine::new_id() {
  ConnectionId id;
  id.size = own_id_size;
  random_.fill(std::span(id.bytes).first(own_id_size));
  return id;
}

// --- Input --------------------------------------------------------------------------------------

void Engine::receive(Time now, const Path& path, Bytes datagram) {
  if (ended_) return;
  ++counters_.packets_received;
  counters_.bytes_received += datagram.size();
  heard_ = true;
  NativePath native(path);
  const int result =
      ngtcp2_conn_read_pkt(connection_, native.get(), nullptr, datagram.data(), datagram.size(), to_native(now));
  if (result != 0) return failed(result, now);
  retry_blocked();
}

void Engine::expire(Time now) {
  if (ended_) return;
  if (!connected_ && transport_.handshake_timeout > Duration{0} && now >= began_ + transport_.handshake_timeout) {
    return finish_with({EndKind::handshake_timeout, 0, heard_ ? "the handshake was not completed" : "no answer"});
  }
  if (const int result = ngtcp2_conn_handle_expiry(connection_, to_native(now)); result != 0) failed(result, now);
}

Time Engine::expiry() const {
  if (ended_) return Time::max();
  const Time protocol = time_from_native(ngtcp2_conn_get_expiry(connection_));
  if (connected_ || transport_.handshake_timeout <= Duration{0}) return protocol;
  return std::min(protocol, began_ + transport_.handshake_timeout);
}

// --- Events -------------------------------------------------------------------------------------

void Engine::push(EngineEvent::Kind kind, StreamId stream, uint64_t code) {
  events_.push_back({kind, stream, code});
}

std::optional<EngineEvent> Engine::next_event() {
  while (events_taken_ < events_.size()) {
    const EngineEvent event = events_[events_taken_++];
    if (event.kind == EngineEvent::Kind::writable) {
      const Stream* stream = find(event.stream);
      if (stream == nullptr || stream->send_dead) continue;
    }
    if (event.kind == EngineEvent::Kind::data) {
      Stream* stream = find(event.stream);
      if (stream == nullptr || stream->receive_dead) continue;
      stream->announced = false;
      if (!stream->reading) continue;  // stays in the window
    }
    return event;
  }
  events_.clear();
  events_taken_ = 0;
  return std::nullopt;
}

void Engine::announce(Stream& stream) {
  if (stream.announced || stream.receive_dead || !stream.reading) return;
  if (stream.in.empty() && (!stream.fin_received || stream.fin_delivered)) return;
  stream.announced = true;
  push(EngineEvent::Kind::data, stream.id);
}

Engine::Received Engine::take_received(StreamId id) {
  Stream* stream = find(id);
  if (stream == nullptr) return {};
  Received received;
  if (stream->in.size() <= max_delivery) {
    received.data.swap(stream->in);
    received.fin = stream->fin_received;
  } else {
    const auto end = stream->in.begin() + max_delivery;
    received.data.assign(stream->in.begin(), end);
    stream->in.erase(stream->in.begin(), end);
    announce(*stream);
  }
  stream->fin_delivered = received.fin;
  if (!ended_) {
    if (!stream->closed && !stream->fin_received) {
      ngtcp2_conn_extend_max_stream_offset(connection_, id, received.data.size());
    }
    ngtcp2_conn_extend_max_offset(connection_, received.data.size());
  }
  forget_if_done(*stream);
  return received;
}

void Engine::recycle(StreamId id, std::vector<uint8_t> emptied) {
  constexpr size_t keep = 4096;  // an idle stream holds no more
  Stream* stream = find(id);
  if (stream == nullptr || !stream->in.empty() || emptied.capacity() > keep) return;
  emptied.clear();
  stream->in.swap(emptied);
}

std::vector<uint8_t> Engine::take_datagram() {
  if (datagrams_in_.empty()) return {};
  std::vector<uint8_t> datagram = std::move(datagrams_in_.front());
  datagrams_in_.pop_front();
  return datagram;
}

// --- Streams ------------------------------------------------------------------------------------

Engine::Stream* Engine::find(StreamId id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : &found->second;
}

const Engine::Stream* Engine::find(StreamId id) const {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : &found->second;
}

Engine::Stream& Engine::make_stream(StreamId id) {
  Stream& stream = streams_.try_emplace(id, id).first->second;
  const bool ours = ngtcp2_conn_is_local_stream(connection_, id) != 0;
  stream.send_dead = !ours && ngtcp2_is_bidi_stream(id) == 0;
  return stream;
}

void Engine::forget_if_done(Stream& stream) {
  if (!stream.closed) return;
  if (!stream.receive_dead && (!stream.in.empty() || stream.fin_received != stream.fin_delivered)) return;
  const StreamId id = stream.id;
  losses_of_closed_ += stream.losses;
  streams_.erase(id);  // its ids in ready_ and blocked_ are skipped when their turn comes
  if (ended_ || ngtcp2_conn_is_local_stream(connection_, id) != 0) return;
  if (ngtcp2_is_bidi_stream(id) != 0) {
    ngtcp2_conn_extend_max_streams_bidi(connection_, 1);
  } else {
    ngtcp2_conn_extend_max_streams_uni(connection_, 1);
  }
}

tl::expected<StreamId, std::string> Engine::open_stream() {
  if (!connected()) return tl::unexpected(std::string("not connected"));
  StreamId id = -1;
  const int result = ngtcp2_conn_open_bidi_stream(connection_, &id, nullptr);
  if (result == NGTCP2_ERR_STREAM_ID_BLOCKED) return tl::unexpected(std::string("the peer allows no more streams now"));
  if (result != 0) return tl::unexpected(std::string(ngtcp2_strerror(result)));
  make_stream(id);
  return id;
}

size_t Engine::write(StreamId id, Bytes data) {
  Stream* stream = find(id);
  if (ended_ || stream == nullptr || stream->fin || stream->send_dead) return 0;
  const size_t room = transport_.send_buffer - std::min(transport_.send_buffer, stream->out.size());
  const size_t taken = std::min(room, data.size());
  stream->out.append(data.first(taken));
  stream->wants_room = taken < data.size();
  make_ready(*stream);
  return taken;
}

size_t Engine::buffered(StreamId id) const {
  const Stream* stream = find(id);
  return stream == nullptr || stream->send_dead ? 0 : stream->out.size();
}

void Engine::finish(StreamId id) {
  Stream* stream = find(id);
  if (ended_ || stream == nullptr || stream->fin || stream->send_dead) return;
  stream->fin = true;
  stream->wants_room = false;
  make_ready(*stream);
}

void Engine::reset(StreamId id, uint64_t code) {
  Stream* stream = find(id);
  if (ended_ || stream == nullptr) return;
  stream->send_dead = stream->receive_dead = true;
  stream->wants_room = false;
  // What was received and not read leaves the connection's window.
  ngtcp2_conn_extend_max_offset(connection_, stream->in.size());
  std::vector<uint8_t>().swap(stream->in);
  if (stream->closed) return forget_if_done(*stream);
  ngtcp2_conn_shutdown_stream(connection_, id, std::min<uint64_t>(code, NGTCP2_MAX_VARINT));
}

void Engine::set_reading(StreamId id, bool on) {
  Stream* stream = find(id);
  if (ended_ || stream == nullptr) return;
  stream->reading = on;
  announce(*stream);
}

bool Engine::send_datagram(Bytes data) {
  if (!connected() || datagrams_out_.size() >= max_queued_datagrams || data.size() > largest_datagram()) return false;
  datagrams_out_.emplace_back(data.begin(), data.end());
  return true;
}

bool Engine::migrate(Time now, Endpoint local) {
  if (server_ || !connected()) return false;
  NativePath path({local, this->path().remote});
  // At once rather than after validation: the old address is gone.
  return ngtcp2_conn_initiate_immediate_migration(connection_, path.get(), to_native(now)) == 0;
}

Path Engine::path() const {
  return connection_ == nullptr ? first_path_ : from_native(*ngtcp2_conn_get_path(connection_));
}

ConnectionStats Engine::stats() const {
  ConnectionStats result = counters_;
  ngtcp2_conn_stat native{};
  ngtcp2_conn_get_conn_stat(connection_, &native);
  result.smoothed_rtt = native.first_rtt_sample_ts == UINT64_MAX ? Duration{0} : Duration(native.smoothed_rtt);
  result.congestion_window = native.cwnd;
  result.bytes_in_flight = native.bytes_in_flight;
  result.packets_lost = datagrams_lost_ + losses_of_closed_;
  for (const auto& [id, stream] : streams_) {
    result.packets_lost += stream.closed ? stream.losses : ngtcp2_conn_get_stream_loss_count(connection_, id);
  }
  return result;
}

}  // namespace distlab::quic
