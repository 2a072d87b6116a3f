// Connection ids (RFC 9000 section 5.1) as plain, ordered values.
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>

#include "models/host/byte_stream.h"

namespace distlab::quic {

inline constexpr size_t max_id_size = 20;       // RFC 9000 section 17.2, QUIC version 1
inline constexpr size_t own_id_size = 8;        // of those we give out, as Quinn does
inline constexpr size_t reset_token_size = 16;  // RFC 9000 section 10.3

using ResetToken = std::array<uint8_t, reset_token_size>;

struct ConnectionId {
  uint8_t size = 0;
  std::array<uint8_t, max_id_size> bytes{};  // those past `size` are zero

  ConnectionId() = default;
  explicit ConnectionId(Bytes from) : size(static_cast<uint8_t>(from.size())) {
    assert(from.size() <= max_id_size);
    std::copy(from.begin(), from.end(), bytes.begin());
  }
  Bytes view() const { return Bytes(bytes).first(size); }
  std::string to_hex() const;
  auto operator<=>(const ConnectionId&) const = default;
};

}  // namespace distlab::quic
