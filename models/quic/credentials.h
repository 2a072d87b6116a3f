// Keys and certificates for QUIC: Ed25519 throughout, so that every handshake has the same sizes
// (facts ns3-quic.md section 4). Made from secrets the caller gives; nothing here draws a random number.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace distlab::quic {

using Secret = std::array<uint8_t, 32>;  // the private key of an Ed25519 pair

struct CertificateRequest {
  std::string common_name;
  std::vector<std::string> dns_names;  // subjectAltName; what a verifying client compares
  bool expired = false;                // validity long past, instead of from 2020 to 2120
  bool client = false;                 // a client may show it, too
};

struct PemPair {
  std::string certificate;  // PEM; the chain, leaf first
  std::string key;          // PEM, PKCS #8
};

// A certificate authority for scenarios and tests.
class Authority {
 public:
  Authority(std::string common_name, Secret secret);
  const std::string& certificate() const { return pem_.certificate; }
  PemPair issue(const CertificateRequest& request, Secret secret) const;

 private:
  PemPair pem_;
};

PemPair self_signed(const CertificateRequest& request, Secret secret);

// Loaded once and shared by all connections that use them. Errors say what is wrong with the PEM text.
class ServerCredentials {
 public:
  static tl::expected<std::shared_ptr<const ServerCredentials>, std::string> load(const PemPair& pair);
  virtual ~ServerCredentials() = default;
};
// Trust anchors of a client; `ca` may be empty when nothing is verified.
class ClientCredentials {
 public:
  static tl::expected<std::shared_ptr<const ClientCredentials>, std::string> load(const std::string& ca_pem);
  virtual ~ClientCredentials() = default;
};

}  // namespace distlab::quic
