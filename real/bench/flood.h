// UDP packets at a steady rate, and who counts them at the other end.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "real/lab/fd.h"

namespace distlab::bench {

struct FloodCounts {
  std::atomic<uint32_t> running{0};                  // 1: send; 0: not yet, or no more
  std::atomic<uint64_t> sent{0}, refused{0};         // the kernel took it, or did not
  std::atomic<uint64_t> received{0}, duplicates{0};  // disordered ones count as duplicates
};

struct FloodSettings {
  double rate = 0;     // packets per second, all flows in turn
  size_t payload = 0;  // bytes of UDP, at least 8
};

// Both run until they are killed. Each flow is a socket that is connected, or bound, to where it goes.
int run_flood(FloodCounts& counts, const FloodSettings& settings, const std::vector<int>& sockets);
int run_sink(FloodCounts& counts, const std::vector<int>& sockets);

// Opened in the network namespace of the caller.
lab::Result<lab::Fd> open_source(const std::string& destination, uint16_t port);
lab::Result<lab::Fd> open_sink(uint16_t port);

}  // namespace distlab::bench
