// The load of a benchmark: native nodes with the carrier relay, whose processes send each other numbered
// messages through their tunnels.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "real/bench/board.h"
#include "real/bench/flows.h"

namespace distlab::bench {

struct LoadSettings {
  Layout layout = {};
  size_t load = 0;  // which of the layout's processes this is
  uint16_t relay_port = 0;
  std::chrono::nanoseconds origin{0};  // of the clock all load processes share
  uint64_t seed = 1;
};

// For each flow how many of its messages have arrived: so the sender knows its window without an answer that
// would be traffic, too.
using Arrivals = Shared<std::atomic<uint64_t>>;

// Follows the orders on the board until it is killed.
int run_load(Board& board, const Arrivals& arrivals, const LoadSettings& settings);

}  // namespace distlab::bench
