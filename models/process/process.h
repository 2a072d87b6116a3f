// A process of a node: an object that is told of its signals one at a time and acts in return.
//
// Source: "Processes" and "Signals" of the Erlang reference manual; erts/emulator/beam of OTP 25
// for what travels to other nodes.
//
// A handler runs to its end, as an Erlang process does between two receives; what it sends to a
// local process is handled after it returned. All operations below are the process's own: they
// happen in the order in which they were called, also towards different receivers. When the
// distribution reports a peer as busy, the process is suspended as erlang:send/2 would be
// (busy_dist_port): the message that met the busy peer is queued, and whatever the process does
// afterwards - the rest of its handler, its next signals, its timers - waits until the peer has
// room again or is gone. So a gen_server that replies to a busy peer answers nobody else meanwhile.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "models/dist/control.h"
#include "models/host/host.h"

namespace distlab::process {

using etf::Pid;
using etf::Ref;
using etf::Term;

class Runtime;

// {Name, Node}; Node may be this node.
struct RemoteName {
  std::string name, node;
  auto operator<=>(const RemoteName&) const = default;
};

using MonitorTarget = std::variant<Pid, RemoteName>;
using Destination = std::variant<Pid, RemoteName, Ref>;  // a reference is an alias

const std::string& node_of(const MonitorTarget& target);

// {'DOWN', Ref, process, Object, Reason}.
struct Down {
  Ref ref;
  MonitorTarget object;
  Term reason;
};

// What the `alias` option of erlang:monitor/3 was. The reference of the monitor is the alias.
enum class AliasMode {
  none,
  demonitor,        // ends with the monitor; gen:do_call/4 uses this
  reply_demonitor,  // and the first message through it ends the monitor
};

struct SendOptions {
  bool noconnect = false;  // drop instead of setting up a connection
  bool nosuspend = false;  // queue, and go on, although the peer is busy
};

enum class SpawnReplies { yes, error_only };

class Process {
 public:
  Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  virtual ~Process();

  const Pid& self() const { return self_; }

 protected:
  // -- What happens to the process --

  virtual void on_start() {}
  virtual void on_message(const Term& message) = 0;
  virtual void on_down(const Down&) {}
  // {'EXIT', From, Reason}, for a process that traps exits; others just die.
  virtual void on_exit_signal(const Pid& /*from*/, const Term& /*reason*/) {}
  // {spawn_reply, Request, ok, Pid} or {spawn_reply, Request, error, Reason}.
  virtual void on_spawn_reply(const Ref& /*request*/, const Term& /*pid_or_reason*/) {}
  // After watch_nodes(): visible peers only.
  virtual void on_node_up(const std::string& /*peer*/) {}
  virtual void on_node_down(const std::string& /*peer*/, const std::string& /*reason*/) {}

  // -- What the process does. Nothing of this has an effect once it has exited. --

  Runtime& runtime() const { return *runtime_; }
  Host& host() const;
  const std::string& node() const;  // this node's name

  void send(const Destination& to, Term message, SendOptions options = {});
  Ref monitor(const MonitorTarget& target, AliasMode alias = AliasMode::none);
  void demonitor(const Ref& ref);  // with the option flush
  void link(const Pid& pid);
  void unlink(const Pid& pid);  // also takes an 'EXIT' of it that has not been handled yet
  void exit(const Term& reason);
  // Runs `fn` when all of the above that it has asked for is done: at once, unless a busy peer has suspended it.
  void then(std::function<void()> fn);
  void exit_other(const Pid& pid, Term reason);  // exit/2
  void trap_exit(bool on) { trap_exit_ = on; }
  void watch_nodes();  // net_kernel:monitor_nodes(true)
  // erlang:spawn_request/5 with the option `monitor`: the request is also the monitor's reference.
  Ref spawn_request(const std::string& node, const std::string& module, const std::string& function,
                    std::vector<Term> arguments, SpawnReplies replies);
  // demonitor, or spawn_request_abandon/1 while the reply is out.
  void abandon(const Ref& request) { demonitor(request); }
  Ref make_ref();

  using TimerKey = uint64_t;
  // Runs `fn` as part of this process, `delay` from the moment the process gets to ask for it.
  TimerKey start_timer(Duration delay, std::function<void()> fn);
  void cancel_timer(TimerKey key);

 private:
  friend class Runtime;

  struct StartSignal {};
  struct MessageSignal {
    Term message;
  };
  struct ExitMessage {
    Pid from;
    Term reason;
  };
  struct SpawnReplySignal {
    Ref request;
    Term result;
  };
  struct NodeUpSignal {
    std::string peer;
  };
  struct NodeDownSignal {
    std::string peer, reason;
  };
  struct TimerSignal {
    TimerKey key;
  };
  using Signal = std::variant<StartSignal, MessageSignal, Down, ExitMessage, SpawnReplySignal, NodeUpSignal,
                              NodeDownSignal, TimerSignal>;

  struct Monitor {
    MonitorTarget target;
    AliasMode alias = AliasMode::none;
    bool fired = false;  // the DOWN is in the mailbox
  };
  struct Watcher {
    Pid pid;
    dist::ProcessName as;  // how it named us
  };
  // A link, or what is left of one until the peer has acknowledged the unlink.
  struct Link {
    uint64_t unlink_id = 0;  // 0: the link is active
  };
  struct SpawnPending {
    std::string peer;
    SpawnReplies replies = SpawnReplies::yes;
  };
  struct ProcessTimer {
    explicit ProcessTimer(Host& host) : timer(host) {}
    Timer timer;
    std::function<void()> fn;
  };

  bool defer(std::function<void()> operation);
  void dispatch(Signal signal);

  Runtime* runtime_ = nullptr;
  Pid self_;
  uint32_t number_ = 0;
  bool alive_ = false;
  bool trap_exit_ = false;
  bool watches_nodes_ = false;
  bool in_run_queue_ = false;
  bool overflowed_ = false;   // messages are being lost, and that was logged
  std::string name_;          // registered as
  std::string suspended_by_;  // the busy peer; empty: not suspended
  std::deque<std::function<void()>> deferred_;
  std::deque<Signal> mailbox_;
  std::map<uint64_t, Monitor> monitors_;  // by the number of our reference
  std::map<uint64_t, SpawnPending> spawning_;
  std::map<Ref, Watcher> watchers_;
  std::map<Pid, Link> links_;
  TimerKey next_timer_ = 1;
  std::map<TimerKey, std::unique_ptr<ProcessTimer>> timers_;
};

}  // namespace distlab::process
