// How tunnel messages are encrypted: AES-256-GCM under a key made from the cookie.
//
//   key     = SHA-256("macula-dist-tunnel:" ++ cookie)
//   message = nonce, 12 random bytes | tag, 16 bytes | ciphertext; no additional data
//
// Source: facts relay-distribution.md section 1.3, flaws included: nothing binds a message to its tunnel,
// its direction or its place, so whatever was ever sealed under a cookie opens anywhere under it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "models/host/byte_stream.h"

struct evp_cipher_ctx_st;  // OpenSSL's EVP_CIPHER_CTX

namespace distlab::tunnel {

inline constexpr size_t nonce_size = 12;
inline constexpr size_t tag_size = 16;
inline constexpr size_t overhead = nonce_size + tag_size;

using Key = std::array<uint8_t, 32>;
using Nonce = std::array<uint8_t, nonce_size>;

Key tunnel_key(std::string_view cookie);

// Both ways of one tunnel. Keeps its contexts, so that a message costs no key schedule.
class Cipher {
 public:
  explicit Cipher(const Key& key);

  // The message for this plaintext. A nonce must be used once only. Valid until the next seal().
  Bytes seal(const Nonce& nonce, Bytes plaintext);
  // The plaintext; nothing if the message is cut short, altered or under another key. Valid until the
  // next open().
  std::optional<Bytes> open(Bytes message);

 private:
  struct Free {
    void operator()(evp_cipher_ctx_st* context) const;
  };
  using Context = std::unique_ptr<evp_cipher_ctx_st, Free>;

  static Context make(const Key& key, bool encrypts);

  Context seals_, opens_;
  std::vector<uint8_t> sealed_, opened_;
};

}  // namespace distlab::tunnel
