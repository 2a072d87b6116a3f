#include "real/lab/shape.h"

#include <algorithm>

#include <fmt/format.h>

namespace distlab::lab {
namespace {

// netem holds every packet that is under way, not a queue: as many as 100 ms at 10 Gbit/s are.
constexpr uint32_t netem_limit = 100'000;
// tbf wants a limit in bytes, but its own queue is replaced by one that counts packets.
constexpr uint32_t tbf_limit = 1U << 30U;
constexpr uint32_t ethernet_header = 14;
// A packet may leave as late as the timer is, and what the rate allowed meanwhile must not be lost.
constexpr uint64_t bursts_per_second = 1000;

double microseconds(std::chrono::nanoseconds time) {
  return static_cast<double>(time.count()) / 1000;
}

std::string netem(const Shape& shape) {
  std::string text = fmt::format("netem limit {}", netem_limit);
  if (shape.delay.count() > 0 || shape.jitter.count() > 0 || shape.reorder > 0) {
    text += fmt::format(" delay {:.3f}us", microseconds(shape.delay));
    if (shape.jitter.count() > 0) text += fmt::format(" {:.3f}us", microseconds(shape.jitter));
  }
  if (shape.loss > 0) text += fmt::format(" loss random {:.6f}%", shape.loss * 100);
  if (shape.duplicate > 0) text += fmt::format(" duplicate {:.6f}%", shape.duplicate * 100);
  if (shape.reorder > 0) text += fmt::format(" reorder {:.6f}%", shape.reorder * 100);
  return text;
}

std::string tbf(const Shape& shape, uint32_t mtu) {
  const uint64_t burst = std::max<uint64_t>(mtu + ethernet_header, shape.rate_bps / 8 / bursts_per_second);
  return fmt::format("tbf rate {}bit burst {} limit {}", shape.rate_bps, burst, tbf_limit);
}

}  // namespace

// netem first and tbf below it: netem as tbf's child would share its queue with what is under way.
std::vector<std::string> tc_commands(const std::string& interface, uint32_t mtu, const Shape& before,
                                     const Shape& after) {
  const bool same = before.needs_netem() == after.needs_netem() && before.needs_tbf() == after.needs_tbf();
  const char* const verb = same ? "change" : "add";
  std::vector<std::string> commands;
  if (!same && (before.needs_netem() || before.needs_tbf())) {
    commands.push_back(fmt::format("qdisc del dev {} root", interface));
  }
  if (after.needs_netem()) {
    commands.push_back(fmt::format("qdisc {} dev {} root handle 1: {}", verb, interface, netem(after)));
  }
  if (after.needs_tbf()) {
    commands.push_back(fmt::format("qdisc {} dev {} {} handle 2: {}", verb, interface,
                                   after.needs_netem() ? "parent 1:1" : "root", tbf(after, mtu)));
    commands.push_back(
        fmt::format("qdisc {} dev {} parent 2:1 handle 3: pfifo limit {}", verb, interface, after.queue));
  }
  return commands;
}

}  // namespace distlab::lab
