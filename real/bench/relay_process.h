// The relay of a benchmark: mesh::Relay on real sockets, in a process of its own.
#pragma once

#include <cstdint>

#include "real/bench/board.h"

namespace distlab::bench {

// Listens on this port of every address; admits so many sessions of one address. Counts on the board until
// it is killed.
int run_relay(Board& board, uint16_t port, size_t sessions);

}  // namespace distlab::bench
