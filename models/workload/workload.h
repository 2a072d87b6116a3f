// What one node of a scenario does: calls, messages, bulk transfers, groups, names.
//
// A Driver runs on the Runtime of its node and records what came of each action (event_kinds.h).
// Times count from the moment the driver is made, which is when the node starts. Every action goes
// on when peers are away: it fails, is recorded so, and is tried again at its next period. Periods
// that a frozen process missed are left out. Subjects are "self->peer", both as node names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "models/host/time.h"
#include "models/process/runtime.h"
#include "models/process/services.h"

namespace distlab::workload {

enum class Arrival {
  periodic,
  poisson,  // gaps are exponential with the period as their mean
};

// When an action happens: once at `start`, or from `start` on every `period` until `end`.
struct Schedule {
  Duration start{0};
  std::optional<Duration> end = {};     // nothing starts at or after it
  std::optional<Duration> period = {};  // > 0
  Arrival arrival = Arrival::periodic;
};

inline constexpr Duration default_timeout = std::chrono::seconds{5};  // as gen_server:call/2

// Peers are node names ("b@hostb.test"). Sizes are in bytes.
struct Connect {
  std::string peer;
};  // net_adm:ping/1; records ping_done
struct Disconnect {
  std::string peer;
};  // erlang:disconnect_node/1
// gen_server:call({echo, Peer}, Payload, Timeout), each in a process of its own; records call_done.
struct Call {
  std::string peer;
  size_t payload = 0;
  std::optional<Duration> timeout = default_timeout;  // nothing: infinity
};
struct Rpc {  // rpc:call(Peer, distlab, echo, [Payload], Timeout); records call_done
  std::string peer;
  size_t payload = 0;
  std::optional<Duration> timeout = default_timeout;
};
struct Erpc {  // erpc:call/5, the same
  std::string peer;
  size_t payload = 0;
  std::optional<Duration> timeout = default_timeout;
};
// {ledger, Peer} ! {ledger, Sender, Seq, SentAt, Payload}; records message_sent here and
// message_received there. Seq counts from 1 per ordered pair of nodes and life of the sender. A sender
// that the peer's connection suspends (busy_dist_port) sends late, and all it has missed.
struct Send {
  std::string peer;
  size_t payload = 0;
};
// One message of `bytes` to the peer's sink, which answers when it has all of it; records bulk_done.
struct Bulk {
  std::string peer;
  size_t bytes = 1 << 20;
  std::optional<Duration> timeout = {};  // nothing: waits until the peer goes down
};
struct PgJoin {
  std::string group;
};  // one process of this node joins
struct PgLeave {
  std::string group;
};
// Monitors the registered process at the peer; records monitor_down. The next period watches anew.
struct Monitor {
  std::string peer;
  std::string name = "echo";
};
// Links to a process spawned at the peer for this; records link_exit when the link breaks, and also
// when it could not be made. The next period links anew.
struct Link {
  std::string peer;
};
// erlang:spawn_request/5 of erlang:node/0 with monitor; records call_done when it has ended.
struct Spawn {
  std::string peer;
  std::optional<Duration> timeout = default_timeout;
};
// global:register_name(Name, a process of ours); records global_changed "register_yes" or
// "register_no" beside the change itself.
struct GlobalRegister {
  std::string name;
};                     // global:register_name(Name, a process of ours)
struct GlobalSync {};  // global:sync/0; records global_changed
struct SetCookie {     // erlang:set_cookie/1, or /2 with a peer
  std::string peer;
  std::string cookie;
};

using What = std::variant<Connect, Disconnect, Call, Rpc, Erpc, Send, Bulk, PgJoin, PgLeave, Monitor, Link, Spawn,
                          GlobalRegister, GlobalSync, SetCookie>;

struct Action {
  Schedule schedule;
  What what;
};

struct Options {
  // Calls, transfers, pings and spawns that may be under way at once. Beyond it they end at once as
  // "overload" (a ping as "pang").
  size_t max_outstanding = 10'000;
  // Carries out SetCookie. The cookie belongs to the node, which this room does not know.
  std::function<void(const std::string& peer, const std::string& cookie)> set_cookie = {};
};

class Driver {
 public:
  // The runtime and its services must outlive the driver. Starts the processes `ledger` and `sink`,
  // which peers' drivers talk to.
  Driver(process::Runtime& runtime, process::Services& services, Options options = {});
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  void add(Action action);
  size_t outstanding() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace distlab::workload
