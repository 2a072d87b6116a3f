#include "sim/crypto_cost.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <vector>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "models/tunnel/crypt.h"

namespace distlab::sim {
namespace {

constexpr size_t tag = 16, header = 20, sample = 16;  // bytes; RFC 9001 sections 5.3 and 5.4
constexpr size_t largest = 65'536;

// The keys of one direction of a connection.
class PacketProtection {
 public:
  PacketProtection() {
    std::array<uint8_t, 16> key{1};
    gnutls_datum_t datum{key.data(), key.size()};
    [[maybe_unused]] int done = gnutls_aead_cipher_init(&aead_, GNUTLS_CIPHER_AES_128_GCM, &datum);
    assert(done == 0);
    done = gnutls_cipher_init(&mask_, GNUTLS_CIPHER_AES_128_CBC, &datum, nullptr);
    assert(done == 0);
  }
  ~PacketProtection() {
    gnutls_aead_cipher_deinit(aead_);
    gnutls_cipher_deinit(mask_);
  }
  PacketProtection(const PacketProtection&) = delete;
  PacketProtection& operator=(const PacketProtection&) = delete;

  // One packet, sent and received. Returns the bytes that came out.
  size_t pass(size_t datagram) {
    const size_t payload = std::clamp(datagram, header + tag, largest) - header - tag;
    size_t sealed = sealed_.size(), opened = plain_.size();
    if (gnutls_aead_cipher_encrypt(aead_, nonce_.data(), nonce_.size(), header_.data(), header_.size(), tag,
                                   plain_.data(), payload, sealed_.data(), &sealed) != 0)
      return 0;
    protect_header();
    protect_header();
    if (gnutls_aead_cipher_decrypt(aead_, nonce_.data(), nonce_.size(), header_.data(), header_.size(), tag,
                                   sealed_.data(), sealed, plain_.data(), &opened) != 0)
      return 0;
    return opened;
  }

 private:
  void protect_header() {
    gnutls_cipher_set_iv(mask_, iv_.data(), iv_.size());
    gnutls_cipher_encrypt2(mask_, sealed_.data(), sample, mask_out_.data(), mask_out_.size());
  }

  gnutls_aead_cipher_hd_t aead_ = nullptr;
  gnutls_cipher_hd_t mask_ = nullptr;
  std::array<uint8_t, 12> nonce_{};
  std::array<uint8_t, header> header_{};
  std::array<uint8_t, 16> iv_{}, mask_out_{};
  std::vector<uint8_t> plain_ = std::vector<uint8_t>(largest);
  std::vector<uint8_t> sealed_ = std::vector<uint8_t>(largest + tag);
};

}  // namespace

uint64_t do_cryptography(const TrafficLog& log, const TunnelTraffic& tunnels) {
  uint64_t bytes = 0;
  PacketProtection packets;
  for (const TrafficLog::Step& step : log.steps)
    if (step.kind == TrafficLog::Step::Kind::datagram) bytes += packets.pass(step.bytes);
  if (tunnels.messages == 0) return bytes;
  tunnel::Cipher cipher(tunnel::tunnel_key("cookie"));
  const std::vector<uint8_t> plain(tunnels.bytes / tunnels.messages);
  for (uint64_t i = 0; i < tunnels.messages; ++i) {
    const auto opened = cipher.open(cipher.seal(tunnel::Nonce{}, plain));
    bytes += opened ? opened->size() : 0;
  }
  return bytes;
}

}  // namespace distlab::sim
