#include "scenarios/cast/certificates.h"

#include <cassert>

#include <fmt/format.h>

#include "models/host/random.h"

namespace distlab::cast {
namespace {

quic::Secret secret(uint64_t seed, const std::string& name) {
  quic::Secret out;
  RandomStream(seed, "certificates", name).fill(out);
  return out;
}

quic::CertificateRequest request_for(const scenario::Relay& relay) {
  const bool wrong = relay.certificate == scenario::Certificate::wrong_name;
  const std::string name = wrong ? "another." + relay.host : relay.host;
  return {name, {name}, relay.certificate == scenario::Certificate::expired};
}

}  // namespace

Certificates::Certificates(const scenario::Scenario& scenario, uint64_t seed) {
  if (scenario.relays.empty()) return;
  const quic::Authority known("distlab authority", secret(seed, "authority"));
  const quic::Authority foreign("foreign authority", secret(seed, "foreign authority"));
  const auto trusted = quic::ClientCredentials::load(known.certificate());
  assert(trusted);
  trusted_ = *trusted;
  for (const auto& [key, relay] : scenario.relays) {
    const quic::Authority& issuer = relay.certificate == scenario::Certificate::foreign ? foreign : known;
    const auto credentials =
        quic::ServerCredentials::load(issuer.issue(request_for(relay), secret(seed, fmt::format("relay.{}", key))));
    assert(credentials);
    relays_.emplace(key, *credentials);
  }
}

}  // namespace distlab::cast
