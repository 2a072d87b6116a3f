#include "models/quic/connection_id.h"

#include <fmt/format.h>

namespace distlab::quic {

std::string ConnectionId::to_hex() const {
  std::string text;
  for (const uint8_t byte : view()) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace distlab::quic
