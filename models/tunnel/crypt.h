// The tunnel's encryption: AES-256-GCM under a key that follows from the cookie alone (seed 002; facts
// relay-distribution.md section 1.3). A message is nonce (12 bytes), tag (16), ciphertext; no associated data.
//
// No direction, tunnel or counter is bound in, so that a relay can replay, reorder, reflect and splice
// messages unnoticed. That is how the modelled system is.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "models/host/byte_stream.h"

namespace distlab::tunnel {

inline constexpr size_t nonce_size = 12, tag_size = 16;
inline constexpr size_t overhead = nonce_size + tag_size;  // 28 bytes

using Key = std::array<uint8_t, 32>;
using Nonce = std::array<uint8_t, nonce_size>;

Key key_from_cookie(std::string_view cookie);  // SHA-256("macula-dist-tunnel:" ++ cookie)

class Crypt {
 public:
  explicit Crypt(const Key& key);
  ~Crypt();
  Crypt(const Crypt&) = delete;
  Crypt& operator=(const Crypt&) = delete;

  std::vector<uint8_t> seal(const Nonce& nonce, Bytes plain);
  std::optional<std::vector<uint8_t>> open(Bytes message);  // nothing: not sealed with this key, or altered

 private:
  struct Contexts;
  std::unique_ptr<Contexts> contexts_;
};

}  // namespace distlab::tunnel
