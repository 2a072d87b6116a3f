// IPv4 addresses and endpoints, as plain values.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace distlab {

struct Ipv4 {
  uint32_t bits = 0;  // host byte order: 10.0.0.1 is 0x0a000001
  auto operator<=>(const Ipv4&) const = default;
  std::string to_string() const;
  static std::optional<Ipv4> parse(std::string_view text);
};

struct Endpoint {
  Ipv4 address;
  uint16_t port = 0;
  auto operator<=>(const Endpoint&) const = default;
  std::string to_string() const;  // "10.0.0.1:4369"
};

inline constexpr Ipv4 any_address{0};
inline constexpr Ipv4 loopback_address{0x7f000001};

}  // namespace distlab
