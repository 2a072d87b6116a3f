#include <map>
#include <set>
#include <utility>

#include "models/host/event_kinds.h"
#include "models/process/call.h"
#include "models/process/rpc.h"
#include "models/workload/ledger.h"
#include "models/workload/ticker.h"
#include "models/workload/watchers.h"
#include "models/workload/workload.h"

namespace distlab::workload {

using etf::Term;
using process::RemoteName;

namespace {

// Of something that was begun and is to be recorded once, whatever becomes of it: even a client
// process that was killed lets go of the last reference.
class Outcome {
 public:
  using Record = std::function<void(std::string_view result, Duration elapsed)>;
  Outcome(Host& host, std::shared_ptr<size_t> outstanding, Record record)
      : host_(host), outstanding_(std::move(outstanding)), record_(std::move(record)), started_(host.now()) {
    ++*outstanding_;
  }
  Outcome(const Outcome&) = delete;
  Outcome& operator=(const Outcome&) = delete;
  ~Outcome() { finish("killed"); }
  void finish(std::string_view result) {
    if (!record_) return;
    --*outstanding_;
    std::exchange(record_, nullptr)(result, host_.now() - started_);
  }
  void abandon() { record_ = nullptr; }  // the driver is gone: nobody records

 private:
  Host& host_;
  const std::shared_ptr<size_t> outstanding_;
  Record record_;
  const Time started_;
};

}  // namespace

class Driver::Impl {
 public:
  Impl(process::Runtime& runtime, process::Services& services, Options options)
      : runtime_(runtime), services_(services), options_(std::move(options)), origin_(runtime.host().now()) {
    start_server<LedgerReceiver>("ledger");
    start_server<Sink>("sink");
  }
  ~Impl() {
    for (const auto& pending : pending_) {
      if (const auto outcome = pending.second.lock()) outcome->abandon();
    }
  }

  void add(Action action) {
    const size_t index = actions_++;
    std::visit([&](auto& what) { plan(index, action.schedule, std::move(what)); }, action.what);
  }
  size_t outstanding() const { return *outstanding_; }

 private:
  template <typename What>
  void plan(size_t index, const Schedule& schedule, What what) {
    schedule_action(index, schedule, [this, index, what = std::move(what)] { perform(index, what); });
  }
  void plan(size_t index, const Schedule& schedule, const Send& what);
  void schedule_action(size_t index, const Schedule& schedule, std::function<void()> due) {
    const std::string stream = "workload/" + std::to_string(index);
    tickers_.push_back(std::make_unique<Ticker>(host(), schedule, origin_, stream, std::move(due)));
  }

  void perform(size_t index, const Connect& what);
  void perform(size_t index, const Disconnect& what);
  void perform(size_t index, const Call& what);
  void perform(size_t, const Rpc& what) { remote_call(process::RpcKind::rpc, what); }
  void perform(size_t, const Erpc& what) { remote_call(process::RpcKind::erpc, what); }
  void perform(size_t index, const Bulk& what);
  void perform(size_t index, const PgJoin& what);
  void perform(size_t index, const PgLeave& what);
  void perform(size_t index, const Monitor& what);
  void perform(size_t index, const Link& what);
  void perform(size_t index, const Spawn& what);
  void perform(size_t index, const GlobalRegister& what);
  void perform(size_t index, const GlobalSync& what);
  void perform(size_t index, const SetCookie& what);

  template <typename What>
  void remote_call(process::RpcKind kind, const What& what);
  // Nothing when too much is under way; that is recorded then.
  std::shared_ptr<Outcome> begin(Outcome::Record record);
  std::shared_ptr<Outcome> begin_call(const std::string& peer);
  template <typename P>
  void start_server(const std::string& name);
  std::optional<etf::Pid> member(const std::string& name);
  // A watcher per action: false while the last one still watches.
  bool may_watch(size_t index) const;

  Host& host() { return runtime_.host(); }
  const std::string& node() const { return runtime_.node(); }
  std::string towards(const std::string& peer) const { return node() + "->" + peer; }

