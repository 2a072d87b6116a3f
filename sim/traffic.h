// What the processes of a run wrote to their TCP connections and UDP sockets, and the same again
// without them: plain ns-3 sockets, on the same network or on a plain one, that send the same bytes at the
// same times.
// That is the bare ns-3 our speed is compared with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

#include "models/host/endpoint.h"
#include "models/host/time.h"
#include "scenarios/scenario.h"

namespace distlab::sim {

struct TrafficLog {
  struct Step {
    enum class Kind { dial, write, datagram } kind = Kind::write;
    Duration at{0};
    Endpoint local, remote;
    uint32_t bytes = 0;  // of write and datagram
  };
  std::vector<Step> steps;  // in the order in which they happened
};

struct ReplayResult {
  uint64_t packets = 0;  // that reached a machine
  uint64_t bytes_received = 0;
};

// What lies between the sockets: our network, or what plain ns-3 has (StockNetwork).
enum class ReplayNetwork { ours, stock };

// Loopback connections are left out: they cross no network. Connections are not closed, which saves
// bare ns-3 the few packets of each farewell.
ReplayResult replay(const scenario::Scenario& scenario, uint64_t seed, const TrafficLog& log, ReplayNetwork network);

}  // namespace distlab::sim
