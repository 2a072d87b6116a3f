// The vocabulary of recorded events: one line per kind, with its subject and fields.
//
// Durations are in fields ending in _ns (int64). The results room documents the same table for
// readers of the database; a test there checks that the two agree.
#pragma once

#include <string_view>

namespace distlab::kinds {

// Life of a host process. Subject: the process ("alice"). Recorded by the ground.
inline constexpr std::string_view process_started = "process_started";
inline constexpr std::string_view process_killed = "process_killed";
inline constexpr std::string_view process_frozen = "process_frozen";
inline constexpr std::string_view process_thawed = "process_thawed";

// A fault the scenario asked for was done or, by a second event with its id, undone. Subject: its
// target (scenario::Fault::subject). Fields: fault (the kind of the step), detail, id.
inline constexpr std::string_view fault = "fault";

// net_kernel. Subject: the peer node's name.
inline constexpr std::string_view node_up = "node_up";      // direction: "out"|"in", setup_ns
inline constexpr std::string_view node_down = "node_down";  // reason (as net_kernel:monitor_nodes)
inline constexpr std::string_view connect_started = "connect_started";
inline constexpr std::string_view connect_failed = "connect_failed";  // reason, elapsed_ns
inline constexpr std::string_view handshake_step = "handshake_step";  // role, step, status
inline constexpr std::string_view log = "log";                        // level, text: what OTP would log
inline constexpr std::string_view busy_dist_port = "busy_dist_port";  // queued (bytes)
inline constexpr std::string_view tick = "tick";                      // one idle tick written to the peer

// Workload. Subject: "caller->callee".
inline constexpr std::string_view ping_done = "ping_done";  // result: "pong"|"pang", elapsed_ns
inline constexpr std::string_view call_done =
    "call_done";  // id, result: "ok"|"timeout"|"nodedown"|"noproc"|..., elapsed_ns, started_ns
inline constexpr std::string_view bulk_done = "bulk_done";  // bytes, elapsed_ns, result
// Of BEAM nodes only. Subject: the node's name.
inline constexpr std::string_view eval_done =
    "eval_done";  // id, result: "ok"|"error"|"timeout", value, elapsed_ns, started_ns
inline constexpr std::string_view scheduler_stall = "scheduler_stall";  // elapsed_ns

// The ledger, end to end. Subject: "sender->receiver". Fields: seq; received: seq, latency_ns.
inline constexpr std::string_view message_sent = "message_sent";
inline constexpr std::string_view message_received = "message_received";

// Monitors, links, groups. Subject: what was observed.
inline constexpr std::string_view monitor_down = "monitor_down";      // target, reason
inline constexpr std::string_view link_exit = "link_exit";            // target, reason
inline constexpr std::string_view group_changed = "group_changed";    // group, members (count)
inline constexpr std::string_view global_changed = "global_changed";  // name, action

// EPMD. Subject: the alive name. Fields: port, result.
inline constexpr std::string_view epmd_registered = "epmd_registered";
inline constexpr std::string_view epmd_lookup = "epmd_lookup";

// Relays, recorded by the relay. Subject: the peer's identity.
inline constexpr std::string_view session_up = "session_up";            // realm, remote
inline constexpr std::string_view session_down = "session_down";        // reason, realm
inline constexpr std::string_view session_refused = "session_refused";  // reason, realm, remote
// Something of a peer met a limit or had nowhere to go. reason, bytes, messages
inline constexpr std::string_view relay_dropped = "relay_dropped";
// A peer met a limit, was told so, and its session goes on. reason, remote, count
inline constexpr std::string_view relay_complained = "relay_complained";
// Peers that never said who they are; no subject. Of those alike within a second one event tells: count, and the
// remote of the last.
inline constexpr std::string_view session_abandoned =
    "session_abandoned";                                          // left before CONNECT: reason, remote, count
inline constexpr std::string_view quic_failed = "quic_failed";    // handshake failed: reason, remote, count
inline constexpr std::string_view quic_refused = "quic_refused";  // no room: reason, remote, count

// The mesh client, recorded by its node. Subject: the relay.
inline constexpr std::string_view client_started = "client_started";  // the process; no subject
inline constexpr std::string_view client_died = "client_died";        // reason; no subject
inline constexpr std::string_view mesh_up = "mesh_up";                // elapsed_ns
inline constexpr std::string_view mesh_down = "mesh_down";            // reason
inline constexpr std::string_view mesh_failed = "mesh_failed";        // reason, elapsed_ns

// The tunnel, recorded by its node. Subject: the peer node's name ("?" until it is known).
inline constexpr std::string_view tunnel_opened = "tunnel_opened";  // id, direction: "out"|"in", elapsed_ns
inline constexpr std::string_view tunnel_failed = "tunnel_failed";  // reason, elapsed_ns
inline constexpr std::string_view tunnel_closed = "tunnel_closed";  // id, reason
inline constexpr std::string_view bridge_state =
    "bridge_state";  // id, state: "running"|"reconnecting"|"stopped", reason
// Bytes the tunnel took from distribution and will never deliver, as far as this side can know.
inline constexpr std::string_view tunnel_lost = "tunnel_lost";        // id, reason, bytes
inline constexpr std::string_view decrypt_failed = "decrypt_failed";  // id, bytes
// At the end of each bridge: bytes_out, bytes_in, msgs_out, msgs_in (as get_tunnel_metrics counts),
// accepted (bytes taken from distribution), delivered (bytes given to it), id
inline constexpr std::string_view tunnel_metrics = "tunnel_metrics";

}  // namespace distlab::kinds
