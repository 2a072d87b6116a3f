// The server: calls, names, locks. How nodes join is in global_connect.cc, how they part in
// global_partitions.cc.
#include "models/process/global.h"

#include <algorithm>
#include <utility>

#include "models/host/event_kinds.h"
#include "models/process/global_locker.h"
#include "models/process/global_registrar.h"
#include "models/process/global_resolver.h"
#include "models/process/runtime.h"

namespace distlab::process {
namespace {

const Term& global_resource() {
  static const Term resource = etf::atom("global");
  return resource;
}

Term default_method() {
  return etf::Export{"global", "random_exit_name", 3};
}

Term atoms(const std::vector<std::string>& names) {
  etf::Terms terms;
  for (const std::string& name : names) terms.push_back(etf::atom(name));
  return etf::list(std::move(terms));
}

}  // namespace

Global::Global(GlobalOptions options) : options_(options) {}
Global::~Global() = default;

void Global::on_start() {
  trap_exit(true);
  start_helpers();
  watch_nodes();
  // As global:init/1: 59 bits of chance, with room for the creation below them.
  const uint64_t chance = host().random("global").below(uint64_t{1} << 60);
  creation_extension_ = static_cast<int64_t>(chance & ~uint64_t{0xffffffff});
  runtime().functions().add("global", "resolve_it", 4, resolve_it);
  for (const std::string& peer : runtime().distribution().visible_nodes()) on_node_up(peer);
}

// Also at the first request, which may come before the server's first turn. They are linked both
// ways, and so never outlive the server.
void Global::start_helpers() {
  if (locker_) return;
  locker_ = runtime().spawn<GlobalLocker>(*this);
  registrar_ = runtime().spawn<GlobalRegistrar>(*this);
  if (!locker_ || !registrar_) return exit(etf::atom("system_limit"));
  locker_pid_ = locker_->self();
  registrar_pid_ = registrar_->self();
  link(locker_pid_);
  link(registrar_pid_);
}

GlobalLocker* Global::locker() {
  return runtime().alive(locker_pid_) ? locker_ : nullptr;
}
GlobalRegistrar* Global::registrar() {
  return runtime().alive(registrar_pid_) ? registrar_ : nullptr;
}

void Global::on_exit_signal(const Pid& from, const Term&) {
  if (from == locker_pid_) exit(etf::tuple(etf::atom("locker_died"), from));
  if (from == registrar_pid_) exit(etf::tuple(etf::atom("registrar_died"), from));
}

std::vector<std::string> Global::known() const {
  std::vector<std::string> names;
  for (const auto& [name, version] : known_) names.push_back(name);
  return names;
}

std::vector<std::string> Global::synced() const {
  return {synced_.begin(), synced_.end()};
}

void Global::register_name(const Term& name, const Pid& pid, std::function<void(bool)> done) {
  start_helpers();
  if (auto* helper = registrar()) helper->register_name(name, pid, default_method(), std::move(done));
}

void Global::unregister_name(const Term& name, std::function<void()> done) {
  start_helpers();
  if (auto* helper = registrar()) helper->unregister_name(name, std::move(done));
}

// where/1.
std::optional<Pid> Global::whereis_name(const Term& name) const {
  const GlobalName* entry = tables_.find_name(name);
  if (!entry) return std::nullopt;
  if (entry->pid.node == node() && !runtime().alive(entry->pid)) return std::nullopt;
  return entry->pid;
}

void Global::sync(std::function<void()> done) {
  start_sync({{}, std::move(done), std::nullopt}, runtime().distribution().visible_nodes());
}

void Global::start_sync(Sync sync, const std::vector<std::string>& nodes) {
  for (const std::string& peer : nodes) {
    // sync_init/2: monitor_node of one that is not connected is a nodedown at once.
    if (peer != node() && !synced_.contains(peer) && runtime().distribution().connected(peer)) {
      sync.waiting.insert(peer);
    }
  }
  syncs_.push_back(std::move(sync));
  start_timer(Duration{0}, [this] { note_synced(""); });
}

void Global::note_synced(const std::string& peer) {
  std::vector<Sync> finished;
  for (auto sync = syncs_.begin(); sync != syncs_.end();) {
    sync->waiting.erase(peer);
    if (!sync->waiting.empty()) {
      ++sync;
      continue;
    }
    finished.push_back(std::move(*sync));
    sync = syncs_.erase(sync);
  }
  for (const Sync& sync : finished) {
    if (sync.call) reply(*sync.call, etf::atom("ok"));
    if (sync.done) sync.done();
  }
}

void Global::cast(const std::string& to, Term request) {
  send(RemoteName{"global_name_server", to}, gen_cast(std::move(request)));
}

void Global::handle_call(const GenCall& call) {
  const Term& request = call.request;
  if (const auto lock = request.as_tagged("set_lock", 2); !lock.empty()) {
    const auto id = lock[1].as_tuple(2);
    if (!id.empty()) reply(call, etf::boolean(set_lock(id[0], id[1], call.from)));
  } else if (const auto unlock = request.as_tagged("del_lock", 2); !unlock.empty()) {
    const auto id = unlock[1].as_tuple(2);
    if (id.empty()) return;
    const GlobalLock* held = tables_.find_lock(id[0]);
    if (held && held->requester == id[1]) remove_lock(id[0], call.from, false);
    reply(call, etf::atom("true"));
  } else if (const auto name = request.as_tagged("register", 4); !name.empty()) {
    if (const Pid* pid = name[2].as<Pid>()) insert_name(name[1], *pid, name[3], lock_held_by(call.from));
    reply(call, etf::atom("yes"));
  } else if (const auto ext = request.as_tagged("register_ext", 5); !ext.empty()) {
    if (const Pid* pid = ext[2].as<Pid>()) insert_name(ext[1], *pid, ext[3], lock_held_by(call.from));
    reply(call, etf::atom("yes"));
  } else if (const auto gone = request.as_tagged("unregister", 2); !gone.empty()) {
    delete_name(gone[1]);
    reply(call, etf::atom("ok"));
  } else if (request.is_atom("get_known")) {
    reply(call, atoms(known()));
  } else if (request.is_atom("get_synced")) {
    reply(call, atoms(synced()));
  } else if (request.is_atom("get_protocol_version")) {
    reply(call, Term(protocol_version));
  } else if (request.is_atom("get_names_ext")) {
    reply(call, etf::list({}));
  } else if (!request.as_tagged("sync", 2).empty()) {
    start_sync({{}, {}, call}, runtime().distribution().visible_nodes());
  } else {
    runtime().log("warning", node(),
                  "The global_name_server received an unexpected message:\nhandle_call(" + request.to_string() + ")");
  }
}

void Global::on_down(const Down& down) {
  for (const Term& resource : tables_.locks_with(down.ref)) {
    if (const Pid* pid = std::get_if<Pid>(&down.object)) remove_lock(resource, *pid, true);
  }
  if (const GlobalName* entry = tables_.name_of(down.ref)) delete_name(Term(entry->name));
}

// handle_set_lock/3.
bool Global::set_lock(const Term& resource, const Term& requester, const Pid& pid) {
  if (!tables_.can_set_lock(resource, requester)) return false;
  if (GlobalLock* lock = tables_.find_lock(resource)) {
    for (const auto& [holder, ref] : lock->holders) {
      if (holder == pid) return true;
    }
    if (lock->holders.size() >= GlobalTables::max_locks) return false;
    lock->holders.emplace_back(pid, monitor(pid));
    return true;
  }
  if (tables_.lock_count() >= GlobalTables::max_locks) {
    runtime().log("error", pid.node, "global: too many locks; one is refused");
    return false;
  }
  tables_.put_lock({resource, requester, {{pid, monitor(pid)}}});
  return true;
}

void Global::remove_lock(const Term& resource, const Pid& pid, bool down) {
  GlobalLock* lock = tables_.find_lock(resource);
  if (!lock) return;
  const auto holder =
      std::find_if(lock->holders.begin(), lock->holders.end(), [&](const auto& entry) { return entry.first == pid; });
  if (holder == lock->holders.end()) return;
  const Ref ref = holder->second;
  lock->holders.erase(holder);
  if (lock->holders.empty()) {
    tables_.erase_lock(resource);
    if (resource == global_resource()) global_lock_down_ = down;
  }
  demonitor(ref);
}

// lock_still_set/3, for a name that is registered by a call.
bool Global::lock_held_by(const Pid& pid) const {
  const GlobalLock* lock = tables_.find_lock(global_resource());
  if (!lock) return !global_lock_down_;
  return std::any_of(lock->holders.begin(), lock->holders.end(), [&](const auto& entry) { return entry.first == pid; });
}

// lock_still_set/3, for names that come with a node.
bool Global::lock_held_as(const Term& extra_info) const {
  const GlobalLock* lock = tables_.find_lock(global_resource());
  if (!lock) return !global_lock_down_;
  const auto list = extra_info.as_list();
  if (!list) return false;
  for (const Term& entry : *list) {
    const auto info = entry.as_tagged("lock", 2);
    const auto id = info.empty() ? info : info[1].as_tuple(2);
    if (!id.empty()) return id[1] == lock->requester;
  }
  return false;
}

// ins_name/6. Without the lock under which it was registered - whose node went away and came back -
// the name must not stay.
void Global::insert_name(const Term& name, const Pid& pid, const Term& method, bool lock_still_set) {
  if (const GlobalName* old = tables_.find_name(name)) {
    demonitor(old->monitor);
  } else if (tables_.name_count() >= GlobalTables::max_names) {
    return runtime().log("error", pid.node, "global: too many names; one is ignored");
  }
  tables_.put_name({name, pid, method, monitor(pid)});
  record_change(name, "registered");
  if (!lock_still_set) delete_name(name);
}

void Global::delete_name(const Term& name) {
  const GlobalName* entry = tables_.find_name(name);
  if (!entry) return;
  const Ref ref = entry->monitor;
  tables_.erase_name(name);
  demonitor(ref);
  record_change(name, "unregistered");
}

void Global::record_change(const Term& name, const std::string& action) {
  host().record({kinds::global_changed, name.to_string(), {{"name", name.to_string()}, {"action", action}}});
}

void Global::do_ops(const std::vector<Term>& ops, const Term& extra_info) {
  for (const Term& op : ops) {
    const auto insert = op.as_tagged("insert", 2);
    const auto entry = insert.empty() ? insert : insert[1].as_tuple(3);
    const Pid* pid = entry.empty() ? nullptr : entry[1].as<Pid>();
    if (pid) insert_name(entry[0], *pid, entry[2], lock_held_as(extra_info));
  }
  for (const Term& op : ops) {
    if (const auto gone = op.as_tagged("delete", 2); !gone.empty()) delete_name(gone[1]);
  }
}

}  // namespace distlab::process
