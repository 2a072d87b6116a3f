#include "models/process/runtime.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "models/dist/flags.h"
#include "models/host/event_kinds.h"
#include "models/process/runtime_activity.h"

namespace distlab::process {
namespace {

// Signals handled before other events of the host get their turn.
constexpr size_t signals_per_run = 20'000;

// A pid's number has 28 bits in OTP 25: 15 in `id`, 13 in `serial` (erts/emulator/beam/erl_term.h).
constexpr uint32_t max_pid_number = (1u << 28) - 1;
constexpr uint32_t first_pid_number = 80;  // where a freshly booted node's own processes end

}  // namespace

Runtime::Runtime(Host& host, Distribution& distribution, Limits limits)
    : host_(host), distribution_(distribution), limits_(limits), run_timer_(host), next_number_(first_pid_number) {}

Runtime::~Runtime() {
  assert(active_ == 0);
  active_ = 1;  // destructors of processes start nothing
}

void Runtime::log(std::string_view level, const std::string& subject, std::string text) {
  host_.record({kinds::log, subject, {{"level", std::string(level)}, {"text", std::move(text)}}});
}

std::optional<Pid> Runtime::spawn(std::unique_ptr<Process> process) {
  const Activity activity(*this);
  if (processes_.size() >= limits_.processes) {
    log("error", node(), "Too many processes");
    return std::nullopt;
  }
  while (processes_.contains(next_number_)) next_number_ = next_number_ % max_pid_number + 1;
  process->runtime_ = this;
  process->number_ = next_number_;
  process->self_ = Pid{node(), next_number_ & 0x7fff, next_number_ >> 15, distribution_.creation()};
  process->alive_ = true;
  next_number_ = next_number_ % max_pid_number + 1;
  Process& started = *process;
  processes_.emplace(started.number_, std::move(process));
  enqueue(started, Process::StartSignal{});
  return started.self_;
}

Process* Runtime::find(const Pid& pid) const {
  if (!local(pid.node) || pid.creation != distribution_.creation() || pid.id > 0x7fff || pid.serial > 0x1fff) {
    return nullptr;
  }
  return find_number(pid.serial << 15 | pid.id);
}

Process* Runtime::find_number(uint32_t number) const {
  const auto found = processes_.find(number);
  return found == processes_.end() ? nullptr : found->second.get();
}

Process* Runtime::find(const dist::ProcessName& name) const {
  if (const Pid* pid = std::get_if<Pid>(&name)) return find(*pid);
  const auto found = names_.find(std::get<std::string>(name));
  return found == names_.end() ? nullptr : find(found->second);
}

bool Runtime::alive(const Pid& pid) const {
  return find(pid) != nullptr;
}

bool Runtime::register_name(const std::string& name, const Pid& pid) {
  Process* process = find(pid);
  if (!process || !process->name_.empty() || name.empty() || name == "undefined") return false;
  if (!names_.emplace(name, pid).second) return false;
  process->name_ = name;
  return true;
}

bool Runtime::unregister_name(const std::string& name) {
  const auto found = names_.find(name);
  if (found == names_.end()) return false;
  if (Process* process = find(found->second)) process->name_.clear();
  names_.erase(found);
  return true;
}

std::optional<Pid> Runtime::whereis(const std::string& name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? std::nullopt : std::optional(found->second);
}

// As a reference of OTP 25: three words, 18 bits in the first.
Ref Runtime::ref_of(uint64_t number) const {
  return Ref{node(),
             distribution_.creation(),
             {static_cast<uint32_t>(number & 0x3ffff), static_cast<uint32_t>(number >> 18),
              static_cast<uint32_t>(number >> 50)}};
}

Ref Runtime::make_ref() {
  return ref_of(next_ref_++);
}

uint64_t Runtime::number_of(const Ref& ref) const {
  if (!local(ref.node) || ref.creation != distribution_.creation() || ref.words.size() != 3) return 0;
  return uint64_t{ref.words[0] & 0x3ffff} | uint64_t{ref.words[1]} << 18 | uint64_t{ref.words[2]} << 50;
}

void Runtime::send(const Destination& to, Term message) {
  const Activity activity(*this);
  do_send(nullptr, to, std::move(message), {});
}

void Runtime::exit_process(const Pid& pid, Term reason) {
  const Activity activity(*this);
  do_exit_other(nullptr, pid, std::move(reason));
}

void Runtime::enqueue(Process& process, Process::Signal signal) {
  process.mailbox_.push_back(std::move(signal));
  make_runnable(process);
}

void Runtime::make_runnable(Process& process) {
  if (process.in_run_queue_ || !process.suspended_by_.empty() || process.mailbox_.empty()) return;
  process.in_run_queue_ = true;
  run_queue_.push_back(process.number_);
}

void Runtime::finish(bool at_loop) {
  if (at_loop) {
    run();
  } else if (!(run_queue_.empty() && exited_.empty()) && !run_timer_.running()) {
    run_timer_.start(Duration{0}, [this] { const Activity activity(*this, true); });
  }
}

// One signal of each runnable process in turn.
void Runtime::run() {
  for (size_t signals = 0; !run_queue_.empty(); ++signals) {
    if (signals == signals_per_run) {
      run_timer_.start(Duration{0}, [this] { const Activity activity(*this, true); });
      return;
    }
    Process* process = find_number(run_queue_.front());
    run_queue_.pop_front();
    if (!process) continue;
    process->in_run_queue_ = false;
    if (!process->suspended_by_.empty() || process->mailbox_.empty()) continue;
    Process::Signal signal = std::move(process->mailbox_.front());
    process->mailbox_.pop_front();
    if (process->mailbox_.empty()) process->overflowed_ = false;
    process->dispatch(std::move(signal));
    if (process->alive_) make_runnable(*process);
  }
  exited_.clear();
}

void Runtime::suspend(Process& process, const std::string& peer) {
  if (!process.alive_ || !process.suspended_by_.empty()) return;
  process.suspended_by_ = peer;
  suspended_.push_back(process.number_);
}

void Runtime::resume(Process& process) {
  process.suspended_by_.clear();
  while (process.alive_ && process.suspended_by_.empty() && !process.deferred_.empty()) {
    const auto operation = std::move(process.deferred_.front());
    process.deferred_.pop_front();
    operation();
  }
  if (process.alive_) make_runnable(process);
}

void Runtime::release(const std::string& peer) {
  std::vector<uint32_t> released;
  std::deque<uint32_t> others;
  for (const uint32_t number : suspended_) {
    const Process* process = find_number(number);
    if (!process) continue;
    if (process->suspended_by_ == peer) {
      released.push_back(number);
    } else {
      others.push_back(number);
    }
  }
  suspended_ = std::move(others);
  for (const uint32_t number : released) {
    if (Process* process = find_number(number)) resume(*process);
  }
}

template <typename Action>
void Runtime::for_each_process(const Action& action) {
  std::vector<uint32_t> numbers;  // the action may end processes
  numbers.reserve(processes_.size());
  for (const auto& [number, process] : processes_) numbers.push_back(number);
  for (const uint32_t number : numbers) {
    if (Process* process = find_number(number)) action(*process);
  }
}

void Runtime::on_node_up(const std::string& peer, bool visible) {
  const Activity activity(*this, true);
  connecting_.erase(peer);
  if (visible) visible_.insert(peer);
  const bool can_spawn = (distribution_.flags(peer) & dist::flag::spawn) != 0;
  for_each_process([&](Process& process) {
    if (!can_spawn) {
      std::vector<uint64_t> requests;
      for (const auto& [number, request] : process.spawning_) {
        if (request.peer == peer) requests.push_back(number);
      }
      for (const uint64_t number : requests) spawn_failed(process, number, "notsup");
    }
    if (visible && process.watches_nodes_) enqueue(process, Process::NodeUpSignal{peer});
  });
}

void Runtime::on_node_down(const std::string& peer, std::string_view reason) {
  const Activity activity(*this, true);
  connection_lost(peer, std::string(reason));
}

void Runtime::on_connect_failed(const std::string& peer) {
  const Activity activity(*this, true);
  connection_lost(peer, "");
}

void Runtime::on_resume(const std::string& peer) {
  const Activity activity(*this, true);
  release(peer);
}

void Runtime::connection_lost(const std::string& peer, const std::string& reason) {
  connecting_.erase(peer);
  const bool was_visible = visible_.erase(peer) > 0;
  for_each_process([&](Process& process) { lose_connection(process, peer); });
  if (was_visible) {
    for_each_process([&](Process& process) {
      if (process.watches_nodes_) enqueue(process, Process::NodeDownSignal{peer, reason});
    });
  }
  release(peer);
}

void Runtime::lose_connection(Process& process, const std::string& peer) {
  std::vector<uint64_t> monitors, requests;
  for (const auto& [number, monitor] : process.monitors_) {
    if (node_of(monitor.target) == peer) monitors.push_back(number);
  }
  for (const auto& [number, request] : process.spawning_) {
    if (request.peer == peer) requests.push_back(number);
  }
  for (const uint64_t number : monitors) fire_monitor(process, number, etf::atom("noconnection"));
  for (const uint64_t number : requests) spawn_failed(process, number, "noconnection");
  std::erase_if(process.watchers_, [&](const auto& watcher) { return watcher.second.pid.node == peer; });
  std::vector<Pid> linked;
  for (const auto& [pid, link] : process.links_) {
    if (pid.node == peer && link.unlink_id == 0) linked.push_back(pid);
  }
  std::erase_if(process.links_, [&](const auto& link) { return link.first.node == peer; });
  for (const Pid& pid : linked) {
    if (process.alive_) exit_signal(process, pid, etf::atom("noconnection"), true);
  }
}

}  // namespace distlab::process
