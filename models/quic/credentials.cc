#include "models/quic/credentials.h"

#include <gnutls/x509.h>

#include "models/quic/loaded_credentials.h"
#include "models/quic/tls.h"

namespace distlab::quic {
namespace {

gnutls_datum_t datum(const std::string& text) {
  // GnuTLS takes what it only reads by non-const pointer.
  return {reinterpret_cast<unsigned char*>(const_cast<char*>(text.data())), static_cast<unsigned>(text.size())};
}

using KeyId = std::array<unsigned char, 32>;  // SHA-256 of the public key

// GnuTLS 3.7.9 takes any Ed25519 key for any certificate.
bool belong_together(gnutls_certificate_credentials_t credentials) {
  KeyId of_key{}, of_certificate{};
  size_t size = of_key.size();
  gnutls_x509_privkey_t key = nullptr;
  if (gnutls_certificate_get_x509_key(credentials, 0, &key) < 0) return false;
  const int have_key = gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, of_key.data(), &size);
  gnutls_x509_privkey_deinit(key);
  gnutls_x509_crt_t* chain = nullptr;
  unsigned count = 0;
  if (gnutls_certificate_get_x509_crt(credentials, 0, &chain, &count) < 0) return false;
  int have_certificate = -1;
  for (unsigned i = 0; i < count; ++i) {
    size = of_certificate.size();
    if (i == 0) {
      have_certificate = gnutls_x509_crt_get_key_id(chain[0], GNUTLS_KEYID_USE_SHA256, of_certificate.data(), &size);
    }
    gnutls_x509_crt_deinit(chain[i]);
  }
  gnutls_free(chain);
  return have_key >= 0 && have_certificate >= 0 && of_key == of_certificate;
}

}  // namespace

tl::expected<std::shared_ptr<const ServerCredentials>, std::string> ServerCredentials::load(const PemPair& pair) {
  auto loaded = std::make_shared<LoadedServerCredentials>();
  const gnutls_datum_t certificate = datum(pair.certificate), key = datum(pair.key);
  const int result =
      gnutls_certificate_set_x509_key_mem2(loaded->gnutls.get(), &certificate, &key, GNUTLS_X509_FMT_PEM, nullptr, 0);
  if (result < 0) return tl::unexpected(std::string("certificate or key: ") + gnutls_strerror(result));
  if (!belong_together(loaded->gnutls.get())) {
    return tl::unexpected(std::string("certificate or key: they do not belong together"));
  }
  return loaded;
}

tl::expected<std::shared_ptr<const ClientCredentials>, std::string> ClientCredentials::load(const std::string& ca_pem) {
  auto loaded = std::make_shared<LoadedClientCredentials>();
  // The date is compared in TlsSession: GnuTLS would ask the machine's clock.
  gnutls_certificate_set_verify_flags(loaded->gnutls.get(), GNUTLS_VERIFY_DISABLE_TIME_CHECKS);
  gnutls_certificate_set_verify_function(loaded->gnutls.get(), &TlsSession::verify_peer);
  if (ca_pem.empty()) return loaded;
  const gnutls_datum_t anchors = datum(ca_pem);
  const int count = gnutls_certificate_set_x509_trust_mem(loaded->gnutls.get(), &anchors, GNUTLS_X509_FMT_PEM);
  if (count < 0) return tl::unexpected(std::string("CA certificate: ") + gnutls_strerror(count));
  if (count == 0) return tl::unexpected(std::string("CA certificate: none in the text"));
  return loaded;
}

}  // namespace distlab::quic
