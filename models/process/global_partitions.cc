// How nodes part: lost connections, and the guard against overlapping partitions ("Prevent
// Overlapping Partitions Algorithm" in global.erl).
#include <chrono>
#include <utility>

#include "models/process/global.h"
#include "models/process/global_locker.h"
#include "models/process/runtime.h"

namespace distlab::process {
namespace {

constexpr int64_t overlapping_partitions_version = 7;  // ?pop_vsn
constexpr Duration lost_connection_memory = std::chrono::hours{1};
constexpr int64_t min_small = -(int64_t{1} << 59);  // ?MIN_64BIT_SMALL_INT

}  // namespace

// Without connections, and without suspending the name server behind a busy one.
void Global::volatile_send(const std::string& to, const Term& message) {
  send(RemoteName{"global_name_server", to}, message, {.noconnect = true, .nosuspend = true});
}

void Global::volatile_multicast(const Term& message, const std::string& except) {
  for (const auto* nodes : {&known_, &pending_}) {
    for (const auto& [name, version] : *nodes) {
      if (name != except && version >= overlapping_partitions_version) volatile_send(name, message);
    }
  }
}

// Both names as ~p prints atoms.
void Global::warn(const std::string& about, const std::string& action) {
  runtime().log("warning", about,
                "'global' at node " + etf::atom(node()).to_string() + " " + action + " node " +
                    etf::atom(about).to_string() + " in order to prevent overlapping partitions");
}

bool Global::potentially_known(const std::string& peer) const {
  return known_.contains(peer) || pending_.contains(peer);
}

int64_t Global::version_of(const std::string& peer) const {
  if (peer == node()) return protocol_version;
  if (const auto found = known_.find(peer); found != known_.end()) return found->second;
  const auto found = pending_.find(peer);
  return found == pending_.end() ? 0 : found->second;
}

void Global::on_node_down(const std::string& peer, const std::string&) {
  handle_node_down(peer, NodeDown::disconnected);
}

void Global::handle_node_down(const std::string& peer, NodeDown what) {
  const auto session = sessions_.find(peer);
  const bool has_tag = session != sessions_.end() && session->second.my_tag;
  cancel_locker(peer, has_tag ? Term(*session->second.my_tag) : etf::atom("undefined"));
  if (auto* helper = locker()) helper->remove_from_known(peer);
  forget(peer);
  switch (what) {
    case NodeDown::remove_connection:
      removing_.insert(peer);
      break;
    case NodeDown::ignore_node:
      removing_.erase(peer);
      break;
    case NodeDown::disconnected:
      if (removing_.erase(peer) == 0) inform_connection_loss(peer);
      break;
  }
  pending_.erase(peer);
  known_.erase(peer);
  synced_.erase(peer);
  if (what == NodeDown::disconnected) note_synced(peer);
}

// A node that was to be in sync with us and cannot be reached: no nodedown would come for it.
void Global::extra_node_down(const std::string& peer) {
  handle_node_down(peer, NodeDown::disconnected);
}

void Global::inform_connection_loss(const std::string& peer) {
  if (!options_.connect_all || !options_.prevent_overlapping_partitions) return;
  const int64_t creation = creation_extension_ + runtime().distribution().creation() - min_small;
  volatile_multicast(etf::tuple(etf::atom("lost_connection"), etf::atom(node()), Term(creation), Term(unique_integer()),
                                etf::atom(peer)),
                     peer);
}

// {lost_connection, NodeA, XCreationA, OpIdA, NodeB}: NodeA reports that it lost NodeB.
void Global::lost_connection(const Term& message) {
  if (!options_.connect_all || !options_.prevent_overlapping_partitions) return;
  const auto parts = message.as_tagged("lost_connection", 5);
  const etf::Atom* a = parts[1].as_atom();
  const etf::Atom* b = parts[4].as_atom();
  const auto operation = parts[3].as_int();
  if (!a || !b || !operation) return;
  const auto known = lost_connections_.find({a->text, b->text});
  if (known != lost_connections_.end() && known->second.creation == parts[2] && *operation <= known->second.operation) {
    return;  // handled already
  }
  // Repeated to all, so that everyone hears of it even if some lose NodeA while it tells them.
  volatile_multicast(message, a->text);
  remember_lost_connection(a->text, b->text, parts[2], *operation);
  // NodeA lost us: all others will remove us, so we leave NodeA.
  const std::string remove = b->text == node() ? a->text : b->text;
  if (!potentially_known(remove)) return;
  if (version_of(remove) < overlapping_partitions_version) {
    runtime().distribution().disconnect(remove);
    warn(remove, "disconnected old");
  } else {
    volatile_send(remove, etf::tuple(etf::atom("remove_connection"), etf::atom(node())));
    warn(remove, "requested disconnect from");
  }
  handle_node_down(remove, NodeDown::remove_connection);
}

void Global::remember_lost_connection(const std::string& a, const std::string& b, const Term& creation,
                                      int64_t operation) {
  const std::pair key(a, b);
  const auto old = lost_connections_.find(key);
  if (old != lost_connections_.end()) {
    cancel_timer(old->second.timer);
  } else if (lost_connections_.size() >= max_lost_connections) {
    return;
  }
  const TimerKey timer = start_timer(lost_connection_memory, [this, key] { lost_connections_.erase(key); });
  lost_connections_[key] = {creation, operation, timer};
}

void Global::remove_connection(const std::string& peer) {
  if (!potentially_known(peer)) return;
  runtime().distribution().disconnect(peer);
  handle_node_down(peer, NodeDown::remove_connection);
  warn(peer, "disconnected");
}

}  // namespace distlab::process
