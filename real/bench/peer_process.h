// What a relay is compared with: processes that pass messages on with less in between. Each kind is a
// forwarder and who sends through it, both on AsioHost; they count on the board until they are killed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "real/bench/board.h"

namespace distlab::bench {

struct PeerSettings {
  size_t bytes = 0;        // of a message
  size_t connections = 2;  // of QUIC: an even number; two have messages forwarded to each other
  size_t window = 0;       // messages under way at once, of each connection; of all of UDP
};

// Bare datagrams: the forwarder sends each back to where it came from.
int run_udp_forwarder(Board& board);
int run_udp_sender(Board& board, const PeerSettings& settings);

// Bare QUIC, as the relay uses it: a connection with one stream each. No frames, no topics.
int run_quic_forwarder(Board& board, const PeerSettings& settings);
int run_quic_sender(Board& board, const PeerSettings& settings);

}  // namespace distlab::bench
