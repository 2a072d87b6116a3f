// What `distlab bench` measures. Each function is the work of a process of its own and returns CPU seconds,
// since the sides take turns on a machine that others use too.
#pragma once

#include <cstdint>
#include <optional>

#include "scenarios/scenario.h"

namespace distlab::cli {

// The whole stack: nodes, relays, workload; recording nothing. Nothing: the run failed.
struct WholeCost {
  double cpu_s = 0;
  uint64_t packets = 0;  // that reached a machine
};
std::optional<WholeCost> measure_whole(const scenario::Scenario& scenario, uint64_t seed);

// The same writes with bare ns-3 sockets, and the cryptography of the run done again by itself.
struct BareCost {
  double ours_cpu_s = 0;  // over the network that distlab uses
  uint64_t ours_packets = 0;
  double stock_cpu_s = 0;  // over ns-3's own links and routers
  uint64_t stock_packets = 0;
  double crypto_cpu_s = 0;
  uint64_t tunnel_messages = 0;
};
std::optional<BareCost> measure_bare(const scenario::Scenario& scenario, uint64_t seed);

// The engine of a relay by itself: with as many sessions and tunnels as asked for.
struct RelayCost {
  double messages_per_s = 0;        // of 32 bytes
  double large_messages_per_s = 0;  // of large_bytes
  double large_bytes_per_s = 0;
  double calls_per_s = 0;
  double bytes_per_session = 0, bytes_per_tunnel = 0;  // of memory
  static constexpr size_t large_bytes = 1488;          // a full chunk of a tunnel, sealed
};
RelayCost measure_relay(size_t sessions, size_t tunnels);

}  // namespace distlab::cli
