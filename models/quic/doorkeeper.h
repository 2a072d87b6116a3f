// What a socket does with a packet of no connection it knows: ignore it, answer without keeping
// anything (Version Negotiation, Retry, a stateless reset, a refusal), or let a client in.
#pragma once

#include <array>
#include <variant>
#include <vector>

#include "models/host/random.h"
#include "models/quic/engine.h"

namespace distlab::quic {

class Doorkeeper {
 public:
  // `random` shapes the ids and lengths of answers; the secrets are keys.
  Doorkeeper(RandomStream random, std::array<uint8_t, 32> token_secret, std::vector<uint8_t> reset_key);

  struct Ignore {};
  using Answer = std::vector<uint8_t>;
  using Verdict = std::variant<Ignore, Answer, Admission>;

  // The id a packet is for; empty: not a packet of any QUIC.
  static std::optional<ConnectionId> destination(Bytes datagram);

  void set_reset_key(std::vector<uint8_t> key) { reset_key_ = std::move(key); }
  ResetToken reset_token(const ConnectionId& id) const;

  // A packet to a listening socket, or (accepting false) to one that only dials.
  Verdict judge(Time now, Endpoint from, Bytes datagram, bool accepting, bool validate_address);
  // CONNECTION_REFUSED (RFC 9000 section 20.1) for one that was let in, but not by the limits.
  static Answer refusal(const Admission& admission);

 private:
  Answer negotiate_version(Bytes datagram);
  Answer retry(Time now, Endpoint from, const ngtcp2_pkt_hd& first);
  Verdict admit(Time now, Endpoint from, const ngtcp2_pkt_hd& first, bool validate_address);
  Verdict reset(Bytes datagram);

  RandomStream random_;
  std::array<uint8_t, 32> token_secret_;
  std::vector<uint8_t> reset_key_;
};

}  // namespace distlab::quic
