// The cryptography of a run again, and nothing else: what of the stack's cost is the price of secrecy.
#pragma once

#include <cstdint>

#include "sim/traffic.h"

namespace distlab::sim {

struct TunnelTraffic {
  uint64_t messages = 0;
  uint64_t bytes = 0;  // of distribution
};

// Seals and opens each datagram of the log as QUIC does (AES-128-GCM and header protection, by GnuTLS,
// as ngtcp2 has it done), and each tunnel message (AES-256-GCM). Handshakes are left out. Returns the
// bytes that came through, so that the work cannot be left out.
uint64_t do_cryptography(const TrafficLog& log, const TunnelTraffic& tunnels);

}  // namespace distlab::sim
