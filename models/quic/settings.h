// What a QUIC connection is told at its birth, and why it ended.
//
// Names follow RFC 9000. Defaults are Quinn's and those of the modelled system's client
// (facts relay-distribution.md section 1.5).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "models/host/time.h"

namespace distlab::quic {

struct TransportSettings {
  Duration idle_timeout = std::chrono::seconds{60};       // max_idle_timeout; the smaller of both sides holds; 0: none
  Duration keep_alive = std::chrono::seconds{20};         // PING after so much silence; 0: none
  Duration handshake_timeout = std::chrono::seconds{10};  // from the first packet until confirmed
  uint64_t max_bidi_streams = 100;                        // that the peer may have open
  uint64_t max_uni_streams = 3;
  uint64_t stream_window = 1'250'000;       // bytes the peer may send ahead of our reading, of a stream
  uint64_t connection_window = 15'000'000;  // and of the connection
  size_t send_buffer = 8 * 1024 * 1024;     // bytes of a stream written and not yet acknowledged
  size_t max_udp_payload = 1452;            // 1200 at first, with path MTU discovery up to here; at most 1452
  bool datagrams = true;                    // RFC 9221
};

enum class TlsVerify { none, peer };

enum class EndKind {
  local,              // we closed it
  application,        // the peer closed it: CONNECTION_CLOSE of type 0x1d
  transport,          // either side found the other in breach of the protocol: type 0x1c
  tls,                // the handshake failed: certificate, ALPN, ...; `code` is the TLS alert
  idle,               // idle_timeout passed; silent
  handshake_timeout,  // no answer, or no complete handshake in time
  stateless_reset,    // the peer has lost its state
  refused,            // by the server's limits (CONNECTION_REFUSED)
  version,            // no common QUIC version
  host,               // this host could not go on: no socket, out of resources
};

struct End {
  EndKind kind = EndKind::local;
  uint64_t code = 0;   // application or transport error code, or TLS alert
  std::string reason;  // the peer's reason phrase (what is not printable ASCII as '?'), or words of our own

  bool operator==(const End&) const = default;
};

std::string_view to_string(EndKind kind);
std::string to_string(const End& end);  // "tls: unknown_ca (alert 48)", "idle", "application 3: shutting down"

}  // namespace distlab::quic
