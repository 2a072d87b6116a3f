// What ServerCredentials and ClientCredentials are underneath: GnuTLS' shared credentials.
#pragma once

#include <gnutls/gnutls.h>

#include "models/quic/credentials.h"

namespace distlab::quic {

class GnutlsCredentials {
 public:
  GnutlsCredentials() { gnutls_certificate_allocate_credentials(&handle_); }
  ~GnutlsCredentials() { gnutls_certificate_free_credentials(handle_); }
  GnutlsCredentials(const GnutlsCredentials&) = delete;
  GnutlsCredentials& operator=(const GnutlsCredentials&) = delete;
  gnutls_certificate_credentials_t get() const { return handle_; }

 private:
  gnutls_certificate_credentials_t handle_ = nullptr;
};

struct LoadedServerCredentials final : ServerCredentials {
  GnutlsCredentials gnutls;
};
struct LoadedClientCredentials final : ClientCredentials {
  GnutlsCredentials gnutls;
};

}  // namespace distlab::quic
