// What a mesh client is told at its birth. Defaults are the modelled system's constants
// (facts relay-distribution.md section 1.5) and the behaviour its documentation promises; for what its
// code does instead see membership.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/host/time.h"
#include "models/mesh/frame.h"
#include "models/quic/credentials.h"
#include "models/quic/settings.h"
#include "models/quic/socket.h"

namespace distlab::mesh {

struct RelayAddress {
  std::string name;       // in events
  std::string host_name;  // or an address; also what the relay's certificate must be for
  uint16_t port = 4433;
};

// What the client process does when its session is lost.
enum class OnLoss {
  die,        // the process ends; whoever owns it may start another
  reconnect,  // the same process dials again, after a backoff
  ignore,     // it is not noticed: the client believes itself connected and writes into the void
};

struct ClientSettings {
  std::vector<RelayAddress> relays;  // dialled in this order, the next one after each failure
  std::string realm = "io.macula";
  std::string identity;  // the node name
  quic::TlsVerify tls_verify = quic::TlsVerify::none;
  std::shared_ptr<const quic::ClientCredentials> credentials;
  quic::TransportSettings transport = {.idle_timeout = std::chrono::seconds{60},
                                       .keep_alive = std::chrono::seconds{20}};
  std::string alpn = "macula";
  std::function<quic::QlogWriter(const RelayAddress& relay)> qlog = {};  // for each dial

  Duration backoff_min = std::chrono::seconds{1};  // doubles with each failure
  Duration backoff_max = std::chrono::seconds{30};
  double backoff_jitter = 0.3;                          // each backoff is up to this share longer or shorter
  Duration connect_timeout = std::chrono::seconds{10};  // look-up, QUIC handshake and WELCOME together
  Duration call_timeout = std::chrono::seconds{5};      // of a call that names none
  Duration ping_interval = std::chrono::seconds{30};    // zero: no PING is sent
  Duration ping_timeout = std::chrono::seconds{60};     // see PingWatch
  Duration subscribe_delay = Duration::zero();          // each SUBSCRIBE waits so long (facts section 3.2, F9)

  OnLoss on_farewell = OnLoss::die;        // DISCONNECT, FIN, or a frame that makes no sense
  OnLoss on_connection_end = OnLoss::die;  // QUIC: idle, reset, closed by the peer, ...
  OnLoss on_ping_timeout = OnLoss::die;
  // While dialling the process handles nothing else, as in a call of a blocking NIF: its mailbox waits.
  bool blocking_connect = true;

  size_t mailbox_limit = 256 * 1024 * 1024;  // bytes; beyond it the process dies
  size_t frame_bytes = default_max_frame;
  size_t calls = 10'000;  // that wait for an answer
  // Calls of others that wait for our answer: twice what a relay lets one session ask.
  size_t answering = 2'000;
};

struct ClientStats {
  uint64_t published = 0;             // frames asked for, whatever became of them
  uint64_t dropped_disconnected = 0;  // of them, while the client knew that it has no session
  uint64_t dropped_oversize = 0;      // of them, longer than frame_bytes
  uint64_t lost_frames = 0;           // of any type, written while the session was dead and nobody knew,
  uint64_t lost_bytes = 0;            // or half written when it ended, or in the mailbox of a client that died
  uint64_t delivered = 0;             // PUBLISH frames received, with or without a listener
  uint64_t connects = 0, failures = 0;
  uint64_t errors = 0;  // ERROR frames of relays
  size_t mailbox_peak = 0;
};

}  // namespace distlab::mesh
