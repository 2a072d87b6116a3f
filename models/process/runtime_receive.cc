// What other nodes do to processes here: one function per kind of control message, as
// erts/emulator/beam/dist.c erts_net_message handles it.
#include <array>
#include <utility>

#include "models/process/runtime.h"
#include "models/process/runtime_activity.h"
#include "models/process/spawned.h"

namespace distlab::process {
namespace {

constexpr SendOptions quietly{.noconnect = true, .nosuspend = true};

// SPAWN_REPLY's flags.
constexpr uint32_t reply_linked = 1;
constexpr uint32_t reply_monitored = 2;

struct SpawnOptions {
  bool link = false;
  bool monitor = false;
};

// Options of spawn_opt that say how, not what: taken, and of no effect here.
bool is_tuning_option(const Term& option) {
  static constexpr std::array<std::string_view, 6> names = {
      "priority", "fullsweep_after", "min_heap_size", "min_bin_vheap_size", "max_heap_size", "message_queue_data"};
  for (const std::string_view name : names) {
    if (!option.as_tagged(name, 2).empty()) return true;
  }
  return false;
}

std::optional<SpawnOptions> parse_spawn_options(const Term& options) {
  const auto list = options.as_list();
  if (!list) return std::nullopt;
  SpawnOptions parsed;
  for (const Term& option : *list) {
    if (option.is_atom("link")) {
      parsed.link = true;
    } else if (option.is_atom("monitor") || !option.as_tagged("monitor", 2).empty()) {
      parsed.monitor = true;
    } else if (!is_tuning_option(option)) {
      return std::nullopt;
    }
  }
  return parsed;
}

}  // namespace

void Runtime::on_message(const std::string& peer, dist::Message message) {
  const Activity activity(*this, true);
  const bool valid =
      std::visit([&](auto& control) { return receive(peer, control, message.payload); }, message.control);
  if (valid) return;
  // dist.c, invalid_message: the connection is taken down.
  log("error", peer, "Invalid distribution message from '" + peer + "'");
  distribution_.disconnect(peer);
}

bool Runtime::receive(const std::string&, dist::Send& message, std::optional<Term>& payload) {
  if (!payload) return false;
  deliver(find(message.to), std::move(*payload));
  return true;
}

bool Runtime::receive(const std::string&, dist::SendSender& message, std::optional<Term>& payload) {
  if (!payload) return false;
  deliver(find(message.to), std::move(*payload));
  return true;
}

bool Runtime::receive(const std::string&, dist::RegSend& message, std::optional<Term>& payload) {
  if (!payload) return false;
  deliver(find(dist::ProcessName(message.to_name)), std::move(*payload));
  return true;
}

bool Runtime::receive(const std::string&, dist::AliasSend& message, std::optional<Term>& payload) {
  if (!payload) return false;
  deliver_alias(message.alias, std::move(*payload));
  return true;
}

// Native processes do no input or output, so a group leader is of no use to them.
bool Runtime::receive(const std::string&, dist::GroupLeader&, std::optional<Term>&) {
  return true;
}

bool Runtime::receive(const std::string& peer, dist::Link& message, std::optional<Term>&) {
  if (message.from.node != peer) return false;
  Process* process = find(message.to);
  if (!process) {
    transmit(nullptr, peer, {dist::Exit{message.to, message.from}, etf::atom("noproc")}, quietly);
  } else if (process->links_.size() >= limits_.watchers) {
    log("error", peer, "too many links to " + Term(message.to).to_string() + "; one is ignored");
  } else {
    // One that is being unlinked stays so: the peer will see our unlink after its link.
    process->links_.emplace(message.from, Process::Link{});
  }
  return true;
}

bool Runtime::receive(const std::string& peer, dist::UnlinkId& message, std::optional<Term>&) {
  if (message.from.node != peer) return false;
  if (Process* process = find(message.to)) {
    const auto found = process->links_.find(message.from);
    if (found != process->links_.end() && found->second.unlink_id == 0) process->links_.erase(found);
  }
  transmit(nullptr, peer, {dist::UnlinkIdAck{message.id, message.to, message.from}, {}}, quietly);
  return true;
}

bool Runtime::receive(const std::string& peer, dist::UnlinkIdAck& message, std::optional<Term>&) {
  if (message.from.node != peer) return false;
  if (Process* process = find(message.to)) {
    const auto found = process->links_.find(message.from);
    if (found != process->links_.end() && found->second.unlink_id == message.id) process->links_.erase(found);
  }
  return true;
}

bool Runtime::receive(const std::string& peer, dist::Exit& message, std::optional<Term>& payload) {
  if (message.from.node != peer || !payload) return false;
  Process* process = find(message.to);
  if (!process) return true;
  const auto found = process->links_.find(message.from);
  if (found == process->links_.end() || found->second.unlink_id != 0) return true;
  process->links_.erase(found);
  exit_signal(*process, message.from, *payload, true);
  return true;
}

bool Runtime::receive(const std::string&, dist::Exit2& message, std::optional<Term>& payload) {
  if (!payload) return false;
  if (Process* process = find(message.to)) exit_signal(*process, message.from, *payload, false);
  return true;
}

void Runtime::send_noproc(const dist::MonitorP& message) {
  transmit(nullptr, message.from.node, {dist::MonitorPExit{message.to, message.from, message.ref}, etf::atom("noproc")},
           quietly);
}

bool Runtime::receive(const std::string& peer, dist::MonitorP& message, std::optional<Term>&) {
  if (message.from.node != peer) return false;
  Process* process = find(message.to);
  if (!process) {
    send_noproc(message);
  } else if (process->watchers_.size() >= limits_.watchers) {
    log("error", peer, "too many monitors of " + Term(process->self_).to_string() + "; one is ignored");
  } else {
    process->watchers_.emplace(message.ref, Process::Watcher{message.from, message.to});
  }
  return true;
}

bool Runtime::receive(const std::string& peer, dist::DemonitorP& message, std::optional<Term>&) {
  if (message.from.node != peer) return false;
  Process* process = find(message.to);
  if (!process) return true;
  const auto found = process->watchers_.find(message.ref);
  if (found != process->watchers_.end() && found->second.pid == message.from) process->watchers_.erase(found);
  return true;
}

bool Runtime::receive(const std::string& peer, dist::MonitorPExit& message, std::optional<Term>& payload) {
  if (!payload) return false;
  Process* process = find(message.to);
  const uint64_t number = number_of(message.ref);
  if (!process) return true;
  const auto found = process->monitors_.find(number);
  if (found != process->monitors_.end() && node_of(found->second.target) == peer) {
    fire_monitor(*process, number, std::move(*payload));
  }
  return true;
}

void Runtime::reply_to_spawn(const dist::SpawnRequest& request, uint32_t flags, Term result) {
  transmit(nullptr, request.from.node,
           {dist::SpawnReply{request.request_id, request.from, flags, std::move(result)}, {}}, quietly);
}

// erl_process.c, erl_create_process and dist.c, DOP_SPAWN_REQUEST: the function need not exist; a
// process that has none ends with undef.
bool Runtime::receive(const std::string& peer, dist::SpawnRequest& message, std::optional<Term>& payload) {
  if (message.from.node != peer || !payload) return false;
  const auto options = parse_spawn_options(message.options);
  const auto arguments = payload->as_list();
  if (!options || !arguments || arguments->size() != message.arity) {
    reply_to_spawn(message, 0, etf::atom("badarg"));
    return true;
  }
  start_spawned(message, make_spawned(message.module, message.function, {arguments->begin(), arguments->end()}),
                options->link, options->monitor);
  return true;
}

void Runtime::start_spawned(const dist::SpawnRequest& request, std::unique_ptr<Process> process, bool links,
                            bool monitors) {
  Process& child = *process;
  const auto pid = spawn(std::move(process));
  if (!pid) return reply_to_spawn(request, 0, etf::atom("system_limit"));
  if (links) child.links_.emplace(request.from, Process::Link{});
  if (monitors) child.watchers_.emplace(request.request_id, Process::Watcher{request.from, *pid});
  reply_to_spawn(request, (links ? reply_linked : 0) | (monitors ? reply_monitored : 0), *pid);
}

bool Runtime::receive(const std::string& peer, dist::SpawnReply& message, std::optional<Term>&) {
  const uint64_t number = number_of(message.request_id);
  Process* process = find(message.to);
  const Pid* child = message.result.as<Pid>();
  if (!process || !process->spawning_.contains(number) || process->spawning_.at(number).peer != peer) {
    // Nobody waits any more: an abandoned request, or its process is gone.
    if (child && (message.flags & reply_monitored)) {
      transmit(nullptr, peer, {dist::DemonitorP{message.to, *child, message.request_id}, {}}, quietly);
    }
    if (child && (message.flags & reply_linked)) {
      transmit(nullptr, peer, {dist::Exit{message.to, *child}, etf::atom("abandoned")}, quietly);
    }
    return true;
  }
  const SpawnReplies replies = process->spawning_.at(number).replies;
  process->spawning_.erase(number);
  if (child && (message.flags & reply_monitored)) process->monitors_.emplace(number, Process::Monitor{*child});
  if (!child || replies == SpawnReplies::yes) {
    enqueue(*process, Process::SpawnReplySignal{message.request_id, std::move(message.result)});
  }
  return true;
}

}  // namespace distlab::process