  process::Runtime& runtime_;
  process::Services& services_;
  const Options options_;
  const Time origin_;
  size_t actions_ = 0;
  int64_t next_id_ = 1;
  int64_t next_pending_ = 1;
  std::shared_ptr<size_t> outstanding_ = std::make_shared<size_t>(0);
  std::map<int64_t, std::weak_ptr<Outcome>> pending_;
  std::map<std::string, std::shared_ptr<int64_t>> sequences_;  // of ledger messages, by peer
  std::map<std::string, etf::Pid> members_;                    // by group or name
  std::map<size_t, etf::Pid> watchers_;                        // by action
  std::set<std::string> joined_;
  std::vector<std::unique_ptr<Ticker>> tickers_;
};

template <typename P>
void Driver::Impl::start_server(const std::string& name) {
  if (const P* server = runtime_.spawn<P>()) runtime_.register_name(name, server->self());
}

std::shared_ptr<Outcome> Driver::Impl::begin(Outcome::Record record) {
  if (*outstanding_ >= options_.max_outstanding) {
    record("overload", Duration{0});
    return nullptr;
  }
  const int64_t key = next_pending_++;
  auto outcome = std::make_shared<Outcome>(
      host(), outstanding_, [this, key, record = std::move(record)](std::string_view result, Duration elapsed) {
        pending_.erase(key);
        record(result, elapsed);
      });
  pending_[key] = outcome;
  return outcome;
}

std::shared_ptr<Outcome> Driver::Impl::begin_call(const std::string& peer) {
  const int64_t id = next_id_++;
  const int64_t started = (host().now() - run_start).count();
  return begin([this, subject = towards(peer), id, started](std::string_view result, Duration elapsed) {
    host().record({kinds::call_done,
                   subject,
                   {{"id", id},
                    {"result", std::string(result)},
                    {"elapsed_ns", int64_t{elapsed.count()}},
                    {"started_ns", started}}});
  });
}

// net_adm:ping/1, which disconnects what does not answer.
void Driver::Impl::perform(size_t, const Connect& what) {
  const auto outcome = begin([this, subject = towards(what.peer)](std::string_view result, Duration elapsed) {
    host().record({kinds::ping_done,
                   subject,
                   {{"result", result == "ok" ? "pong" : "pang"}, {"elapsed_ns", int64_t{elapsed.count()}}}});
  });
  if (!outcome) return;
  runtime_.spawn<process::CallClient>(
      RemoteName{"net_kernel", what.peer}, etf::tuple(etf::atom("is_auth"), etf::atom(node())), std::nullopt,
      [&runtime = runtime_, outcome, peer = what.peer](const process::CallOutcome& call) {
        if (call.result != "ok") runtime.distribution().disconnect(peer);
        outcome->finish(call.result);
      });
}

void Driver::Impl::perform(size_t, const Disconnect& what) {
  runtime_.distribution().disconnect(what.peer);
}

void Driver::Impl::perform(size_t, const Call& what) {
  const auto outcome = begin_call(what.peer);
  if (!outcome) return;
  runtime_.spawn<process::CallClient>(RemoteName{"echo", what.peer}, payload_of(what.payload), what.timeout,
                                      [outcome](const process::CallOutcome& call) { outcome->finish(call.result); });
}

template <typename What>
void Driver::Impl::remote_call(process::RpcKind kind, const What& what) {
  const auto outcome = begin_call(what.peer);
  if (!outcome) return;
  if (what.peer == node()) return outcome->finish("ok");  // erpc:call/5 applies it in place
  process::RpcClient::Request request{kind, what.peer, "distlab", "echo", {payload_of(what.payload)}, what.timeout};
  runtime_.spawn<process::RpcClient>(std::move(request),
                                     [outcome](const process::RpcOutcome& call) { outcome->finish(call.result); });
}

// One sender per action, as one load-generating process would be.
void Driver::Impl::plan(size_t index, const Schedule& schedule, const Send& what) {
  auto& sequence = sequences_[what.peer];
  if (!sequence) sequence = std::make_shared<int64_t>(0);
  const LedgerSender* sender = runtime_.spawn<LedgerSender>(what.peer, what.payload, sequence);
  if (!sender) return;
  schedule_action(index, schedule, [this, pid = sender->self()] { runtime_.send(pid, etf::atom("tick")); });
}

void Driver::Impl::perform(size_t, const Bulk& what) {
  const auto bytes = static_cast<int64_t>(what.bytes);
  const auto outcome = begin([this, subject = towards(what.peer), bytes](std::string_view result, Duration elapsed) {
    host().record({kinds::bulk_done,
                   subject,
                   {{"bytes", bytes}, {"elapsed_ns", int64_t{elapsed.count()}}, {"result", std::string(result)}}});
  });
  if (!outcome) return;
  runtime_.spawn<process::CallClient>(
      RemoteName{"sink", what.peer}, etf::tuple(etf::atom("bulk"), payload_of(what.bytes)), what.timeout,
      [outcome, bytes](const process::CallOutcome& call) {
        const bool complete = call.result != "ok" || call.value == etf::tuple(etf::atom("ok"), Term(bytes));
        outcome->finish(complete ? call.result : "corrupted");
      });
}

std::optional<etf::Pid> Driver::Impl::member(const std::string& name) {
  const auto found = members_.find(name);
  if (found != members_.end() && runtime_.alive(found->second)) return found->second;
  const Member* started = runtime_.spawn<Member>();
  if (!started) return std::nullopt;
  members_[name] = started->self();
  joined_.erase(name);
  return started->self();
}

void Driver::Impl::perform(size_t, const PgJoin& what) {
  const auto pid = member(what.group);
  if (pid && services_.pg() && joined_.insert(what.group).second) services_.pg()->join(etf::atom(what.group), *pid);
}

void Driver::Impl::perform(size_t, const PgLeave& what) {
  const auto pid = member(what.group);
  if (pid && services_.pg() && joined_.erase(what.group)) services_.pg()->leave(etf::atom(what.group), *pid);
}

bool Driver::Impl::may_watch(size_t index) const {
  const auto found = watchers_.find(index);
  return found == watchers_.end() || !runtime_.alive(found->second);
}

void Driver::Impl::perform(size_t index, const Monitor& what) {
  if (!may_watch(index)) return;
  const auto* watcher = runtime_.spawn<MonitorWatcher>(RemoteName{what.name, what.peer});
  if (watcher) watchers_[index] = watcher->self();
}

void Driver::Impl::perform(size_t index, const Link& what) {
  if (!may_watch(index)) return;
  const auto* watcher = runtime_.spawn<LinkWatcher>(what.peer);
  if (watcher) watchers_[index] = watcher->self();
}

void Driver::Impl::perform(size_t, const Spawn& what) {
  const auto outcome = begin_call(what.peer);
  if (!outcome) return;
  runtime_.spawn<SpawnClient>(what.peer, what.timeout, [outcome](std::string_view result) { outcome->finish(result); });
}

void Driver::Impl::perform(size_t, const GlobalRegister& what) {
  const auto pid = member(what.name);
  if (!pid || !services_.global()) return;
  services_.global()->register_name(etf::atom(what.name), *pid, [&host = host(), name = what.name](bool yes) {
    host.record({kinds::global_changed, name, {{"name", name}, {"action", yes ? "register_yes" : "register_no"}}});
  });
}

void Driver::Impl::perform(size_t, const GlobalSync&) {
  if (!services_.global()) return;
  services_.global()->sync([&host = host(), subject = node()] {
    host.record({kinds::global_changed, subject, {{"name", ""}, {"action", "synced"}}});
  });
}

void Driver::Impl::perform(size_t, const SetCookie& what) {
  if (options_.set_cookie) options_.set_cookie(what.peer, what.cookie);
}

Driver::Driver(process::Runtime& runtime, process::Services& services, Options options)
    : impl_(std::make_unique<Impl>(runtime, services, std::move(options))) {}
Driver::~Driver() = default;

void Driver::add(Action action) {
  impl_->add(std::move(action));
}
size_t Driver::outstanding() const {
  return impl_->outstanding();
}

}  // namespace distlab::workload
