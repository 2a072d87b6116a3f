// What one node of a scenario does: calls, messages, bulk transfers, groups, names.
//
// A Driver runs on the Runtime of its node and records what came of each action (event_kinds.h).
// Times count from the moment the driver is made, which is when the node starts. Every action goes
// on when peers are away: it fails, is recorded so, and is tried again at its next period.
#pragma once

#include <cstddef>
#include <cstdint>
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
  std::optional<Duration> end;     // nothing starts at or after it
  std::optional<Duration> period;  // > 0
  Arrival arrival = Arrival::periodic;
};

inline constexpr Duration default_timeout = std::chrono::seconds{5};  // gen_server:call/2, rpc in OTP's examples

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
// message_received there. Seq counts from 1 per ordered pair of nodes.
struct Send {
  std::string peer;
  size_t payload = 0;
};
// One message of `bytes` to the peer's sink, which answers when it has all of it; records bulk_done.
struct Bulk {
  std::string peer;
  size_t bytes = 1 << 20;
  std::optional<Duration> timeout;  // nothing: waits until the peer goes down
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
// Links to a process spawned at the peer by rpc; records link_exit.
struct Link {
  std::string peer;
};
struct Spawn {  // erlang:spawn_request/5 of distlab:echo at the peer; records call_done
  std::string peer;
  std::optional<Duration> timeout = default_timeout;
};
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
  // Calls, transfers and pings that may be under way at once; beyond it an action ends as "overload".
  size_t max_outstanding = 10'000;
  // Carries out SetCookie. The cookie belongs to the node, which this room does not know.
  std::function<void(const std::string& peer, const std::string& cookie)> set_cookie;
};

class Driver {
 public:
  // The runtime and its services must outlive the driver.
  Driver(process::Runtime& runtime, process::Services& services, Options options = {});
  ~Driver();

  void add(Action action);
  size_t outstanding() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace distlab::workload
