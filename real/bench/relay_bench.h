// A relay on real sockets under the load of native nodes, over loopback: what it carries, what that costs it,
// and whether anything was lost. Beside it, in turn with it, two forwarders that do less.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "models/host/time.h"

namespace distlab::bench {

struct RelayBenchOptions {
  size_t sessions = 500;
  size_t tunnels = 2'000;
  size_t loads = 1;                            // processes that have the nodes
  size_t window = 1;                           // messages under way in each direction of a tunnel, at saturation
  std::vector<size_t> payloads = {32, 1'200};  // bytes of a message's binary
  size_t rounds = 3;
  Duration seconds = std::chrono::seconds{2};          // of a measurement
  Duration settling = std::chrono::milliseconds{500};  // before memory is looked at, and a load is measured
  // Told what is going on and how much of all has been done, often; false ends the benchmark early.
  std::function<bool(const std::string& what, double share)> on_progress = {};
};

// One measurement. CPU in seconds per second: how much of a core.
struct Flood {
  double messages_per_s = 0;
  double bytes_per_s = 0;       // of the relay's frames, in; of the peers' messages
  double p50_s = 0, p99_s = 0;  // of the relay's load; see LoadCounts::latency
  double forwarder_cpu = 0, load_cpu = 0, others_cpu = 0;
  double cpu_per_message_s() const { return messages_per_s > 0 ? forwarder_cpu / messages_per_s : 0; }
  // The relay as it says itself.
  double frames_per_message = 0;
};

// The rounds of one size of message, the three taking turns.
struct Size {
  size_t payload = 0;      // of the binary
  size_t frame_bytes = 0;  // of the relay's frame, on average; what the peers send
  std::vector<Flood> relay, quic, udp;
};

struct Ledger {
  uint64_t sent = 0, received = 0, missing = 0, duplicates = 0, garbled = 0;
  uint64_t relay_dropped = 0;  // as it counts them
  bool clean() const {
    return sent == received && missing == 0 && duplicates == 0 && garbled == 0 && relay_dropped == 0;
  }
};

// Of the relay's process, in bytes (see Process::private_memory).
struct Memory {
  uint64_t empty = 0, with_sessions = 0, with_tunnels = 0, after_load = 0;
};

struct RelayBenchResult {
  size_t sessions = 0, tunnels = 0;
  std::vector<Size> sizes;
  double paced_rate = 0;  // messages per second asked for: half of what the smallest size reached
  std::vector<Flood> paced;
  Memory memory;
  Ledger ledger;
  bool interrupted = false;
};

// The error is one line. Nothing stays behind in any case.
tl::expected<RelayBenchResult, std::string> bench_relay(const RelayBenchOptions& options);

}  // namespace distlab::bench
