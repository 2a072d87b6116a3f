// What carries distribution over relays, as each part of it saw it over time: the relays' sessions,
// the nodes' mesh clients, and the tunnels with their bridges.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "results/connectivity.h"
#include "results/records.h"

namespace distlab::results {

// Ends that nobody lived to record.
inline constexpr std::string_view process_killed_reason = "process killed";
inline constexpr std::string_view client_died_reason = "the client died";

// From one time to another, or to the end of the run when nothing ended it.
struct Span {
  int64_t from_ns = 0, to_ns = 0;
  bool ended = false;
  std::string reason;  // of the end: an event's, or one of those below

  bool holds(int64_t time_ns) const { return from_ns <= time_ns && (time_ns < to_ns || !ended); }
  bool operator==(const Span&) const = default;
};

// Something that failed, or was refused, at a time.
struct Failure {
  int64_t time_ns = 0;
  std::string who;  // the identity a relay refused; empty where the owner says it
  std::string reason;
};

struct Dropped {
  int64_t events = 0, messages = 0, bytes = 0;
};

struct RelayView {
  // By identity (as a host, when it is a node's name), oldest first. A client that comes back before
  // the relay knows that it had gone has two at a time.
  std::map<std::string, std::vector<Span>> sessions;
  std::vector<Failure> refused;
  std::map<std::string, int64_t> strangers;  // who never said who they are, by what became of them
  std::map<std::string, Dropped> dropped;    // by reason
  std::vector<int64_t> dropped_ns;           // the times of it
};

struct MeshView {
  std::vector<Span> up;  // what the client took for a session, oldest first
  std::vector<Failure> failures;
};

struct ClientView {
  std::vector<Span> processes;             // from client_started to client_died
  std::map<std::string, MeshView> relays;  // by relay
};

struct BridgeState {
  std::string state;  // "running" | "reconnecting" | "stopped"
  std::string reason;
  int64_t from_ns = 0, to_ns = 0;
};

struct LostBytes {
  int64_t time_ns = 0, bytes = 0;
  std::string reason;
};

// The last tunnel_metrics of a bridge: README.md, kinds of events.
struct TunnelMetrics {
  int64_t bytes_out = 0, bytes_in = 0, messages_out = 0, messages_in = 0, accepted = 0, delivered = 0;
};

// One side of a tunnel.
struct TunnelEnd {
  std::string node, peer;  // hosts; the peer is "?" when neither side ever named it
  std::string id;
  std::string direction;  // "out" | "in"; "" when its opening was not seen
  int64_t setup_ns = 0;
  Span open;
  std::vector<BridgeState> states;
  std::vector<LostBytes> lost;  // what this side knew to be lost
  std::vector<int64_t> decrypt_failed_ns;
  std::optional<TunnelMetrics> metrics;
};

struct Transport {
  std::map<std::string, RelayView> relays;    // every process that is no node, and all whom events call a relay
  std::map<std::string, ClientView> clients;  // by node
  std::vector<TunnelEnd> tunnels;             // by node, then peer, then time of opening
  std::map<HostPair, std::vector<Failure>> tunnel_failures;

  bool empty() const { return relays.empty() && clients.empty() && tunnels.empty() && tunnel_failures.empty(); }
  // The side of the same tunnel at its peer, or null when it was never seen.
  const TunnelEnd* other_end(const TunnelEnd& end) const;
};

// Bytes that one side took from distribution against what the other gave to it. Nothing where the
// counters of a side are missing.
struct TunnelBytes {
  std::optional<int64_t> accepted, counted_as_sent, delivered;

  std::optional<int64_t> lost() const;
};
TunnelBytes bytes_of(const Transport& transport, const TunnelEnd& end);

// "running 1.01 s, closed 105.2 s (distribution closed)"
std::string history_text(const TunnelEnd& end);

// events in order of time; end_ns is when the run ended. `hosts` are the nodes' ("alice").
Transport transport(const std::vector<EventRecord>& events, const Naming& naming,
                    const std::map<std::string, std::string>& nodes, int64_t end_ns);

}  // namespace distlab::results
