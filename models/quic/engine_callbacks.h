// What ngtcp2 calls while it works for an Engine. None of it calls the application: what happened
// becomes an event that the engine's owner fetches when ngtcp2 has returned.
#pragma once

#include "models/quic/engine.h"

namespace distlab::quic {

struct Engine::Callbacks {
  static const ngtcp2_callbacks& table();
  static void write_qlog(void* user_data, uint32_t flags, const void* data, size_t size);

 private:
  static Engine& engine(void* user_data) { return *static_cast<Engine*>(user_data); }
  static int recv_crypto_data(ngtcp2_conn* connection, ngtcp2_crypto_level level, uint64_t offset, const uint8_t* data,
                              size_t size, void* user_data);
  static int handshake_completed(ngtcp2_conn* connection, void* user_data);
  static int handshake_confirmed(ngtcp2_conn* connection, void* user_data);
  static int recv_version_negotiation(ngtcp2_conn* connection, const ngtcp2_pkt_hd* header, const uint32_t* versions,
                                      size_t count, void* user_data);
  static int recv_stateless_reset(ngtcp2_conn* connection, const ngtcp2_pkt_stateless_reset* reset, void* user_data);
  static int stream_open(ngtcp2_conn* connection, int64_t id, void* user_data);
  static int recv_stream_data(ngtcp2_conn* connection, uint32_t flags, int64_t id, uint64_t offset, const uint8_t* data,
                              size_t size, void* user_data, void* stream_user_data);
  static int acked_stream_data(ngtcp2_conn* connection, int64_t id, uint64_t offset, uint64_t size, void* user_data,
                               void* stream_user_data);
  static int stream_reset(ngtcp2_conn* connection, int64_t id, uint64_t final_size, uint64_t code, void* user_data,
                          void* stream_user_data);
  static int stream_close(ngtcp2_conn* connection, uint32_t flags, int64_t id, uint64_t code, void* user_data,
                          void* stream_user_data);
  static int recv_datagram(ngtcp2_conn* connection, uint32_t flags, const uint8_t* data, size_t size, void* user_data);
  static int lost_datagram(ngtcp2_conn* connection, uint64_t id, void* user_data);
  static int path_validation(ngtcp2_conn* connection, uint32_t flags, const ngtcp2_path* path,
                             ngtcp2_path_validation_result result, void* user_data);
  static int get_new_connection_id(ngtcp2_conn* connection, ngtcp2_cid* id, uint8_t* token, size_t size,
                                   void* user_data);
  static int remove_connection_id(ngtcp2_conn* connection, const ngtcp2_cid* id, void* user_data);
  static int dcid_status(ngtcp2_conn* connection, int type, uint64_t sequence, const ngtcp2_cid* id,
                         const uint8_t* token, void* user_data);
  static int get_path_challenge_data(ngtcp2_conn* connection, uint8_t* data, void* user_data);
  static void rand(uint8_t* out, size_t size, const ngtcp2_rand_ctx* context);
};

}  // namespace distlab::quic
