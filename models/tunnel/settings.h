// Every constant and every habit of the tunnel as a field, and the two sets of values that matter: what
// the system's documentation says, and what its code does.
//
// Sources: the seeds' configuration table ("Relay-routed distribution") and facts
// relay-distribution.md sections 0 and 1.2 to 1.5; `parameters()` names one for each field.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "models/host/time.h"

namespace distlab::tunnel {

// The defaults are the preset `documented`. Sizes are in bytes.
struct TunnelSettings {
  // --- set-up ---
  Duration dist_timeout = std::chrono::seconds{25};        // for the answer to a tunnel request
  Duration controller_timeout = std::chrono::seconds{30};  // for net_kernel to take an accepted tunnel
  // How long net_kernel takes for that: exponentially distributed with this mean; zero: no time.
  Duration controller_delay = Duration::zero();
  uint64_t creation = 1;  // what listen/1 returns: the same for each incarnation
  // Key from the node's own cookie, whatever cookie is set for the peer.
  bool own_cookie_only = false;
  // The answer is under way before anybody listens to the tunnel's topic.
  bool reply_before_subscribe = false;
  // The accepting side listens to the topic for its set-up, stops, and its bridge listens again.
  bool resubscribe_on_accept = false;
  // The time between: exponentially distributed with this mean; zero: no time.
  Duration resubscribe_gap = Duration::zero();
  // What cannot be decrypted during that set-up goes to dist_util as it is.
  bool flush_passes_ciphertext = false;
  bool advertise_again = true;  // each later mesh client, too, is told that we take tunnels

  // --- bridge: from distribution to the mesh ---
  Duration bridge_recv_timeout = std::chrono::seconds{60};
  bool recv_timeout_fatal = false;  // so long without a byte from distribution ends the tunnel
  uint64_t chunk_bytes = 1460;      // the most one tunnel message carries
  uint64_t backpressure_hwm = 64;   // waiting in the mesh client: beyond it, one pause for each message
  Duration backpressure_pause = std::chrono::milliseconds{1};
  uint64_t publish_retries = 3;  // of a message for a dead client
  Duration publish_retry_interval = std::chrono::seconds{1};
  bool count_lost_as_sent = false;  // in bytes_out and msgs_out

  // --- bridge: losing the client ---
  Duration reconnect_interval = std::chrono::seconds{2};
  uint64_t reconnect_max_attempts = 15;
  // A client counts as found again once a relay has accepted it; otherwise as soon as it lives.
  bool reconnect_needs_session = true;
  // The reader goes on without a client, and so loses what it reads once its retries are used up.
  bool reader_runs_while_reconnecting = false;
  // The driver's receive operation of a killed reader stays: the next reader gets ealready, and ends.
  bool recv_outlives_reader = false;

  // --- bridge: from the mesh to distribution ---
  bool close_on_decrypt_failure = false;  // otherwise: a warning, and the message is dropped
  // An empty message says that this side is gone. The real protocol has nothing of the kind.
  bool close_message = false;

  // --- the loopback connection between dist_util and the bridge ---
  uint64_t loopback_send_buffer = 3'800'000;
  uint64_t loopback_receive_buffer = 131'072;

  // --- limits of ours; the real code has none ---
  uint64_t max_tunnels = 10'000;                   // of a node, those being accepted included
  uint64_t max_accept_buffer = 1024 * 1024;        // bytes that arrive before the bridge runs
  uint64_t max_bridge_mailbox = 64 * 1024 * 1024;  // bytes that wait while distribution does not read

  bool operator==(const TunnelSettings&) const = default;
};

TunnelSettings documented();   // the seeds' words
TunnelSettings macula_3_13();  // what the code of v3.13.0 does
// "documented" or "macula-3.13".
std::optional<TunnelSettings> preset(std::string_view name);

// One field, for those who name it in a text.
struct Parameter {
  using Field = std::variant<Duration TunnelSettings::*, uint64_t TunnelSettings::*, bool TunnelSettings::*>;
  using Value = std::variant<Duration, uint64_t, bool>;

  std::string_view name;  // as the field
  std::string_view unit;  // "time", "count", "bytes", "switch"
  Field field;
  std::string_view source;

  Value get(const TunnelSettings& settings) const;
  // False: the value is of another type, and nothing changes.
  bool set(TunnelSettings& settings, const Value& value) const;
};

std::span<const Parameter> parameters();                 // all, in the order of the fields
const Parameter* find_parameter(std::string_view name);  // null: there is none of that name
std::string to_string(const Parameter::Value& value);    // "25s", "100us", "64", "true"

}  // namespace distlab::tunnel
