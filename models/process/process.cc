#include "models/process/process.h"

#include "models/process/runtime.h"
#include "models/process/runtime_activity.h"

namespace distlab::process {

const std::string& node_of(const MonitorTarget& target) {
  if (const Pid* pid = std::get_if<Pid>(&target)) return pid->node;
  return std::get<RemoteName>(target).node;
}

Process::~Process() = default;

Host& Process::host() const {
  return runtime_->host();
}
const std::string& Process::node() const {
  return runtime_->node();
}
Ref Process::make_ref() {
  return runtime_->make_ref();
}

// True if the operation has to wait, or has no effect any more.
bool Process::defer(std::function<void()> operation) {
  if (!alive_) return true;
  if (suspended_by_.empty()) return false;
  if (deferred_.size() < runtime_->limits_.suspended_work) {
    deferred_.push_back(std::move(operation));
  } else {
    runtime_->log("error", suspended_by_, "a suspended process has too much work waiting; an operation is lost");
  }
  return true;
}

void Process::then(std::function<void()> fn) {
  const Runtime::Activity activity(*runtime_);
  if (alive_ && suspended_by_.empty()) return fn();
  defer(std::move(fn));
}

void Process::send(const Destination& to, Term message, SendOptions options) {
  const Runtime::Activity activity(*runtime_);
  if (defer([=, this] { send(to, message, options); })) return;
  runtime_->do_send(this, to, std::move(message), options);
}

Ref Process::monitor(const MonitorTarget& target, AliasMode alias) {
  const Runtime::Activity activity(*runtime_);
  Ref ref = make_ref();
  if (!alive_) return ref;
  const uint64_t number = runtime_->number_of(ref);
  monitors_.emplace(number, Monitor{target, alias});
  if (alias != AliasMode::none) runtime_->aliases_.emplace(number, number_);
  if (defer([this, number] { runtime_->do_monitor(*this, number); })) return ref;
  runtime_->do_monitor(*this, number);
  return ref;
}

void Process::demonitor(const Ref& ref) {
  const Runtime::Activity activity(*runtime_);
  if (defer([this, ref] { demonitor(ref); })) return;
  if (const uint64_t number = runtime_->number_of(ref)) runtime_->do_demonitor(*this, number, this);
}

void Process::link(const Pid& pid) {
  const Runtime::Activity activity(*runtime_);
  if (defer([this, pid] { link(pid); })) return;
  runtime_->do_link(*this, pid);
}

void Process::unlink(const Pid& pid) {
  const Runtime::Activity activity(*runtime_);
  if (defer([this, pid] { unlink(pid); })) return;
  runtime_->do_unlink(*this, pid);
}

void Process::exit(const Term& reason) {
  const Runtime::Activity activity(*runtime_);
  if (defer([this, reason] { exit(reason); })) return;
  runtime_->terminate(*this, reason);
}

void Process::exit_other(const Pid& pid, Term reason) {
  const Runtime::Activity activity(*runtime_);
  if (defer([this, pid, reason] { exit_other(pid, reason); })) return;
  runtime_->do_exit_other(this, pid, std::move(reason));
}

void Process::watch_nodes() {
  watches_nodes_ = true;
}

Ref Process::spawn_request(const std::string& to, const std::string& module, const std::string& function,
                           std::vector<Term> arguments, SpawnReplies replies) {
  const Runtime::Activity activity(*runtime_);
  Ref ref = make_ref();
  if (!alive_) return ref;
  const uint64_t number = runtime_->number_of(ref);
  dist::SpawnRequest request;
  request.request_id = ref;
  request.from = self_;
  request.group_leader = self_;
  request.module = module;
  request.function = function;
  request.arity = static_cast<uint8_t>(arguments.size());
  request.options = etf::list({etf::atom("monitor")});
  spawning_.emplace(number, SpawnPending{to, replies});
  Term list = etf::list(std::move(arguments));
  if (defer([=, this] { runtime_->do_spawn_request(*this, number, request, list); })) return ref;
  runtime_->do_spawn_request(*this, number, std::move(request), std::move(list));
  return ref;
}

Process::TimerKey Process::start_timer(Duration delay, std::function<void()> fn) {
  const TimerKey key = next_timer_++;
  if (!alive_) return key;
  timers_[key] = nullptr;
  const auto start = [this, key, delay, fn = std::move(fn)] {
    const auto found = timers_.find(key);
    if (found == timers_.end()) return;  // cancelled meanwhile
    found->second = std::make_unique<ProcessTimer>(host());
    found->second->fn = fn;
    found->second->timer.start(delay, [this, key] {
      const Runtime::Activity activity(*runtime_, true);
      runtime_->enqueue(*this, TimerSignal{key});
    });
  };
  if (defer(start)) return key;
  start();
  return key;
}

void Process::cancel_timer(TimerKey key) {
  timers_.erase(key);
}

void Process::dispatch(Signal signal) {
  struct Visitor {
    Process& process;
    void operator()(const StartSignal&) const { process.on_start(); }
    void operator()(const MessageSignal& s) const { process.on_message(s.message); }
    void operator()(const Down& down) const {
      const auto found = process.monitors_.find(process.runtime_->number_of(down.ref));
      if (found == process.monitors_.end()) return;  // demonitor(Ref, [flush])
      process.monitors_.erase(found);
      process.on_down(down);
    }
    void operator()(const ExitMessage& s) const { process.on_exit_signal(s.from, s.reason); }
    void operator()(const SpawnReplySignal& s) const { process.on_spawn_reply(s.request, s.result); }
    void operator()(const NodeUpSignal& s) const { process.on_node_up(s.peer); }
    void operator()(const NodeDownSignal& s) const { process.on_node_down(s.peer, s.reason); }
    void operator()(const TimerSignal& s) const {
      const auto found = process.timers_.find(s.key);
      if (found == process.timers_.end()) return;  // cancelled after it fired
      const std::function<void()> fn = std::move(found->second->fn);
      process.timers_.erase(found);
      fn();
    }
  };
  std::visit(Visitor{*this}, signal);
}

}  // namespace distlab::process
