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

}  // namespace distlab::kinds
