#include "models/quic/engine_callbacks.h"

#include <algorithm>

#include <fmt/format.h>

namespace distlab::quic {

const ngtcp2_callbacks& Engine::Callbacks::table() {
  static const ngtcp2_callbacks callbacks = [] {
    ngtcp2_callbacks result{};
    result.client_initial = ngtcp2_crypto_client_initial_cb;
    result.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
    result.recv_retry = ngtcp2_crypto_recv_retry_cb;
    result.encrypt = ngtcp2_crypto_encrypt_cb;
    result.decrypt = ngtcp2_crypto_decrypt_cb;
    result.hp_mask = ngtcp2_crypto_hp_mask_cb;
    result.update_key = ngtcp2_crypto_update_key_cb;
    result.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
    result.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
    result.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
    result.recv_crypto_data = recv_crypto_data;
    result.handshake_completed = handshake_completed;
    result.handshake_confirmed = handshake_confirmed;
    result.recv_version_negotiation = recv_version_negotiation;
    result.recv_stateless_reset = recv_stateless_reset;
    result.stream_open = stream_open;
    result.recv_stream_data = recv_stream_data;
    result.acked_stream_data_offset = acked_stream_data;
    result.stream_reset = stream_reset;
    result.stream_close = stream_close;
    result.recv_datagram = recv_datagram;
    result.lost_datagram = lost_datagram;
    result.path_validation = path_validation;
    result.get_new_connection_id = get_new_connection_id;
    result.remove_connection_id = remove_connection_id;
    result.dcid_status = dcid_status;
    result.get_path_challenge_data = get_path_challenge_data;
    result.rand = rand;
    return result;
  }();
  return callbacks;
}

void Engine::Callbacks::write_qlog(void* user_data, uint32_t, const void* data, size_t size) {
  if (size > 0) engine(user_data).qlog_({static_cast<const char*>(data), size});
}

// --- Handshake ----------------------------------------------------------------------------------

int Engine::Callbacks::recv_crypto_data(ngtcp2_conn* connection, ngtcp2_crypto_level level, uint64_t offset,
                                        const uint8_t* data, size_t size, void* user_data) {
  const int result = ngtcp2_crypto_recv_crypto_data_cb(connection, level, offset, data, size, user_data);
  const TlsSession& tls = *engine(user_data).tls_;
  // GnuTLS says bad_certificate whatever was wrong with it.
  if (result != 0 && !tls.refusal().empty()) ngtcp2_conn_set_tls_alert(connection, tls.refusal_alert());
  return result;
}

int Engine::Callbacks::handshake_completed(ngtcp2_conn*, void* user_data) {
  Engine& self = engine(user_data);
  if (!self.tls_->protocol_agreed()) {  // RFC 9001 section 8.1
    self.no_protocol_ = true;
    return NGTCP2_ERR_CALLBACK_FAILURE;
  }
  if (!self.server_) return 0;  // a server may still refuse us
  self.connected_ = true;
  self.push(EngineEvent::Kind::connected);
  return 0;
}

int Engine::Callbacks::handshake_confirmed(ngtcp2_conn*, void* user_data) {
  Engine& self = engine(user_data);
  self.connected_ = true;
  self.push(EngineEvent::Kind::connected);
  return 0;
}

int Engine::Callbacks::recv_version_negotiation(ngtcp2_conn*, const ngtcp2_pkt_hd*, const uint32_t* versions,
                                                size_t count, void* user_data) {
  constexpr size_t enough = 8;
  std::string& words = engine(user_data).offered_versions_;
  words = "the server speaks";
  for (size_t i = 0; i < std::min(count, enough); ++i) words += fmt::format(" {:#x}", versions[i]);
  return 0;
}

int Engine::Callbacks::recv_stateless_reset(ngtcp2_conn*, const ngtcp2_pkt_stateless_reset*, void* user_data) {
  engine(user_data).got_reset_ = true;
  return 0;
}

// --- Streams ------------------------------------------------------------------------------------

int Engine::Callbacks::stream_open(ngtcp2_conn*, int64_t id, void* user_data) {
  Engine& self = engine(user_data);
  self.make_stream(id);
  self.push(EngineEvent::Kind::opened, id);
  return 0;
}

int Engine::Callbacks::recv_stream_data(ngtcp2_conn*, uint32_t flags, int64_t id, uint64_t, const uint8_t* data,
                                        size_t size, void* user_data, void*) {
  Engine& self = engine(user_data);
  Stream* stream = self.find(id);
  if (stream == nullptr || stream->receive_dead) return 0;
  stream->in.insert(stream->in.end(), data, data + size);
  if ((flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0) stream->fin_received = true;
  self.announce(*stream);
  return 0;
}

int Engine::Callbacks::acked_stream_data(ngtcp2_conn*, int64_t id, uint64_t, uint64_t size, void* user_data, void*) {
  Engine& self = engine(user_data);
  Stream* stream = self.find(id);
  if (stream == nullptr || stream->send_dead) return 0;
  stream->out.acknowledged(size);
  if (stream->wants_room && stream->out.size() <= self.room_mark()) {
    stream->wants_room = false;
    self.push(EngineEvent::Kind::writable, id);
  }
  return 0;
}

int Engine::Callbacks::stream_reset(ngtcp2_conn* connection, int64_t id, uint64_t, uint64_t code, void* user_data,
                                    void*) {
  Engine& self = engine(user_data);
  Stream* stream = self.find(id);
  if (stream == nullptr || stream->receive_dead) return 0;
  stream->receive_dead = true;
  ngtcp2_conn_extend_max_offset(connection, stream->in.size());  // nobody will read it
  std::vector<uint8_t>().swap(stream->in);
  self.push(EngineEvent::Kind::reset, id, code);
  return 0;
}

int Engine::Callbacks::stream_close(ngtcp2_conn* connection, uint32_t, int64_t id, uint64_t, void* user_data, void*) {
  Engine& self = engine(user_data);
  Stream* stream = self.find(id);
  if (stream == nullptr) return 0;
  stream->closed = true;
  stream->send_dead = true;
  stream->losses = ngtcp2_conn_get_stream_loss_count(connection, id);
  self.forget_if_done(*stream);
  return 0;
}

int Engine::Callbacks::recv_datagram(ngtcp2_conn*, uint32_t, const uint8_t* data, size_t size, void* user_data) {
  Engine& self = engine(user_data);
  self.datagrams_in_.emplace_back(data, data + size);
  self.push(EngineEvent::Kind::datagram);
  return 0;
}

int Engine::Callbacks::lost_datagram(ngtcp2_conn*, uint64_t, void* user_data) {
  ++engine(user_data).datagrams_lost_;
  return 0;
}

// --- Paths and ids ------------------------------------------------------------------------------

int Engine::Callbacks::path_validation(ngtcp2_conn* connection, uint32_t, const ngtcp2_path* path,
                                       ngtcp2_path_validation_result result, void* user_data) {
  Engine& self = engine(user_data);
  if (result != NGTCP2_PATH_VALIDATION_RESULT_SUCCESS) return 0;
  const Path validated = from_native(*path);
  if (validated == self.reported_path_ || validated != from_native(*ngtcp2_conn_get_path(connection))) return 0;
  self.reported_path_ = validated;
  self.push(EngineEvent::Kind::path_changed);
  return 0;
}

int Engine::Callbacks::get_new_connection_id(ngtcp2_conn*, ngtcp2_cid* id, uint8_t* token, size_t, void* user_data) {
  Engine& self = engine(user_data);
  const ConnectionId fresh = self.new_id();  // all of ours have the size of the first
  *id = to_native(fresh);
  const ResetToken reset_token = self.owner_.reset_token(fresh);
  std::copy(reset_token.begin(), reset_token.end(), token);
  self.owner_.on_id_issued(fresh);
  return 0;
}

int Engine::Callbacks::remove_connection_id(ngtcp2_conn*, const ngtcp2_cid* id, void* user_data) {
  engine(user_data).owner_.on_id_retired(from_native(*id));
  return 0;
}

int Engine::Callbacks::dcid_status(ngtcp2_conn*, int type, uint64_t, const ngtcp2_cid*, const uint8_t* token,
                                   void* user_data) {
  if (token == nullptr) return 0;
  ResetToken copy{};
  std::copy_n(token, copy.size(), copy.begin());
  engine(user_data).owner_.on_peer_token(copy, type == NGTCP2_CONNECTION_ID_STATUS_TYPE_ACTIVATE);
  return 0;
}

// Unpredictable to others, or an attacker could validate a path it does not see (RFC 9000 section 21.1).
int Engine::Callbacks::get_path_challenge_data(ngtcp2_conn*, uint8_t* data, void* user_data) {
  engine(user_data).owner_.fill_secret({data, NGTCP2_PATH_CHALLENGE_DATALEN});
  return 0;
}

void Engine::Callbacks::rand(uint8_t* out, size_t size, const ngtcp2_rand_ctx* context) {
  static_cast<RandomStream*>(context->native_handle)->fill({out, size});
}

}  // namespace distlab::quic
