// How nodes join: the "Connection algorithm" of global.erl.
#include <algorithm>
#include <utility>

#include "models/process/global.h"
#include "models/process/global_locker.h"
#include "models/process/global_resolver.h"
#include "models/process/runtime.h"

namespace distlab::process {
namespace {

constexpr int64_t verify_connect_version = 8;      // ?verify_connect_vsn
constexpr int64_t propagate_versions_version = 7;  // ?pgpv_vsn

std::string text(const Term& term) {
  return term.as_atom() ? term.as_atom()->text : std::string();
}

std::vector<Term> elements(const Term& list) {
  const auto terms = list.as_list();
  return terms ? std::vector<Term>(terms->begin(), terms->end()) : std::vector<Term>();
}

}  // namespace

void Global::handle_cast(const Term& request) {
  const etf::Tuple* tuple = request.as<etf::Tuple>();
  if (!tuple || !tuple->elements || tuple->elements->size() < 3) return;
  const etf::Terms& e = *tuple->elements;
  const std::string peer = text(e[1]);
  if (e[0].is_atom("init_connect") && e.size() == 4) {
    init_connect(request);
  } else if (e[0].is_atom("lock_is_set") && e.size() == 4) {
    lock_is_set(peer, e[2], e[3]);
  } else if (e[0].is_atom("exchange") && e.size() == 5) {
    exchange(peer, e[2], e[4]);
  } else if (e[0].is_atom("exchange_ops") && e.size() == 5) {
    exchange_ops(peer, e[2], e[3], e[4]);
  } else if (e[0].is_atom("resolved") && e.size() == 7) {
    resolved(peer, e[2], e[3], e[5], e[6]);
  } else if (e[0].is_atom("new_nodes") && e.size() == 6) {
    new_nodes(request);
  } else if (e[0].is_atom("in_sync") && e.size() == 3) {
    in_sync(peer);
  } else if (e[0].is_atom("lock_set") && (e.size() == 4 || e.size() == 5)) {
    lock_set_for_locker(request);
  }
}

void Global::handle_info(const Term& message) {
  if (!message.as_tagged("lost_connection", 5).empty()) {
    lost_connection(message);
  } else if (const auto removed = message.as_tagged("remove_connection", 2); !removed.empty()) {
    remove_connection(text(removed[1]));
  } else if (const auto cancelled = message.as_tagged("cancel_connect", 3); !cancelled.empty()) {
    cancel_connect(text(cancelled[1]), cancelled[2]);
  } else if (const auto ack = message.as_tagged("init_connect_ack", 4); !ack.empty()) {
    init_connect_ack(text(ack[1]), ack[2], ack[3]);
  }
}

bool Global::has_my_tag(const std::string& peer, const Term& tag) const {
  const auto found = sessions_.find(peer);
  return found != sessions_.end() && found->second.my_tag && Term(*found->second.my_tag) == tag;
}

void Global::forget(const std::string& peer) {
  sessions_.erase(peer);
}

void Global::on_node_up(const std::string& peer) {
  if (options_.connect_all) handle_node_up(peer);
}

void Global::handle_node_up(const std::string& peer) {
  if (known_.contains(peer) || resolvers_.contains(peer)) return;
  if (!locker()) return;
  const int64_t my_tag = unique_integer();
  sessions_[peer].my_tag = my_tag;
  std::vector<std::pair<Term, Term>> known;
  for (const auto& [name, version] : known_) known.emplace_back(etf::atom(name), Term(version));
  Term locker = etf::tuple(etf::atom("locker"), etf::atom("no_longer_a_pid"), etf::map(std::move(known)), locker_pid_);
  cast(peer, etf::tuple(etf::atom("init_connect"), etf::tuple(Term(protocol_version), Term(my_tag)), etf::atom(node()),
                        std::move(locker)));
  GlobalResolver* resolver = runtime().spawn<GlobalResolver>(*this, peer, my_tag);
  if (!resolver) return;
  resolvers_[peer] = {my_tag, resolver, resolver->self()};
  link(resolver->self());
}

// {init_connect, {Vsn, HisTag}, Node, {locker, _, _HisKnown, HisTheLocker}}.
void Global::init_connect(const Term& request) {
  const auto parts = request.as_tagged("init_connect", 4);
  const etf::Tuple* version = parts[1].as<etf::Tuple>();
  const std::string peer = text(parts[2]);
  const auto init = parts[3].as_tagged("locker", 4);
  const Pid* his_locker = init.empty() ? nullptr : init[3].as<Pid>();
  if (!version || !version->elements || version->elements->size() < 2 || !his_locker || his_locker->node != peer) {
    return runtime().log("info", peer, "Illegal global protocol version " + parts[1].to_string() + " Node: " + peer);
  }
  const int64_t his_version = (*version->elements)[0].as_int().value_or(0);
  const Term his_tag = (*version->elements)[1];
  if (!runtime().distribution().connected(peer)) return;  // of a connection that is gone
  if (pending_.contains(peer)) {
    // Another attempt while one is under way: both start anew.
    send_cancel_connect(peer, his_tag);
    restart_connect(peer, sessions_[peer].my_tag);
  }
  Session& session = sessions_[peer];
  session.version = std::min<int64_t>(his_version, protocol_version);
  session.his_tag = his_tag;
  const auto resolver = resolvers_.find(peer);
  if (resolver == resolvers_.end() || !session.my_tag || !locker()) return;  // nodeup comes before any message
  locker()->his_the_locker({peer, *his_locker, session.version, *session.my_tag, his_tag});
  if (his_version >= verify_connect_version) {
    volatile_send(peer, etf::tuple(etf::atom("init_connect_ack"), etf::atom(node()), his_tag, Term(*session.my_tag)));
  }
  pending_[peer] = his_version;
}

// Both sides must mean the same attempt; if not, it is cancelled and started anew.
void Global::init_connect_ack(const std::string& peer, const Term& my_tag, const Term& his_tag) {
  const auto found = sessions_.find(peer);
  const bool same = has_my_tag(peer, my_tag) && found->second.his_tag == his_tag;
  if (same || !runtime().distribution().connected(peer)) return;
  send_cancel_connect(peer, his_tag);
  restart_connect(peer, found == sessions_.end() ? std::nullopt : found->second.my_tag);
}

void Global::cancel_connect(const std::string& peer, const Term& my_tag) {
  if (!has_my_tag(peer, my_tag)) return;
  restart_connect(peer, sessions_[peer].my_tag);
}

void Global::restart_connect(const std::string& peer, std::optional<int64_t> my_tag) {
  cancel_locker(peer, my_tag ? Term(*my_tag) : etf::atom("undefined"));
  forget(peer);
  pending_.erase(peer);
  if (my_tag) handle_node_up(peer);
}

void Global::send_cancel_connect(const std::string& peer, const Term& his_tag) {
  send(RemoteName{"global_name_server", peer}, etf::tuple(etf::atom("cancel_connect"), etf::atom(node()), his_tag),
       {.noconnect = true});
}

void Global::cancel_locker(const std::string& peer, const Term& tag, RunOnLocker run) {
  if (auto* helper = locker()) helper->cancel(peer, tag, std::move(run));
  const auto pending = pending_.find(peer);
  if (pending != pending_.end() && pending->second >= verify_connect_version && has_my_tag(peer, tag) &&
      sessions_[peer].his_tag) {
    send_cancel_connect(peer, *sessions_[peer].his_tag);
  }
  const auto resolver = resolvers_.find(peer);
  if (resolver == resolvers_.end() || Term(resolver->second.my_tag) != tag) return;
  const Pid pid = resolver->second.pid;
  resolvers_.erase(resolver);
  exit_other(pid, etf::atom("kill"));
}

// The lock is set in both partitions: our names go to the other node.
void Global::lock_is_set(const std::string& peer, const Term& tag, const Term& lock_id) {
  if (!has_my_tag(peer, tag) || !sessions_[peer].his_tag) return cancel_locker(peer, tag);
  Session& session = sessions_[peer];
  etf::Terms names;
  for (const GlobalName& entry : tables_.all_names()) {
    names.push_back(etf::tuple(entry.name, entry.pid, entry.method));
  }
  cast(peer, etf::tuple(etf::atom("exchange"), etf::atom(node()), etf::list(std::move(names)), etf::list({}),
                        *session.his_tag));
  session.lock_id = lock_id;
  if (const auto received = std::exchange(session.exchange, std::nullopt)) {
    resolve(peer, *received);
  } else {
    session.lock_is_set = true;
  }
}

void Global::exchange(const std::string& peer, const Term& names, const Term& tag) {
  if (!has_my_tag(peer, tag)) return cancel_locker(peer, tag);
  Session& session = sessions_[peer];
  if (std::exchange(session.lock_is_set, false)) {
    resolve(peer, names);
  } else {
    session.exchange = names;
  }
}

void Global::resolve(const std::string& peer, const Term& names) {
  const auto found = resolvers_.find(peer);
  if (found != resolvers_.end() && runtime().alive(found->second.pid)) found->second.process->resolve(names);
}

// From our resolver.
void Global::exchange_ops(const std::string& peer, const Term& tag, const Term& ops, const Term& resolved_ops) {
  if (!has_my_tag(peer, tag) || !sessions_[peer].his_tag) return cancel_locker(peer, tag);
  Session& session = sessions_[peer];
  cast(peer, etf::tuple(etf::atom("resolved"), etf::atom(node()), resolved_ops, known_list(version_of(peer)),
                        etf::atom("unused"), etf::list({}), *session.his_tag));
  session.ops = elements(ops);
  if (const auto his = std::exchange(session.resolved, std::nullopt)) finish(peer, *his);
}

void Global::resolved(const std::string& peer, const Term& ops, const Term& known, const Term& names_ext,
                      const Term& tag) {
  if (!has_my_tag(peer, tag)) return cancel_locker(peer, tag);
  Session& session = sessions_[peer];
  if (session.ops) {
    finish(peer, {known, names_ext, ops});
  } else {
    session.resolved = Resolved{known, names_ext, ops};
  }
}

// resolved/5: both have resolved; the partitions become one.
void Global::finish(const std::string& peer, const Resolved& his) {
  Session& session = sessions_[peer];
  std::vector<Term> ops = *std::exchange(session.ops, std::nullopt);
  for (Term& op : elements(his.ops)) ops.push_back(std::move(op));
  auto nodes = with_versions(his.his_known);
  std::vector<std::string> his_known;
  for (const auto& [name, version] : nodes) his_known.push_back(name);
  nodes.insert(nodes.begin(), {peer, version_of(peer)});
  sync_others(his_known);
  const Term lock = session.lock_id ? *session.lock_id : etf::atom("undefined");
  const Term extra_info =
      etf::list({etf::tuple(etf::atom("vsn"), Term(session.version)), etf::tuple(etf::atom("lock"), lock)});
  do_ops(ops, extra_info);
  note_synced(peer);
  for (const std::string& name : his_known) cancel_resolved(name, {});
  cancel_resolved(
      peer, [me = node(), known = known_, nodes, ops, extra_info, names_ext = his.names_ext](GlobalWorker& worker) {
        for (const auto& [name, version] : known) {
          etf::Terms list;
          for (const auto& [node_name, node_version] : nodes) {
            list.push_back(version >= propagate_versions_version ? etf::tuple(etf::atom(node_name), Term(node_version))
                                                                 : etf::atom(node_name));
          }
          worker.cast(name, etf::tuple(etf::atom("new_nodes"), etf::atom(me), etf::list(ops), names_ext,
                                       etf::list(std::move(list)), extra_info));
        }
      });
  add_to_locker(add_to_known(nodes));
  synced_.insert(peer);
}

// The locker that holds the lock sends new_nodes before it lets go.
void Global::cancel_resolved(const std::string& peer, RunOnLocker run) {
  const auto found = sessions_.find(peer);
  const bool has_tag = found != sessions_.end() && found->second.my_tag;
  const Term tag = has_tag ? Term(*found->second.my_tag) : etf::atom("undefined");
  pending_.erase(peer);  // so that the other side is not told of a cancelled connect
  cancel_locker(peer, tag, std::move(run));
  forget(peer);
}

// {new_nodes, Node, Ops, NamesExt, Nodes, ExtraInfo}, from a node of our partition.
void Global::new_nodes(const Term& request) {
  const auto parts = request.as_tagged("new_nodes", 6);
  const auto added = add_to_known(with_versions(parts[4]));
  sync_others(added);
  do_ops(elements(parts[2]), parts[5]);
  add_to_locker(added);
}

void Global::add_to_locker(std::vector<std::string> nodes) {
  if (auto* helper = locker()) helper->add_to_known(std::move(nodes));
}

void Global::in_sync(const std::string& peer) {
  if (peer.empty() || !runtime().distribution().connected(peer)) return;
  note_synced(peer);
  pending_.erase(peer);
  const auto found = sessions_.find(peer);
  const bool has_tag = found != sessions_.end() && found->second.my_tag;
  cancel_locker(peer, has_tag ? Term(*found->second.my_tag) : etf::atom("undefined"));
  forget(peer);
  synced_.insert(peer);
}

// {lock_set, Pid, Set, HisKnown[, MyTag]}: the lockers talk through their servers.
void Global::lock_set_for_locker(const Term& request) {
  const auto five = request.as_tagged("lock_set", 5);
  const auto parts = five.empty() ? request.as_tagged("lock_set", 4) : five;
  const Pid* pid = parts[1].as<Pid>();
  if (!pid) return;
  if (!five.empty() && !has_my_tag(pid->node, five[4])) return;
  if (!locker()) return;
  locker()->lock_set(*pid, parts[2].is_atom("true"), five.empty() ? std::nullopt : std::optional(five[4]));
}

void Global::sync_others(const std::vector<std::string>& nodes) {
  for (const std::string& peer : nodes) sync_other(peer);
}

// sync_other/2 with global_connect_retries at its default, 0.
void Global::sync_other(const std::string& peer) {
  if (peer == node()) return;
  runtime().distribution().connect(peer, [this, peer, weak = std::weak_ptr(alive_token_)](bool up) {
    if (weak.expired()) return;
    if (up) return cast(peer, etf::tuple(etf::atom("in_sync"), etf::atom(node()), etf::atom("true")));
    runtime().log("warning", peer, "'global' at " + node() + " failed to connect to " + peer);
    extra_node_down(peer);
  });
}

// [Node | {Node, Version}].
std::vector<std::pair<std::string, int64_t>> Global::with_versions(const Term& nodes) const {
  std::vector<std::pair<std::string, int64_t>> list;
  for (const Term& entry : elements(nodes)) {
    const auto pair = entry.as_tuple(2);
    const std::string name = pair.empty() ? text(entry) : text(pair[0]);
    if (name.empty()) continue;
    const int64_t version = pair.empty() ? 0 : pair[1].as_int().value_or(0);
    list.emplace_back(name, version == 0 ? version_of(name) : version);
  }
  return list;
}

std::vector<std::string> Global::add_to_known(const std::vector<std::pair<std::string, int64_t>>& nodes) {
  std::vector<std::string> added;
  for (const auto& [name, version] : nodes) {
    if (name != node() && known_.emplace(name, version).second) added.push_back(name);
  }
  return added;
}

// mk_known_list/2.
Term Global::known_list(int64_t for_version) const {
  etf::Terms list;
  for (const auto& [name, version] : known_) {
    list.push_back(for_version >= propagate_versions_version ? etf::tuple(etf::atom(name), Term(version))
                                                             : etf::atom(name));
  }
  return etf::list(std::move(list));
}

}  // namespace distlab::process
