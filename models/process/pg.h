// Process groups: the scope server of pg (kernel pg.erl, OTP 25), wire-compatible both ways.
//
// Membership is eventually consistent: each scope server sends its own members to its peers
// ({sync, ...} once they have discovered each other, {join, ...} and {leave, ...} afterwards) and
// forgets a peer's members when the peer's server goes down. Every change is recorded as
// group_changed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "models/process/gen.h"

namespace distlab::process {

class Pg final : public Server {
 public:
  // What peers may fill: members and groups they announce beyond this are ignored, with a log event.
  static constexpr size_t max_remote_members = 1'000'000;
  static constexpr size_t max_peers = 100'000;

  // The caller's process must be local. leave: false if it was not in the group.
  void join(const Term& group, const Pid& member);
  bool leave(const Term& group, const Pid& member);
  // pg:get_members/1: latest first, as OTP has them; a process that joined twice is in it twice.
  std::vector<Pid> members(const Term& group) const;
  std::vector<Pid> local_members(const Term& group) const;
  std::vector<Term> groups() const;
  size_t peers() const { return remote_.size(); }

 protected:
  void on_start() override;
  void handle_cast(const Term& request) override;
  void handle_info(const Term& message) override;
  void on_down(const Down& down) override;
  void on_node_up(const std::string& peer) override;

 private:
  using Key = std::vector<uint8_t>;  // a group's name, encoded: terms have no order here
  struct Group {
    Term name;
    std::vector<Pid> all, local;
  };
  using Members = std::map<Key, std::pair<Term, std::vector<Pid>>>;
  struct Local {
    Ref monitor;
    std::vector<Term> groups;  // latest first
  };
  struct Peer {
    Ref monitor;
    Members groups;
  };

  void on_discover(const Pid& peer);
  void on_sync(const Pid& peer, const Term& groups);
  void on_join(const Pid& peer, const Term& group, const Term& pids);
  void on_leave(const Pid& peer, const Term& pids, const Term& groups);
  void broadcast(const Term& message);
  void add_remote(Peer& peer, const Term& group, const std::vector<Pid>& pids);
  void drop_remote(Peer& peer, const Key& key, const std::vector<Pid>& pids);
  void drop_local(const Pid& member, const Term& group);
  void changed(const Term& group);
  Term local_groups() const;

  std::map<Key, Group> groups_;
  std::map<Pid, Local> local_;
  std::map<Pid, Peer> remote_;
  size_t remote_members_ = 0;
};

}  // namespace distlab::process
