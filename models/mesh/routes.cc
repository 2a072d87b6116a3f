#include "models/mesh/routes.h"

#include <algorithm>

namespace distlab::mesh {

std::string_view NameTable::add(std::string_view name, SessionId session) {
  auto at = names_.find(name);
  if (at == names_.end()) at = names_.emplace(name, std::vector<SessionId>()).first;
  auto& sessions = at->second;
  if (std::find(sessions.begin(), sessions.end(), session) != sessions.end()) return {};
  sessions.push_back(session);
  return at->first;
}

bool NameTable::remove(std::string_view name, SessionId session) {
  const auto at = names_.find(name);
  if (at == names_.end() || std::erase(at->second, session) == 0) return false;
  if (at->second.empty()) names_.erase(at);
  return true;
}

std::span<const SessionId> NameTable::sessions(std::string_view name) const {
  const auto at = names_.find(name);
  if (at == names_.end()) return {};
  return at->second;
}

Realm& Realms::enter(const std::string& name) {
  return realms_.try_emplace(name, name).first->second;
}

void Realms::leave(Realm& realm) {
  if (realm.identities.empty()) realms_.erase(realm.name);
}

}  // namespace distlab::mesh
