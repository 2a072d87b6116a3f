#include "models/quic/tls.h"

#include <array>
#include <utility>

#include <gnutls/x509.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include "models/host/endpoint.h"
#include "models/quic/loaded_credentials.h"

namespace distlab::quic {
namespace {

// One cipher, one group, no compatibility session id: every handshake has the same sizes
// (facts ns3-quic.md section 4).
constexpr const char* priority_text =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:-GROUP-ALL:+GROUP-X25519:%DISABLE_TLS13_COMPAT_MODE";

// Parsed once: it costs as much as half a handshake.
gnutls_priority_t priorities() {
  static const gnutls_priority_t parsed = [] {
    gnutls_priority_t result = nullptr;
    gnutls_priority_init(&result, priority_text, nullptr);
    return result;
  }();
  return parsed;
}

// RFC 8446 section 6.2.
uint8_t alert_for(unsigned status) {
  if ((status & GNUTLS_CERT_SIGNER_NOT_FOUND) != 0) return GNUTLS_A_UNKNOWN_CA;
  if ((status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED)) != 0) return GNUTLS_A_CERTIFICATE_EXPIRED;
  return GNUTLS_A_BAD_CERTIFICATE;
}

std::string words_for(unsigned status) {
  gnutls_datum_t text{};
  if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) < 0) return "refused";
  std::string words(reinterpret_cast<const char*>(text.data), text.size);
  gnutls_free(text.data);
  while (!words.empty() && (words.back() == ' ' || words.back() == '\0')) words.pop_back();
  return words;
}

}  // namespace

TlsSession::~TlsSession() {
  if (session_ != nullptr) gnutls_deinit(session_);
}

tl::expected<std::unique_ptr<TlsSession>, std::string> TlsSession::open(Client settings) {
  std::unique_ptr<TlsSession> tls(new TlsSession(settings.alpn));
  tls->client_ = std::move(settings);
  Client& client = tls->client_;
  if (client.credentials == nullptr) client.credentials = *ClientCredentials::load("");
  const auto* loaded = dynamic_cast<const LoadedClientCredentials*>(client.credentials.get());
  if (loaded == nullptr) return tl::unexpected(std::string("credentials of an unknown kind"));
  if (const auto done = tls->prepare(GNUTLS_CLIENT, loaded->gnutls.get()); !done) return tl::unexpected(done.error());
  // RFC 6066 section 3: no literal addresses.
  if (!client.server_name.empty() && !Ipv4::parse(client.server_name)) {
    const int set =
        gnutls_server_name_set(tls->session_, GNUTLS_NAME_DNS, client.server_name.data(), client.server_name.size());
    if (set < 0) return tl::unexpected(std::string("server name: ") + gnutls_strerror(set));
  }
  if (ngtcp2_crypto_gnutls_configure_client_session(tls->session_) != 0) {
    return tl::unexpected(std::string("no QUIC in this TLS library"));
  }
  return tls;
}

tl::expected<std::unique_ptr<TlsSession>, std::string> TlsSession::open(Server settings) {
  std::unique_ptr<TlsSession> tls(new TlsSession(settings.alpn));
  tls->server_ = std::move(settings.credentials);
  const auto* loaded = dynamic_cast<const LoadedServerCredentials*>(tls->server_.get());
  if (loaded == nullptr) return tl::unexpected(std::string("no certificate"));
  if (const auto done = tls->prepare(GNUTLS_SERVER, loaded->gnutls.get()); !done) return tl::unexpected(done.error());
  if (ngtcp2_crypto_gnutls_configure_server_session(tls->session_) != 0) {
    return tl::unexpected(std::string("no QUIC in this TLS library"));
  }
  return tls;
}

