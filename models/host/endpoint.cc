#include "models/host/endpoint.h"

#include <charconv>

#include <fmt/format.h>

namespace distlab {

std::string Ipv4::to_string() const {
  return fmt::format("{}.{}.{}.{}", bits >> 24, bits >> 16 & 255, bits >> 8 & 255, bits & 255);
}

std::optional<Ipv4> Ipv4::parse(std::string_view text) {
  uint32_t bits = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (int i = 0; i < 4; ++i) {
    if (i > 0 && (at == end || *at++ != '.')) return std::nullopt;
    unsigned value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc{} || value > 255 || next - at > 3) return std::nullopt;
    bits = bits << 8 | value;
    at = next;
  }
  if (at != end) return std::nullopt;
  return Ipv4{bits};
}

std::string Endpoint::to_string() const {
  return fmt::format("{}:{}", address.to_string(), port);
}

}  // namespace distlab
