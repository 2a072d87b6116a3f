// The tables of global: names and locks. Its helper processes read them, as they read its ETS
// tables in OTP.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/process/process.h"

namespace distlab::process {

// Terms have no order here; their encoding has.
using TermKey = std::vector<uint8_t>;
TermKey key_of(const Term& term);

// The order of two pids by the Erlang term order: serial, id, node, creation (measured on OTP 25). Both ends of a
// connection must agree on it.
bool pid_less(const Pid& a, const Pid& b);

struct GlobalName {
  Term name;
  Pid pid;
  Term method;  // the fun that resolves a conflict
  Ref monitor;
};

struct GlobalLock {
  Term resource, requester;
  std::vector<std::pair<Pid, Ref>> holders;  // and our monitor of each
};

class GlobalTables {
 public:
  static constexpr size_t max_names = 100'000;
  static constexpr size_t max_locks = 100'000;

  const GlobalName* find_name(const Term& name) const;
  void put_name(GlobalName entry);
  void erase_name(const Term& name) { names_.erase(key_of(name)); }
  std::vector<Term> names() const;
  std::vector<GlobalName> all_names() const;
  size_t name_count() const { return names_.size(); }
  bool has_pid(const Pid& pid) const;
  const GlobalName* name_of(const Ref& monitor) const;

  GlobalLock* find_lock(const Term& resource);
  const GlobalLock* find_lock(const Term& resource) const;
  void put_lock(GlobalLock lock);
  void erase_lock(const Term& resource) { locks_.erase(key_of(resource)); }
  std::vector<Term> locks_with(const Ref& monitor) const;  // the resources
  size_t lock_count() const { return locks_.size(); }
  // can_set_lock/1: free, or already held by the same requester.
  bool can_set_lock(const Term& resource, const Term& requester) const;

 private:
  std::map<TermKey, GlobalName> names_;
  std::map<TermKey, GlobalLock> locks_;
};

}  // namespace distlab::process