tl::expected<void, std::string> TlsSession::prepare(unsigned flags, gnutls_certificate_credentials_t credentials) {
  // No tickets: nobody resumes, and their times would be the machine's clock's.
  flags |= GNUTLS_NO_TICKETS | GNUTLS_NO_AUTO_SEND_TICKET | GNUTLS_NO_END_OF_EARLY_DATA;
  int result = gnutls_init(&session_, flags);
  if (result == 0) result = gnutls_priority_set(session_, priorities());
  if (result == 0) result = gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, credentials);
  if (result == 0 && !alpn_.empty()) {
    const gnutls_datum_t name{reinterpret_cast<unsigned char*>(alpn_.data()), static_cast<unsigned>(alpn_.size())};
    result = gnutls_alpn_set_protocols(session_, &name, 1, GNUTLS_ALPN_MANDATORY);
  }
  if (result < 0) return tl::unexpected(std::string("TLS: ") + gnutls_strerror(result));
  gnutls_handshake_set_timeout(session_, 0);  // the connection has its own, on the host's time
  reference_.get_conn = [](ngtcp2_crypto_conn_ref* reference) {
    return static_cast<TlsSession*>(reference->user_data)->connection_;
  };
  reference_.user_data = this;
  gnutls_session_set_ptr(session_, &reference_);
  return {};
}

void TlsSession::attach(ngtcp2_conn* connection) {
  connection_ = connection;
  ngtcp2_conn_set_tls_native_handle(connection, session_);
}

bool TlsSession::protocol_agreed() const {
  if (alpn_.empty()) return true;
  gnutls_datum_t chosen{};
  if (gnutls_alpn_get_selected_protocol(session_, &chosen) < 0) return false;
  return alpn_ == std::string_view(reinterpret_cast<const char*>(chosen.data), chosen.size);
}

int TlsSession::verify_peer(gnutls_session_t session) {
  auto* reference = static_cast<ngtcp2_crypto_conn_ref*>(gnutls_session_get_ptr(session));
  return static_cast<TlsSession*>(reference->user_data)->judge();
}

int TlsSession::judge() {
  if (client_.verify == TlsVerify::none) return 0;
  if (client_.server_name.empty()) {  // GnuTLS would then compare none
    refusal_ = "no server name to compare the certificate with";
    refusal_alert_ = GNUTLS_A_BAD_CERTIFICATE;
    return GNUTLS_E_CERTIFICATE_ERROR;
  }
  unsigned status = 0;
  const int result = gnutls_certificate_verify_peers3(session_, client_.server_name.c_str(), &status);
  if (result < 0) {
    refusal_ = gnutls_strerror(result);
    refusal_alert_ = GNUTLS_A_BAD_CERTIFICATE;
    return result;
  }
  status |= date_faults();
  if (status == 0) return 0;
  refusal_ = words_for(status | GNUTLS_CERT_INVALID);
  refusal_alert_ = alert_for(status);
  return GNUTLS_E_CERTIFICATE_ERROR;
}

unsigned TlsSession::date_faults() const {
  unsigned count = 0, faults = 0;
  const gnutls_datum_t* chain = gnutls_certificate_get_peers(session_, &count);
  const auto today = static_cast<time_t>(client_.date.time_since_epoch().count());
  for (unsigned i = 0; i < count; ++i) {
    gnutls_x509_crt_t certificate = nullptr;
    if (gnutls_x509_crt_init(&certificate) < 0) return GNUTLS_CERT_INVALID;
    if (gnutls_x509_crt_import(certificate, &chain[i], GNUTLS_X509_FMT_DER) < 0) {
      faults |= GNUTLS_CERT_INVALID;
    } else {
      if (gnutls_x509_crt_get_expiration_time(certificate) < today) faults |= GNUTLS_CERT_EXPIRED;
      if (gnutls_x509_crt_get_activation_time(certificate) > today) faults |= GNUTLS_CERT_NOT_ACTIVATED;
    }
    gnutls_x509_crt_deinit(certificate);
  }
  return faults;
}

}  // namespace distlab::quic
