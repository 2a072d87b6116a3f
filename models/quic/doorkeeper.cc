#include "models/quic/doorkeeper.h"

#include <algorithm>
#include <utility>

#include <ngtcp2/ngtcp2_crypto.h>

namespace distlab::quic {
namespace {

constexpr ngtcp2_duration token_lifetime = 10 * NGTCP2_SECONDS;  // of a Retry: a round trip and some loss
constexpr uint32_t version = NGTCP2_PROTO_VER_V1;

// RFC 9000 section 17.2.1: even versions to come have ids of at most 255 bytes.
constexpr size_t largest_negotiation = 1 + 4 + 2 * (1 + 255) + 2 * 4;

// RFC 9000 section 10.3: 5 bytes that look like a packet, and the token.
constexpr size_t smallest_reset = NGTCP2_MIN_STATELESS_RESET_RANDLEN + reset_token_size;
constexpr size_t usual_reset = 41;  // below this a packet cannot be told from a reset by its size

Doorkeeper::Answer close_packet(const ConnectionId& client, const ConnectionId& first, uint64_t code) {
  Doorkeeper::Answer answer(NGTCP2_MAX_UDP_PAYLOAD_SIZE);
  const ngtcp2_cid to = to_native(client), from = to_native(first);
  const ngtcp2_ssize size =
      ngtcp2_crypto_write_connection_close(answer.data(), answer.size(), version, &to, &from, code, nullptr, 0);
  answer.resize(static_cast<size_t>(std::max<ngtcp2_ssize>(size, 0)));
  return answer;
}

}  // namespace

Doorkeeper::Doorkeeper(RandomStream random, std::array<uint8_t, 32> token_secret, std::vector<uint8_t> reset_key)
    : random_(random), token_secret_(token_secret), reset_key_(std::move(reset_key)) {}

std::optional<ConnectionId> Doorkeeper::destination(Bytes datagram) {
  if (datagram.empty()) return std::nullopt;
  ngtcp2_version_cid header{};
  if (ngtcp2_pkt_decode_version_cid(&header, datagram.data(), datagram.size(), own_id_size) != 0) return std::nullopt;
  if (header.dcidlen > max_id_size) return std::nullopt;
  return ConnectionId(Bytes(header.dcid, header.dcidlen));
}

ResetToken Doorkeeper::reset_token(const ConnectionId& id) const {
  ResetToken token{};
  const ngtcp2_cid native = to_native(id);
  ngtcp2_crypto_generate_stateless_reset_token(token.data(), reset_key_.data(), reset_key_.size(), &native);
  return token;
}

Doorkeeper::Verdict Doorkeeper::judge(Time now, Endpoint from, Bytes datagram, bool accepting, bool validate_address) {
  if (datagram.empty()) return Ignore{};
  const bool long_header = (datagram[0] & 0x80) != 0;
  if (!long_header) return reset(datagram);
  if (!accepting) return Ignore{};
  ngtcp2_version_cid header{};
  const int decoded = ngtcp2_pkt_decode_version_cid(&header, datagram.data(), datagram.size(), own_id_size);
  const bool unknown_version = decoded == NGTCP2_ERR_VERSION_NEGOTIATION || (decoded == 0 && header.version != version);
  if (unknown_version && header.version != 0 && datagram.size() >= NGTCP2_MAX_UDP_PAYLOAD_SIZE) {
    return negotiate_version(datagram);
  }
  if (decoded != 0 || unknown_version) return Ignore{};
  ngtcp2_pkt_hd first{};
  if (ngtcp2_accept(&first, datagram.data(), datagram.size()) != 0) return Ignore{};
  return admit(now, from, first, validate_address);
}

Doorkeeper::Verdict Doorkeeper::admit(Time now, Endpoint from, const ngtcp2_pkt_hd& first, bool validate_address) {
  Admission admission;
  admission.client_id = from_native(first.scid);
  admission.first_id = from_native(first.dcid);
  if (first.dcid.datalen < NGTCP2_MIN_INITIAL_DCIDLEN) return Ignore{};  // those of our Retry are no shorter
  const Bytes token(first.token.base, first.token.len);
  if (token.empty() || token[0] != NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY) {
    if (validate_address) return retry(now, from, first);
    return admission;
  }
  ngtcp2_cid original{};
  const ngtcp2_sockaddr_in address = to_native(from);
  const int verified = ngtcp2_crypto_verify_retry_token(
      &original, token.data(), token.size(), token_secret_.data(), token_secret_.size(), version,
      reinterpret_cast<const ngtcp2_sockaddr*>(&address), sizeof(address), &first.dcid, token_lifetime, to_native(now));
  if (verified != 0) return close_packet(admission.client_id, admission.first_id, NGTCP2_INVALID_TOKEN);
  admission.original_id = from_native(original);
  admission.token.assign(token.begin(), token.end());
  return admission;
}

Doorkeeper::Answer Doorkeeper::retry(Time now, Endpoint from, const ngtcp2_pkt_hd& first) {
  ConnectionId fresh;
  fresh.size = own_id_size;
  random_.fill(std::span(fresh.bytes).first(own_id_size));
  const ngtcp2_cid own = to_native(fresh);
  const ngtcp2_sockaddr_in address = to_native(from);
  std::array<uint8_t, NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN> token{};
  const ngtcp2_ssize token_size = ngtcp2_crypto_generate_retry_token(
      token.data(), token_secret_.data(), token_secret_.size(), version,
      reinterpret_cast<const ngtcp2_sockaddr*>(&address), sizeof(address), &own, &first.dcid, to_native(now));
  if (token_size < 0) return {};
  Answer answer(NGTCP2_MAX_UDP_PAYLOAD_SIZE);
  const ngtcp2_ssize size = ngtcp2_crypto_write_retry(answer.data(), answer.size(), version, &first.scid, &own,
                                                      &first.dcid, token.data(), static_cast<size_t>(token_size));
  answer.resize(static_cast<size_t>(std::max<ngtcp2_ssize>(size, 0)));
  return answer;
}

Doorkeeper::Answer Doorkeeper::negotiate_version(Bytes datagram) {
  ngtcp2_version_cid header{};
  (void)ngtcp2_pkt_decode_version_cid(&header, datagram.data(), datagram.size(), own_id_size);
  // A reserved version beside ours keeps clients honest (RFC 9000 section 15).
  const std::array<uint32_t, 2> versions{NGTCP2_RESERVED_VERSION_MASK, version};
  Answer answer(largest_negotiation);
  const ngtcp2_ssize size = ngtcp2_pkt_write_version_negotiation(
      answer.data(), answer.size(), static_cast<uint8_t>(random_.next()), header.scid, header.scidlen, header.dcid,
      header.dcidlen, versions.data(), versions.size());
  answer.resize(static_cast<size_t>(std::max<ngtcp2_ssize>(size, 0)));
  return answer;
}

// Shorter than what it answers, so that two sockets that know nothing cannot answer each other
// for ever (RFC 9000 section 10.3.3).
Doorkeeper::Verdict Doorkeeper::reset(Bytes datagram) {
  if (datagram.size() <= smallest_reset) return Ignore{};
  const auto id = destination(datagram);
  if (!id) return Ignore{};
  const size_t size = std::min(datagram.size() - 1, usual_reset);
  std::array<uint8_t, usual_reset> unpredictable{};
  random_.fill(unpredictable);
  const ResetToken token = reset_token(*id);
  Answer answer(size);
  const ngtcp2_ssize written = ngtcp2_pkt_write_stateless_reset(answer.data(), answer.size(), token.data(),
                                                                unpredictable.data(), size - reset_token_size);
  answer.resize(static_cast<size_t>(std::max<ngtcp2_ssize>(written, 0)));
  return answer;
}

Doorkeeper::Answer Doorkeeper::refusal(const Admission& admission) {
  return close_packet(admission.client_id, admission.first_id, NGTCP2_CONNECTION_REFUSED);
}

}  // namespace distlab::quic
