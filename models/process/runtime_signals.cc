// What processes do to others, here and on other nodes.
#include <utility>

#include "models/process/peer_flags.h"
#include "models/process/runtime.h"

namespace distlab::process {
namespace {

dist::ProcessName name_at_node(const MonitorTarget& target) {
  if (const Pid* pid = std::get_if<Pid>(&target)) return *pid;
  return std::get<RemoteName>(target).name;
}

// What only takes something back makes no connection and suspends nobody.
constexpr SendOptions quietly{.noconnect = true, .nosuspend = true};

}  // namespace

bool Runtime::reachable(const std::string& peer) const {
  return connecting_.contains(peer) || distribution_.connected(peer);
}

Runtime::Sent Runtime::transmit(Process* sender, const std::string& peer, dist::Message message, SendOptions options) {
  if (distribution_.connected(peer)) {
    if (!fit_to_peer(message, distribution_.flags(peer))) return Sent::unsupported;
  } else if (options.noconnect && !connecting_.contains(peer)) {
    return Sent::no;
  } else {
    connecting_.insert(peer);  // before the attempt, which may fail at once
  }
  switch (distribution_.send(peer, std::move(message))) {
    case SendResult::sent:
      return Sent::yes;
    case SendResult::busy:
      if (sender && !options.nosuspend) suspend(*sender, peer);
      return Sent::yes;
    case SendResult::dropped:
      connecting_.erase(peer);
      return Sent::no;
  }
  return Sent::no;
}

void Runtime::do_send(Process* from, const Destination& to, Term message, SendOptions options) {
  const Pid sender = from ? from->self_ : Pid{node(), 0, 0, distribution_.creation()};
  if (const Pid* pid = std::get_if<Pid>(&to)) {
    if (local(pid->node)) return deliver(find(*pid), std::move(message));
    transmit(from, pid->node, {dist::SendSender{sender, *pid}, std::move(message)}, options);
  } else if (const auto* name = std::get_if<RemoteName>(&to)) {
    if (local(name->node)) return deliver(find(dist::ProcessName(name->name)), std::move(message));
    transmit(from, name->node, {dist::RegSend{sender, name->name}, std::move(message)}, options);
  } else {
    const Ref& alias = std::get<Ref>(to);
    if (local(alias.node)) return deliver_alias(alias, std::move(message));
    transmit(from, alias.node, {dist::AliasSend{sender, alias}, std::move(message)}, options);
  }
}

void Runtime::deliver(Process* to, Term message) {
  if (!to) return;
  if (to->mailbox_.size() >= limits_.mailbox) {
    if (!to->overflowed_)
      log("error", node(), "a mailbox is full: messages to " + Term(to->self_).to_string() + " are lost");
    to->overflowed_ = true;
    return;
  }
  enqueue(*to, Process::MessageSignal{std::move(message)});
}

void Runtime::deliver_alias(const Ref& alias, Term message) {
  const uint64_t number = number_of(alias);
  const auto found = aliases_.find(number);
  if (found == aliases_.end()) return;
  Process& process = *processes_.at(found->second);
  const bool ends = process.monitors_.at(number).alias == AliasMode::reply_demonitor;
  deliver(&process, std::move(message));
  if (ends) do_demonitor(process, number, nullptr);
}

void Runtime::do_monitor(Process& process, uint64_t number) {
  const auto found = process.monitors_.find(number);
  if (found == process.monitors_.end() || found->second.fired) return;
  const MonitorTarget target = found->second.target;
  const dist::ProcessName name = name_at_node(target);
  const std::string& peer = node_of(target);
  if (local(peer)) {
    if (Process* watched = find(name)) {
      watched->watchers_.emplace(ref_of(number), Process::Watcher{process.self_, name});
    } else {
      fire_monitor(process, number, etf::atom("noproc"));
    }
    return;
  }
  // Without a word for it at the peer, the monitor watches the connection alone.
  if (transmit(&process, peer, {dist::MonitorP{process.self_, name, ref_of(number)}, {}}) == Sent::no) {
    fire_monitor(process, number, etf::atom("noconnection"));
  }
}

void Runtime::do_demonitor(Process& process, uint64_t number, Process* caller) {
  process.spawning_.erase(number);  // the reply will find nobody
  const auto found = process.monitors_.find(number);
  if (found == process.monitors_.end()) return;
  const Process::Monitor monitor = std::move(found->second);
  process.monitors_.erase(found);
  aliases_.erase(number);
  if (monitor.fired) return;
  const dist::ProcessName name = name_at_node(monitor.target);
  const std::string& peer = node_of(monitor.target);
  if (local(peer)) {
    if (Process* watched = find(name)) watched->watchers_.erase(ref_of(number));
  } else {
    transmit(caller, peer, {dist::DemonitorP{process.self_, name, ref_of(number)}, {}}, {.noconnect = true});
  }
}

void Runtime::fire_monitor(Process& process, uint64_t number, Term reason) {
  const auto found = process.monitors_.find(number);
  if (found == process.monitors_.end() || found->second.fired) return;
  found->second.fired = true;
  aliases_.erase(number);
  enqueue(process, Down{ref_of(number), found->second.target, std::move(reason)});
}

void Runtime::do_link(Process& process, const Pid& pid) {
  if (pid == process.self_) return;
  const auto known = process.links_.find(pid);
  if (known != process.links_.end() && known->second.unlink_id == 0) return;
  if (local(pid.node)) {
    Process* other = find(pid);
    if (!other) return exit_signal(process, pid, etf::atom("noproc"), true);
    process.links_[pid] = {};
    other->links_[process.self_] = {};
    return;
  }
  process.links_[pid] = {};
  if (transmit(&process, pid.node, {dist::Link{process.self_, pid}, {}}) == Sent::no && process.links_.erase(pid)) {
    exit_signal(process, pid, etf::atom("noconnection"), true);
  }
}

void Runtime::do_unlink(Process& process, const Pid& pid) {
  std::erase_if(process.mailbox_, [&](const Process::Signal& signal) {
    const auto* exit = std::get_if<Process::ExitMessage>(&signal);
    return exit && exit->from == pid;
  });
  const auto found = process.links_.find(pid);
  if (found == process.links_.end() || found->second.unlink_id != 0) return;
  if (local(pid.node)) {
    process.links_.erase(found);
    if (Process* other = find(pid)) other->links_.erase(process.self_);
    return;
  }
  // Until the peer has acknowledged, its exit signals are those of the old link and are ignored.
  const uint64_t id = next_unlink_++;
  found->second.unlink_id = id;
  const SendOptions connected_only{.noconnect = true};
  if (transmit(&process, pid.node, {dist::UnlinkId{id, process.self_, pid}, {}}, connected_only) != Sent::yes) {
    process.links_.erase(pid);
  }
}

void Runtime::do_exit_other(Process* from, const Pid& pid, Term reason) {
  const Pid sender = from ? from->self_ : Pid{node(), 0, 0, distribution_.creation()};
  if (!local(pid.node)) {
    transmit(from, pid.node, {dist::Exit2{sender, pid}, std::move(reason)});
  } else if (Process* process = find(pid)) {
    exit_signal(*process, sender, reason, false);
  }
}

void Runtime::exit_signal(Process& process, const Pid& from, const Term& reason, bool by_link) {
  if (!by_link && reason.is_atom("kill")) return terminate(process, etf::atom("killed"));
  if (process.trap_exit_) return enqueue(process, Process::ExitMessage{from, reason});
  if (reason.is_atom("normal") && (by_link || from != process.self_)) return;
  terminate(process, reason);
}

void Runtime::do_spawn_request(Process& process, uint64_t number, dist::SpawnRequest request, Term arguments) {
  const auto found = process.spawning_.find(number);
  if (found == process.spawning_.end()) return;  // abandoned, or failed, while it waited
  const std::string peer = found->second.peer;
  dist::Message message{std::move(request), std::move(arguments)};
  switch (transmit(&process, peer, std::move(message))) {
    case Sent::yes:
      break;
    case Sent::no:
      return spawn_failed(process, number, "noconnection");
    case Sent::unsupported:
      return spawn_failed(process, number, "notsup");
  }
}

void Runtime::spawn_failed(Process& process, uint64_t number, std::string_view reason) {
  if (process.spawning_.erase(number)) enqueue(process, Process::SpawnReplySignal{ref_of(number), etf::atom(reason)});
}

// Out of the table first: what the end of a process sets off must not find it.
void Runtime::terminate(Process& process, const Term& reason) {
  if (!process.alive_) return;
  process.alive_ = false;
  if (!process.name_.empty()) names_.erase(process.name_);
  const auto found = processes_.find(process.number_);
  exited_.push_back(std::move(found->second));
  processes_.erase(found);
  forget_observations(process);
  tell_watchers(process, reason);
  tell_linked(process, reason);
  process.mailbox_.clear();
  process.deferred_.clear();
  process.timers_.clear();
}

void Runtime::forget_observations(Process& process) {
  while (!process.monitors_.empty()) do_demonitor(process, process.monitors_.begin()->first, nullptr);
  process.spawning_.clear();
}

void Runtime::tell_watchers(Process& process, const Term& reason) {
  const auto watchers = std::exchange(process.watchers_, {});
  for (const auto& [ref, watcher] : watchers) {
    if (!local(watcher.pid.node)) {
      transmit(nullptr, watcher.pid.node, {dist::MonitorPExit{watcher.as, watcher.pid, ref}, reason}, quietly);
    } else if (Process* other = find(watcher.pid)) {
      fire_monitor(*other, number_of(ref), reason);
    }
  }
}

void Runtime::tell_linked(Process& process, const Term& reason) {
  const auto links = std::exchange(process.links_, {});
  for (const auto& [pid, link] : links) {
    if (link.unlink_id != 0) continue;
    if (!local(pid.node)) {
      transmit(nullptr, pid.node, {dist::Exit{process.self_, pid}, reason}, quietly);
    } else if (Process* other = find(pid)) {
      other->links_.erase(process.self_);
      exit_signal(*other, process.self_, reason, true);
    }
  }
}

}  // namespace distlab::process
