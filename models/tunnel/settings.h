// Every constant of the relay tunnel, and every habit in which its documents and its code differ.
//
// Defaults are those of the documents' configuration table (seed 002). Letters like R:46 cite lines of the
// modelled code as facts relay-distribution.md does; the sections are of that page.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "models/host/time.h"

namespace distlab::tunnel {

struct TunnelSettings {
  Duration dist_timeout = std::chrono::seconds{25};         // DIST_TIMEOUT: for the answer to a tunnel request
  Duration controller_timeout = std::chrono::seconds{30};   // CONTROLLER_TIMEOUT: for the kernel to take a tunnel
  Duration bridge_recv_timeout = std::chrono::seconds{60};  // BRIDGE_RECV_TIMEOUT: of the reader
  bool recv_timeout_is_fatal = false;  // an idle bridge stops, as before version 1.4.9 (section 3.1)
  size_t backpressure_hwm = 64;        // BACKPRESSURE_HWM: messages in the client's mailbox
  Duration backpressure_pause = std::chrono::milliseconds{1};  // of the reader, once per chunk (B:273)
  Duration reconnect_interval = std::chrono::seconds{2};       // RECONNECT_INTERVAL
  uint32_t reconnect_max_attempts = 15;                        // RECONNECT_MAX_ATTEMPTS
  uint32_t publish_retries = 3;                                // PUBLISH_RETRIES: attempts without a client
  Duration publish_retry_interval = std::chrono::seconds{1};   // between them (B:220)
  size_t chunk = 1460;    // bytes of distribution in a message: gen_tcp's default buffer (section 1.2)
  uint32_t creation = 1;  // what listen/1 gives: every life of a node has the same (section 4)

  // While it has no client, the reader goes on reading; what it read is tried publish_retries times, then
  // lost, and yet counted as sent (B:220-234). Else it waits.
  bool reader_runs_while_reconnecting = false;
  // The accepting side first buffers what arrives, then unsubscribes, and its bridge subscribes again
  // (R:267-270). Else the bridge takes the subscription over.
  bool resubscribe_on_accept = false;
  Duration resubscribe_gap = std::chrono::microseconds{200};  // between the two: a process starts; our estimate
  // What was buffered and does not decrypt goes into the handshake as it is (R:364-366). Else it is dropped.
  bool flush_passes_undecrypted = false;

  // Limits of ours.
  size_t max_tunnels = 10'000;               // of a node; the modelled code has no limit (F16)
  size_t loopback_buffer = 256 * 1024;       // bytes in each direction between distribution and bridge
  size_t bridge_mailbox = 64 * 1024 * 1024;  // bytes for a reader that does not read; beyond, the bridge dies
};

TunnelSettings documented();   // the words of the documents
TunnelSettings macula_3_13();  // what the code of that version does

}  // namespace distlab::tunnel
