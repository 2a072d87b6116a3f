// Certificates and keys of a daemon, from files.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "models/quic/credentials.h"

namespace distlab::daemon {

struct LoadedCertificate {
  std::shared_ptr<const quic::ServerCredentials> credentials;
  std::string pem;          // the chain
  std::string subject;      // "CN = berlin.relay.example"
  std::string fingerprint;  // SHA-256 of the first certificate, in hex
  std::chrono::system_clock::time_point not_before, not_after;
  // A reason to warn: expired, not valid yet, or soon to expire; else empty.
  std::string doubt(std::chrono::system_clock::time_point now) const;
};

// Errors are one line that names the file.
tl::expected<LoadedCertificate, std::string> load_certificate(const std::string& certificate_path,
                                                              const std::string& key_path);
// A pair of its own, for these names.
tl::expected<LoadedCertificate, std::string> make_certificate(const std::string& name);
tl::expected<std::shared_ptr<const quic::ClientCredentials>, std::string> load_authorities(const std::string& path);

}  // namespace distlab::daemon
