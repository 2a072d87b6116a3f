// Who subscribed to what, who offers what, and who is who: one table per realm, so that realms do not
// see each other. All of it is soft state that lives as long as its sessions.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/mesh/ingress.h"

namespace distlab::mesh {

// Names and the sessions behind each. Ordered rather than hashed: peers choose the names, and could choose
// them to collide.
class NameTable {
 public:
  // The stored name, which stays where it is as long as it has a session; empty if it was there already.
  std::string_view add(std::string_view name, SessionId session);
  bool remove(std::string_view name, SessionId session);
  // In the order in which they came.
  std::span<const SessionId> sessions(std::string_view name) const;
  bool empty() const { return names_.empty(); }

 private:
  std::map<std::string, std::vector<SessionId>, std::less<>> names_;
};

struct Realm {
  explicit Realm(std::string realm_name) : name(std::move(realm_name)) {}
  const std::string name;
  NameTable topics, procedures;
  std::map<std::string, SessionId, std::less<>> identities;
};

// The realms that have a session.
class Realms {
 public:
  Realm& enter(const std::string& name);
  void leave(Realm& realm);  // call when an identity was removed; the realm may be gone then

 private:
  std::map<std::string, Realm, std::less<>> realms_;
};

}  // namespace distlab::mesh
