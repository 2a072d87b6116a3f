#include "models/process/global_tables.h"

#include <algorithm>
#include <tuple>

#include "models/etf/codec.h"

namespace distlab::process {

TermKey key_of(const Term& term) {
  return etf::encode(term);
}

bool pid_less(const Pid& a, const Pid& b) {
  return std::tie(a.serial, a.id, a.node, a.creation) < std::tie(b.serial, b.id, b.node, b.creation);
}

const GlobalName* GlobalTables::find_name(const Term& name) const {
  const auto found = names_.find(key_of(name));
  return found == names_.end() ? nullptr : &found->second;
}

void GlobalTables::put_name(GlobalName entry) {
  TermKey key = key_of(entry.name);
  names_.insert_or_assign(std::move(key), std::move(entry));
}

std::vector<Term> GlobalTables::names() const {
  std::vector<Term> all;
  for (const auto& [key, entry] : names_) all.push_back(entry.name);
  return all;
}

std::vector<GlobalName> GlobalTables::all_names() const {
  std::vector<GlobalName> all;
  for (const auto& [key, entry] : names_) all.push_back(entry);
  return all;
}

bool GlobalTables::has_pid(const Pid& pid) const {
  return std::any_of(names_.begin(), names_.end(), [&](const auto& entry) { return entry.second.pid == pid; });
}

const GlobalName* GlobalTables::name_of(const Ref& monitor) const {
  for (const auto& [key, entry] : names_) {
    if (entry.monitor == monitor) return &entry;
  }
  return nullptr;
}

GlobalLock* GlobalTables::find_lock(const Term& resource) {
  const auto found = locks_.find(key_of(resource));
  return found == locks_.end() ? nullptr : &found->second;
}

const GlobalLock* GlobalTables::find_lock(const Term& resource) const {
  const auto found = locks_.find(key_of(resource));
  return found == locks_.end() ? nullptr : &found->second;
}

void GlobalTables::put_lock(GlobalLock lock) {
  TermKey key = key_of(lock.resource);
  locks_.insert_or_assign(std::move(key), std::move(lock));
}

std::vector<Term> GlobalTables::locks_with(const Ref& monitor) const {
  std::vector<Term> resources;
  for (const auto& [key, lock] : locks_) {
    for (const auto& [pid, ref] : lock.holders) {
      if (ref == monitor) resources.push_back(lock.resource);
    }
  }
  return resources;
}

bool GlobalTables::can_set_lock(const Term& resource, const Term& requester) const {
  const GlobalLock* lock = find_lock(resource);
  return !lock || lock->requester == requester;
}

}  // namespace distlab::process
