// What a relay is told at its birth, and what it counts.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/host/byte_stream.h"
#include "models/host/time.h"
#include "models/mesh/frame.h"
#include "models/quic/credentials.h"
#include "models/quic/settings.h"
#include "models/quic/socket.h"

namespace distlab::mesh {

// Everything that a peer can make grow, and how far. Whoever meets a limit is told which: an ERROR frame,
// a REPLY with an error, or the end of its session. The README has these as a table.
struct RelayLimits {
  size_t handshakes = 1'000;                            // QUIC handshakes under way; what is beyond is not answered
  size_t handshakes_per_address = 500;                  // of them from one IPv4 address
  size_t sessions = 10'000;                             // connections, with or without CONNECT
  size_t sessions_per_address = 5'000;                  // of them from one IPv4 address
  size_t pending_sessions = 1'000;                      // of them without CONNECT yet
  size_t pending_per_address = 500;                     // of those from one IPv4 address
  Duration connect_timeout = std::chrono::seconds{10};  // from the QUIC handshake until CONNECT

  size_t subscriptions = 10'000;                      // of a session
  size_t subscriptions_total = 2'000'000;             // of all
  size_t procedures = 1'000;                          // advertised by a session
  size_t procedures_total = 200'000;                  // of all
  size_t calls = 1'000;                               // of a session as the caller, not yet answered
  size_t calls_total = 100'000;                       // of all
  size_t calls_to_one = 32;                           // of those of a session, to one callee
  Duration call_lifetime = std::chrono::seconds{30};  // then the relay answers "timeout"

  size_t frame_bytes = default_max_frame;  // header included
  size_t realm_bytes = 255;
  size_t identity_bytes = 1'100;  // a node name: 255 characters of up to four bytes
  size_t topic_bytes = 1'200;
  size_t procedure_bytes = 1'200;  // "_dist.tunnel." and a node name

  // Frames for a session that QUIC has not taken: a slow reader. Beyond `queued_bytes` PUBLISH frames to it
  // are dropped; other frames still queue up to `queued_control_bytes` more, then the session is closed.
  // The send buffer of its QUIC stream comes before all this.
  size_t queued_bytes = 16 * 1024 * 1024;
  size_t queued_control_bytes = 4 * 1024 * 1024;
  // Of all sessions. Beyond it PUBLISH frames are dropped, and a session is closed rather than that its
  // queue grows beyond `queued_spare_bytes`.
  size_t queued_total = 1024 * 1024 * 1024;
  size_t queued_spare_bytes = 64 * 1024;

  // Frames of a session that wait to be served; beyond it the relay stops reading the session's stream.
  size_t inbound_bytes = 1024 * 1024;
  // What a session may send; beyond it the relay serves it no faster and then stops reading. 0: unlimited.
  // A burst of one second's worth is let through.
  uint64_t frames_per_second = 0;
  uint64_t bytes_per_second = 0;
};

struct RelaySettings {
  std::string name;  // as WELCOME tells it; empty: the host's name
  uint16_t port = 4433;
  std::shared_ptr<const quic::ServerCredentials> credentials;
  // The listener of facts relay-distribution.md section 1.5.
  quic::TransportSettings transport = {.idle_timeout = std::chrono::seconds{120},
                                       .keep_alive = std::chrono::seconds{30},
                                       .max_bidi_streams = 100,
                                       .max_uni_streams = 3};
  std::string alpn = "macula";
  bool validate_address = false;
  std::vector<uint8_t> reset_key = {};  // see quic::ServerSettings

  RelayLimits limits = {};
  std::set<std::string> realms = {};      // that may connect; empty: any
  std::set<std::string> identities = {};  // that may connect; empty: any

  std::string counted_topics = {};  // how topics begin whose subscriptions are counted (RelayStats); empty: none

  // A single server that takes so long for each frame and turns to the sessions one after the other.
  Duration service_time = Duration::zero();
  // Whatever is not a PUBLISH overtakes the waiting PUBLISH frames of its session, in and out, as the
  // modelled relay drains RPC first (facts section 2).
  bool control_first = true;
  // Sees every byte the relay reads from a session, and every byte it gives to one: all that a curious
  // relay could know.
  std::function<void(Bytes)> tap = {};
  std::function<quic::QlogWriter(std::string_view connection_id)> qlog = {};
  Duration close_linger = std::chrono::seconds{2};  // for the last frames of a session that is being closed
};

// Codes of CONNECTION_CLOSE.
enum class CloseCode : uint64_t {
  normal = 0,    // the client's process is gone
  shutdown = 1,  // the relay stops
  refused = 2,   // realm or identity not allowed
  protocol = 3,  // not our protocol, or a breach of it
  limit = 4,
  replaced = 5,  // another session has this identity now
};

enum class DropReason : uint8_t {
  queue,          // a slow reader's queue is full, or all queues together
  no_subscriber,  // a PUBLISH that nobody wants
  wedged,         // the relay sends nothing
  late_reply,     // the answer to a call that is no longer waited for
  closing,        // queued for a session that was closed
};
inline constexpr size_t drop_reasons = 5;
std::string_view to_string(DropReason reason);

struct RelayStats {
  size_t sessions = 0;  // connected ones
  size_t pending = 0;   // without CONNECT yet
  size_t subscriptions = 0, procedures = 0, calls = 0;
  size_t queued_bytes = 0;
  uint64_t frames_in = 0, bytes_in = 0;
  uint64_t frames_out = 0, bytes_out = 0;                  // queued for QUIC
  std::array<uint64_t, frame_type_end> frames_in_of = {};  // by FrameType; of no other type
  uint64_t publishes = 0, deliveries = 0;                  // PUBLISH frames served, and copies queued for subscribers
  uint64_t calls_passed = 0;                               // to the session that advertised the procedure
  size_t counted_subscriptions = 0;                        // to RelaySettings::counted_topics
  uint64_t refused = 0;                                    // sessions
  struct Dropped {
    uint64_t messages = 0, bytes = 0;
    bool operator==(const Dropped&) const = default;
  };
  std::array<Dropped, drop_reasons> dropped = {};  // by DropReason
  // Whom the relay did not serve, by kind of event and reason; there are only so many.
  std::map<std::pair<std::string_view, std::string>, uint64_t> refusals = {};
};

}  // namespace distlab::mesh
