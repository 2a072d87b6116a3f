#include "models/process/pg.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "models/etf/codec.h"
#include "models/host/event_kinds.h"
#include "models/process/runtime.h"

namespace distlab::process {
namespace {

constexpr SendOptions noconnect{.noconnect = true};

std::vector<uint8_t> key_of_group(const Term& group) {
  return etf::encode(group);
}

// "Pid | [Pid]" of a join or leave.
std::optional<std::vector<Pid>> as_pids(const Term& term) {
  if (const Pid* pid = term.as<Pid>()) return std::vector{*pid};
  const auto list = term.as_list();
  if (!list) return std::nullopt;
  std::vector<Pid> pids;
  for (const Term& element : *list) {
    const Pid* pid = element.as<Pid>();
    if (!pid) return std::nullopt;
    pids.push_back(*pid);
  }
  return pids;
}

// Removes the first occurrence of each, as `--` does.
void subtract(std::vector<Pid>& from, const std::vector<Pid>& what) {
  for (const Pid& pid : what) {
    const auto found = std::find(from.begin(), from.end(), pid);
    if (found != from.end()) from.erase(found);
  }
}

Term to_list(const std::vector<Pid>& pids) {
  return etf::list(etf::Terms(pids.begin(), pids.end()));
}

}  // namespace

// pg:init/1.
void Pg::on_start() {
  watch_nodes();
  const Term discover = etf::tuple(etf::atom("discover"), self());
  for (const std::string& peer : runtime().distribution().visible_nodes()) {
    send(RemoteName{"pg", peer}, discover, noconnect);
  }
}

void Pg::on_node_up(const std::string& peer) {
  send(RemoteName{"pg", peer}, etf::tuple(etf::atom("discover"), self()));
}

void Pg::join(const Term& group, const Pid& member) {
  const auto [found, is_new] = local_.try_emplace(member);
  if (is_new) found->second.monitor = monitor(member);
  found->second.groups.insert(found->second.groups.begin(), group);
  Group& joined = groups_[key_of_group(group)];
  joined.name = group;
  joined.all.insert(joined.all.begin(), member);
  joined.local.insert(joined.local.begin(), member);
  changed(group);
  broadcast(etf::tuple(etf::atom("join"), self(), group, member));
}

bool Pg::leave(const Term& group, const Pid& member) {
  const auto found = local_.find(member);
  if (found == local_.end()) return false;
  std::vector<Term>& joined = found->second.groups;
  const auto entry = std::find(joined.begin(), joined.end(), group);
  if (entry == joined.end()) return false;
  joined.erase(entry);
  if (joined.empty()) {
    demonitor(found->second.monitor);
    local_.erase(found);
  }
  drop_local(member, group);
  broadcast(etf::tuple(etf::atom("leave"), self(), member, etf::list({group})));
  return true;
}

void Pg::drop_local(const Pid& member, const Term& group) {
  const auto found = groups_.find(key_of_group(group));
  if (found == groups_.end()) return;
  subtract(found->second.all, {member});
  subtract(found->second.local, {member});
  if (found->second.all.empty()) groups_.erase(found);
  changed(group);
}

std::vector<Pid> Pg::members(const Term& group) const {
  const auto found = groups_.find(key_of_group(group));
  return found == groups_.end() ? std::vector<Pid>() : found->second.all;
}

std::vector<Pid> Pg::local_members(const Term& group) const {
  const auto found = groups_.find(key_of_group(group));
  return found == groups_.end() ? std::vector<Pid>() : found->second.local;
}

std::vector<Term> Pg::groups() const {
  std::vector<Term> names;
  for (const auto& [key, group] : groups_) names.push_back(group.name);
  return names;
}

void Pg::changed(const Term& group) {
  const auto count = static_cast<int64_t>(members(group).size());
  host().record({kinds::group_changed, group.to_string(), {{"group", group.to_string()}, {"members", count}}});
}

void Pg::broadcast(const Term& message) {
  for (const auto& [peer, state] : remote_) send(peer, message, noconnect);
}

// pg:all_local_pids/1.
Term Pg::local_groups() const {
  etf::Terms list;
  for (const auto& [key, group] : groups_) {
    if (!group.local.empty()) list.push_back(etf::tuple(group.name, to_list(group.local)));
  }
  return etf::list(std::move(list));
}

void Pg::handle_cast(const Term& request) {
  const auto sync = request.as_tagged("sync", 3);
  const Pid* peer = sync.empty() ? nullptr : sync[1].as<Pid>();
  if (peer) on_sync(*peer, sync[2]);
}

void Pg::handle_info(const Term& message) {
  if (const auto discover = message.as_tagged("discover", 2); !discover.empty()) {
    if (const Pid* peer = discover[1].as<Pid>()) on_discover(*peer);
  } else if (const auto join_message = message.as_tagged("join", 4); !join_message.empty()) {
    if (const Pid* peer = join_message[1].as<Pid>()) on_join(*peer, join_message[2], join_message[3]);
  } else if (const auto leave_message = message.as_tagged("leave", 4); !leave_message.empty()) {
    if (const Pid* peer = leave_message[1].as<Pid>()) on_leave(*peer, leave_message[2], leave_message[3]);
  }
}

void Pg::on_discover(const Pid& peer) {
  send(peer, gen_cast(etf::tuple(etf::atom("sync"), self(), local_groups())));
  if (remote_.contains(peer) || remote_.size() >= max_peers) return;
  remote_[peer].monitor = monitor(peer);
  send(peer, etf::tuple(etf::atom("discover"), self()), noconnect);
}

// pg:handle_sync/6: what the peer says replaces all we knew of it.
void Pg::on_sync(const Pid& peer, const Term& groups) {
  const auto list = groups.as_list();
  if (!list || (!remote_.contains(peer) && remote_.size() >= max_peers)) return;
  Members announced;
  for (const Term& entry : *list) {
    const auto pair = entry.as_tuple(2);
    auto pids = pair.empty() ? std::nullopt : as_pids(pair[1]);
    if (pids) announced[key_of_group(pair[0])] = {pair[0], std::move(*pids)};
  }
  const auto [found, is_new] = remote_.try_emplace(peer);
  if (is_new) found->second.monitor = monitor(peer);
  Peer& state = found->second;
  const Members before = state.groups;
  for (const auto& [key, old] : before) {
    const auto now = announced.find(key);
    if (now != announced.end() && now->second.second == old.second) {
      announced.erase(now);  // unchanged
    } else {
      drop_remote(state, key, old.second);
    }
  }
  for (const auto& [key, group] : announced) add_remote(state, group.first, group.second);
}

void Pg::on_join(const Pid& peer, const Term& group, const Term& pids) {
  const auto found = remote_.find(peer);
  const auto members = as_pids(pids);
  if (found != remote_.end() && members) add_remote(found->second, group, *members);
}

void Pg::on_leave(const Pid& peer, const Term& pids, const Term& groups) {
  const auto found = remote_.find(peer);
  const auto members = as_pids(pids);
  const auto names = groups.as_list();
  if (found == remote_.end() || !members || !names) return;
  for (const Term& group : *names) drop_remote(found->second, key_of_group(group), *members);
}

void Pg::add_remote(Peer& peer, const Term& group, const std::vector<Pid>& pids) {
  if (remote_members_ + pids.size() > max_remote_members) {
    runtime().log("error", node(), "pg: too many remote members; some are ignored");
    return;
  }
  remote_members_ += pids.size();
  const auto key = key_of_group(group);
  auto& [name, members] = peer.groups[key];
  name = group;
  members.insert(members.begin(), pids.begin(), pids.end());
  Group& joined = groups_[key];
  joined.name = group;
  joined.all.insert(joined.all.begin(), pids.begin(), pids.end());
  changed(group);
}

void Pg::drop_remote(Peer& peer, const Key& key, const std::vector<Pid>& pids) {
  const auto found = peer.groups.find(key);
  if (found == peer.groups.end()) return;
  const Term name = found->second.first;
  std::vector<Pid>& members = found->second.second;
  std::vector<Pid> leaving;  // only what this peer had announced
  for (const Pid& pid : pids) {
    const auto entry = std::find(members.begin(), members.end(), pid);
    if (entry == members.end()) continue;
    members.erase(entry);
    leaving.push_back(pid);
  }
  if (members.empty()) peer.groups.erase(found);
  remote_members_ -= leaving.size();
  const auto group = groups_.find(key);
  if (group == groups_.end()) return;
  subtract(group->second.all, leaving);
  if (group->second.all.empty()) groups_.erase(group);
  changed(name);
}

void Pg::on_down(const Down& down) {
  const Pid* pid = std::get_if<Pid>(&down.object);
  if (!pid) return;
  if (const auto member = local_.find(*pid); member != local_.end()) {
    const std::vector<Term> left = std::move(member->second.groups);
    local_.erase(member);
    for (const Term& group : left) drop_local(*pid, group);
    broadcast(etf::tuple(etf::atom("leave"), self(), *pid, etf::list(left)));
  } else if (const auto peer = remote_.find(*pid); peer != remote_.end() && peer->second.monitor == down.ref) {
    const Members lost = peer->second.groups;
    for (const auto& [key, group] : lost) drop_remote(peer->second, key, group.second);
    remote_.erase(peer);
  }
}

}  // namespace distlab::process
