// The sending half of an Engine: what goes into the next packet, and how it says goodbye.
#include <algorithm>
#include <array>
#include <utility>

#include "models/quic/engine.h"

namespace distlab::quic {
namespace {

constexpr uint64_t connection_refused = NGTCP2_CONNECTION_REFUSED;
constexpr uint64_t closed_in_handshake = 0x0c;                 // APPLICATION_ERROR, RFC 9000 section 10.2.3
constexpr Duration no_idle_linger = std::chrono::minutes{10};  // of one that died silently and has no idle timeout

// These leave the packet as it is: the next stream may still go into it.
bool concerns_one_stream(ngtcp2_ssize result) {
  return result == NGTCP2_ERR_STREAM_DATA_BLOCKED || result == NGTCP2_ERR_STREAM_SHUT_WR ||
         result == NGTCP2_ERR_STREAM_NOT_FOUND;
}

// A peer's words end up in logs and reports: printable ASCII only.
std::string printable(const uint8_t* text, size_t size) {
  std::string words(reinterpret_cast<const char*>(text), size);
  std::replace_if(
      words.begin(), words.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return words;
}

}  // namespace

// --- Packets ------------------------------------------------------------------------------------

void Engine::flush(Time now, PacketSink& sink, std::span<uint8_t> buffer) {
  if (std::exchange(close_on_flush_, false)) {
    ++counters_.packets_sent;
    counters_.bytes_sent += remains_.close_packet.size();
    sink.send(remains_.path, remains_.close_packet);
  }
  if (ended_) return;
  const size_t quantum = ngtcp2_conn_get_send_quantum(connection_);
  for (size_t sent = 0; sent == 0 || sent + packet_size_ <= quantum;) {
    NativePath path;
    const ngtcp2_ssize size = write_packet(now, path, buffer);
    if (size < 0) {
      failed(static_cast<int>(size), now);
      return flush(now, sink, buffer);  // the close packet
    }
    if (size == 0) break;
    sent += static_cast<size_t>(size);
    ++counters_.packets_sent;
    counters_.bytes_sent += static_cast<uint64_t>(size);
    sink.send(path.value(), buffer.first(static_cast<size_t>(size)));
  }
  ngtcp2_conn_update_pkt_tx_time(connection_, to_native(now));
}

// One packet, filled with datagrams first and then with streams in turn. 0: nothing to send, or not now.
ngtcp2_ssize Engine::write_packet(Time now, NativePath& path, std::span<uint8_t> buffer) {
  ngtcp2_pkt_info info{};
  while (!datagrams_out_.empty() || !ready_.empty()) {
    const ngtcp2_ssize result =
        !datagrams_out_.empty() ? write_datagram(now, path, info, buffer) : write_stream(now, path, info, buffer);
    if (result != NGTCP2_ERR_WRITE_MORE && !concerns_one_stream(result)) return result;
  }
  return ngtcp2_conn_writev_stream(connection_, path.get(), &info, buffer.data(), packet_size_, nullptr,
                                   NGTCP2_WRITE_STREAM_FLAG_NONE, -1, nullptr, 0, to_native(now));
}

ngtcp2_ssize Engine::write_datagram(Time now, NativePath& path, ngtcp2_pkt_info& info, std::span<uint8_t> buffer) {
  std::vector<uint8_t>& datagram = datagrams_out_.front();
  if (datagram.size() > largest_datagram()) {  // the path has become narrower since
    datagrams_out_.pop_front();
    return NGTCP2_ERR_WRITE_MORE;
  }
  const ngtcp2_vec piece{datagram.data(), datagram.size()};
  const size_t pieces = datagram.empty() ? 0 : 1;  // ngtcp2 asserts that no piece is empty
  int accepted = 0;
  const ngtcp2_ssize result =
      ngtcp2_conn_writev_datagram(connection_, path.get(), &info, buffer.data(), packet_size_, &accepted,
                                  NGTCP2_WRITE_DATAGRAM_FLAG_MORE, next_datagram_, &piece, pieces, to_native(now));
  if (accepted != 0) {
    ++next_datagram_;
    datagrams_out_.pop_front();
  }
  return result;
}

ngtcp2_ssize Engine::write_stream(Time now, NativePath& path, ngtcp2_pkt_info& info, std::span<uint8_t> buffer) {
  const StreamId id = ready_.front();
  ready_.pop_front();
  Stream* stream = find(id);
  if (stream == nullptr) return NGTCP2_ERR_STREAM_NOT_FOUND;
  stream->ready = false;
  if (stream->send_dead) return NGTCP2_ERR_STREAM_SHUT_WR;
  const SendBuffer::Unsent unsent = stream->out.unsent();
  std::array<ngtcp2_vec, SendBuffer::max_pieces> pieces{};
  for (size_t i = 0; i < unsent.count; ++i) {
    pieces[i] = {const_cast<uint8_t*>(unsent.pieces[i].data()), unsent.pieces[i].size()};  // only read
  }
  const bool last = stream->fin && unsent.all;
  const uint32_t flags =
      NGTCP2_WRITE_STREAM_FLAG_MORE | (last ? NGTCP2_WRITE_STREAM_FLAG_FIN : NGTCP2_WRITE_STREAM_FLAG_NONE);
  ngtcp2_ssize taken = -1;
  const ngtcp2_ssize result = ngtcp2_conn_writev_stream(connection_, path.get(), &info, buffer.data(), packet_size_,
                                                        &taken, flags, id, pieces.data(), unsent.count, to_native(now));
  if (result == NGTCP2_ERR_STREAM_DATA_BLOCKED) {
    stream->blocked = true;
    blocked_.push_back(id);
  } else if (concerns_one_stream(result)) {
    stream->send_dead = true;  // the peer asked us to stop
  } else {
    stream_written(*stream, unsent, taken);
  }
  return result;
}

void Engine::stream_written(Stream& stream, const SendBuffer::Unsent& offered, ngtcp2_ssize taken) {
  if (taken >= 0) {
    stream.out.sent(static_cast<size_t>(taken));
    if (stream.fin && offered.all && static_cast<size_t>(taken) == offered.size) stream.fin_sent = true;
    make_ready(stream);  // behind the others
  } else {
    stream.ready = true;  // nothing went out: still its turn
    ready_.push_front(stream.id);
  }
}

void Engine::make_ready(Stream& stream) {
  if (stream.ready || stream.blocked || stream.send_dead) return;
  if (stream.out.unsent_size() == 0 && (!stream.fin || stream.fin_sent)) return;
  stream.ready = true;
  ready_.push_back(stream.id);
}

// Whatever arrived may have opened a window, the stream's or the connection's.
void Engine::retry_blocked() {
  for (const StreamId id : std::exchange(blocked_, {})) {
    Stream* stream = find(id);
    if (stream == nullptr) continue;
    stream->blocked = false;
    make_ready(*stream);
  }
}

// A write() that took less is told of room when a quarter of the buffer is free: not with every packet.
size_t Engine::room_mark() const {
  const size_t quarter = std::max<size_t>(1, transport_.send_buffer / 4);
  return transport_.send_buffer - std::min(quarter, transport_.send_buffer);
}

size_t Engine::largest_datagram() const {
  const ngtcp2_transport_params* peer = ngtcp2_conn_get_remote_transport_params(connection_);
  if (peer == nullptr || peer->max_datagram_frame_size == 0) return 0;
  constexpr size_t frame_header = 1 + 2;          // type, length (RFC 9221 section 4)
  constexpr size_t packet_overhead = 1 + 4 + 16;  // first byte, packet number, tag; and the id
  const size_t id = ngtcp2_conn_get_dcid(connection_)->datalen;
  const size_t packet = ngtcp2_conn_get_path_max_tx_udp_payload_size(connection_) - packet_overhead - id;
  const size_t frame = std::min<size_t>(packet, peer->max_datagram_frame_size);
  return frame > frame_header ? frame - frame_header : 0;
}

// --- The end ------------------------------------------------------------------------------------

void Engine::close(Time now, uint64_t code, std::string_view reason, PacketSink& sink, std::span<uint8_t> buffer) {
  if (ended_) return;
  flush(now, sink, buffer);  // what was written before shall not be lost to the goodbye
  if (ended_) return;
  reason = reason.substr(0, max_reason);
  const std::vector<uint8_t> bytes(reason.begin(), reason.end());
  ngtcp2_connection_close_error error;
  ngtcp2_connection_close_error_set_application_error(&error, std::min<uint64_t>(code, NGTCP2_MAX_VARINT), bytes.data(),
                                                      bytes.size());
  write_close(error, now);
  finish_with({EndKind::local, code, std::string(reason)});
  flush(now, sink, buffer);
}

void Engine::finish_with(End end) {
  if (ended_) return;
  ended_ = true;
  end_ = std::move(end);
  push(EngineEvent::Kind::ended);
}

Duration Engine::close_period() const {
  return 3 * Duration(ngtcp2_conn_get_pto(connection_));  // RFC 9000 section 10.2
}

Remains Engine::remains() const {
  if (ended_) return remains_;
  Duration idle = transport_.idle_timeout;
  const ngtcp2_transport_params* peer = ngtcp2_conn_get_remote_transport_params(connection_);
  if (peer != nullptr && peer->max_idle_timeout > 0) {
    const auto theirs = Duration(peer->max_idle_timeout);
    idle = idle > Duration{0} ? std::min(idle, theirs) : theirs;
  }
  // The peer's own idle timer starts anew with its first packet after our last (RFC 9000 section 10.1).
  return {idle > Duration{0} ? 2 * idle : no_idle_linger, {}, {}};
}

void Engine::write_close(const ngtcp2_connection_close_error& error, Time now) {
  NativePath path;
  remains_.close_packet.resize(packet_size_);
  const ngtcp2_ssize size =
      ngtcp2_conn_write_connection_close(connection_, path.get(), nullptr, remains_.close_packet.data(),
                                         remains_.close_packet.size(), &error, to_native(now));
  remains_.close_packet.resize(static_cast<size_t>(std::max<ngtcp2_ssize>(size, 0)));  // not every state can speak
  remains_.close_packet.shrink_to_fit();
  remains_.path = path.value();
  remains_.linger = close_period();
  close_on_flush_ = !remains_.close_packet.empty();
}

// What ngtcp2 returned: why the connection has come to its end.
void Engine::failed(int error, Time now) {
  if (ended_) return;
  ngtcp2_connection_close_error close;
  ngtcp2_connection_close_error_default(&close);
  if (got_reset_) return finish_with({EndKind::stateless_reset, 0, {}});
  if (error == NGTCP2_ERR_DRAINING) return peer_closed();
  if (error == NGTCP2_ERR_IDLE_CLOSE) {
    if (connected_) return finish_with({EndKind::idle, 0, {}});
    return finish_with({EndKind::handshake_timeout, 0, heard_ ? "the handshake was not completed" : "no answer"});
  }
  if (error == NGTCP2_ERR_RECV_VERSION_NEGOTIATION) return finish_with({EndKind::version, 0, offered_versions_});
  if (error == NGTCP2_ERR_DROP_CONN || error == NGTCP2_ERR_RETRY) {
    const char* const words =
        error == NGTCP2_ERR_RETRY ? ngtcp2_strerror(error) : "its first packet does not begin a connection";
    return finish_with({EndKind::transport, 0, words});  // without a word (RFC 9000 section 5.2)
  }
  if (error == NGTCP2_ERR_NOMEM || (error == NGTCP2_ERR_CALLBACK_FAILURE && !no_protocol_)) {
    return finish_with({EndKind::host, 0, std::string("the QUIC or TLS library failed: ") + ngtcp2_strerror(error)});
  }
  if (error == NGTCP2_ERR_CRYPTO || no_protocol_) {
    const uint8_t alert =
        no_protocol_ ? uint8_t{GNUTLS_A_NO_APPLICATION_PROTOCOL} : ngtcp2_conn_get_tls_alert(connection_);
    const std::string words = tls_->refusal().substr(0, max_reason);
    ngtcp2_connection_close_error_set_transport_error_tls_alert(
        &close, alert, reinterpret_cast<const uint8_t*>(words.data()), words.size());
    write_close(close, now);
    return finish_with({EndKind::tls, alert, words});
  }
  ngtcp2_connection_close_error_set_transport_error_liberr(&close, error, nullptr, 0);
  write_close(close, now);
  finish_with({EndKind::transport, close.error_code, ngtcp2_strerror(error)});
}

// A CONNECTION_CLOSE from the peer.
void Engine::peer_closed() {
  ngtcp2_connection_close_error error;
  ngtcp2_conn_get_connection_close_error(connection_, &error);
  std::string reason = printable(error.reason, error.reasonlen);
  remains_.linger = close_period();  // draining: late packets are swallowed
  if (error.type == NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_APPLICATION) {
    return finish_with({EndKind::application, error.error_code, std::move(reason)});
  }
  if (error.error_code == closed_in_handshake) {  // the true code is not told before the keys are agreed
    return finish_with({EndKind::application, 0, "closed during the handshake"});
  }
  if (error.error_code == connection_refused)
    return finish_with({EndKind::refused, connection_refused, std::move(reason)});
  if ((error.error_code & ~uint64_t{0xff}) == NGTCP2_CRYPTO_ERROR) {
    return finish_with({EndKind::tls, error.error_code & 0xff, std::move(reason)});
  }
  finish_with({EndKind::transport, error.error_code, std::move(reason)});
}

}  // namespace distlab::quic
