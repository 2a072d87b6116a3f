// TLS 1.3 for one connection, by GnuTLS behind ngtcp2's crypto library.
//
// What GnuTLS draws from its own random source are keys and nonces of fixed size; what it would
// ask a clock for (validity of certificates, session tickets, handshake deadlines) is switched off
// or answered here.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <tl/expected.hpp>

#include "models/quic/credentials.h"
#include "models/quic/settings.h"

namespace distlab::quic {

class TlsSession {
 public:
  struct Client {
    std::string alpn;
    TlsVerify verify = TlsVerify::none;
    std::string server_name;
    std::shared_ptr<const ClientCredentials> credentials;
    std::chrono::sys_seconds date;  // today, for the validity of certificates
  };
  struct Server {
    std::string alpn;
    std::shared_ptr<const ServerCredentials> credentials;
  };

  static tl::expected<std::unique_ptr<TlsSession>, std::string> open(Client settings);
  static tl::expected<std::unique_ptr<TlsSession>, std::string> open(Server settings);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  void attach(ngtcp2_conn* connection);  // before anything else; the connection knows us then
  // Whether the two sides chose our application protocol; to be asked when the handshake is complete.
  bool protocol_agreed() const;
  // Why the peer's certificate was refused: words and TLS alert; no words when it was not.
  const std::string& refusal() const { return refusal_; }
  uint8_t refusal_alert() const { return refusal_alert_; }

  // For GnuTLS: judges the peer's certificate. Non-zero refuses it.
  static int verify_peer(gnutls_session_t session);

 private:
  explicit TlsSession(std::string alpn) : alpn_(std::move(alpn)) {}
  tl::expected<void, std::string> prepare(unsigned flags, gnutls_certificate_credentials_t credentials);
  int judge();
  unsigned date_faults() const;

  gnutls_session_t session_ = nullptr;
  ngtcp2_conn* connection_ = nullptr;
  ngtcp2_crypto_conn_ref reference_{};  // GnuTLS' way back to the connection and to us
  std::string alpn_;
  std::shared_ptr<const ServerCredentials> server_;
  Client client_;
  std::string refusal_;
  uint8_t refusal_alert_ = 0;
};

}  // namespace distlab::quic
