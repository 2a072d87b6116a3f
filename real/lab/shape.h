// What one direction of a kernel link does to packets, as tc commands.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace distlab::lab {

// The names and units are those of the scenario's link properties. Two differences to the simulated
// link: the rate counts 14 bytes of Ethernet header per packet, and jitter may reorder packets.
struct Shape {
  uint64_t rate_bps = 0;  // bits per second; 0 means no limit (tbf)
  uint32_t queue = 1000;  // packets that wait for the rate
  std::chrono::nanoseconds delay{0};
  std::chrono::nanoseconds jitter{0};  // uniform, +-
  double loss = 0;                     // shares, 0..1
  double duplicate = 0;
  double reorder = 0;  // share of packets that skip the delay

  bool needs_tbf() const { return rate_bps > 0; }
  bool needs_netem() const {
    return delay.count() > 0 || jitter.count() > 0 || loss > 0 || duplicate > 0 || reorder > 0;
  }
  bool operator==(const Shape&) const = default;
};

// The commands for `tc -batch` that take an interface from one shape to the next. What waits in its
// queues stays there unless netem or tbf come or go. The mtu is the interface's, in bytes.
std::vector<std::string> tc_commands(const std::string& interface, uint32_t mtu, const Shape& before,
                                     const Shape& after);

}  // namespace distlab::lab
