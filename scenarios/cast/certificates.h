// The keys and certificates of a run: one authority that the nodes know, one that they do not, and a
// certificate for every relay. They depend on the seed alone.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "models/quic/credentials.h"
#include "scenarios/scenario.h"

namespace distlab::cast {

class Certificates {
 public:
  Certificates(const scenario::Scenario& scenario, uint64_t seed);

  std::shared_ptr<const quic::ServerCredentials> of_relay(const std::string& key) const { return relays_.at(key); }
  std::shared_ptr<const quic::ClientCredentials> trusted() const { return trusted_; }  // what nodes verify with

 private:
  std::map<std::string, std::shared_ptr<const quic::ServerCredentials>> relays_;
  std::shared_ptr<const quic::ClientCredentials> trusted_;
};

}  // namespace distlab::cast
