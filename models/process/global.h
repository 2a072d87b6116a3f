// The global name server (kernel global.erl, OTP 25, protocol version 8): names and locks shared
// by a mesh of nodes, and the guard against overlapping partitions.
//
// Two nodes that connect each lock their partition (GlobalLocker), exchange and resolve their names,
// tell the others of their partitions about each other, and everyone connects to everyone. Names
// are registered under a lock on all known nodes (GlobalRegistrar).
//
// Prevent overlapping partitions: a node that loses a connection tells all it knows
// ({lost_connection, ...}); whoever hears it disconnects from the lost node too, so that what
// remains are fully connected partitions.
//
// Not here: global groups, and names of C nodes as anything other than plain names.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "models/process/gen.h"
#include "models/process/global_tables.h"

namespace distlab::process {

struct GlobalOptions {
  bool connect_all = true;                     // -connect_all
  bool prevent_overlapping_partitions = true;  // kernel parameter of OTP 25
};

class GlobalLocker;
class GlobalRegistrar;
class GlobalResolver;
class GlobalWorker;

class Global final : public Server {
 public:
  static constexpr int protocol_version = 8;
  static constexpr size_t max_lost_connections = 10'000;

  explicit Global(GlobalOptions options);
  ~Global() override;

  // global:register_name/2 with random_exit_name/3, unregister_name/1. `done` is called from the
  // loop, never from inside, and not at all if the server dies first.
  void register_name(const Term& name, const Pid& pid, std::function<void(bool yes)> done);
  void unregister_name(const Term& name, std::function<void()> done);
  std::optional<Pid> whereis_name(const Term& name) const;
  std::vector<Term> registered_names() const { return tables_.names(); }
  // global:sync/0: done when in sync with all of nodes() that stay up.
  void sync(std::function<void()> done);

  std::vector<std::string> known() const;   // sorted
  std::vector<std::string> synced() const;  // sorted

 protected:
  void on_start() override;
  void handle_call(const GenCall& call) override;
  void handle_cast(const Term& request) override;
  void handle_info(const Term& message) override;
  void on_down(const Down& down) override;
  void on_exit_signal(const Pid& from, const Term& reason) override;
  void on_node_up(const std::string& peer) override;
  void on_node_down(const std::string& peer, const std::string& reason) override;

 private:
  friend class GlobalLocker;
  friend class GlobalRegistrar;
  friend class GlobalWorker;
  friend class GlobalResolver;

  enum class NodeDown { disconnected, remove_connection, ignore_node };

  struct Resolved {
    Term his_known, names_ext, ops;
  };
  // What global.erl keeps per node in its process dictionary.
  struct Session {
    std::optional<int64_t> my_tag;         // {sync_tag_my, Node}
    std::optional<Term> his_tag;           // {sync_tag_his, Node}
    int64_t version = 0;                   // {prot_vsn, Node}
    std::optional<Term> lock_id;           // {lock_id, Node}
    bool lock_is_set = false;              // {wait_lock, Node} = lock_is_set
    std::optional<Term> exchange;          // {wait_lock, Node} = {exchange, NameList}
    std::optional<std::vector<Term>> ops;  // {save_ops, Node} = [operation()]
    std::optional<Resolved> resolved;      // {save_ops, Node} = {resolved, ...}
  };
  struct LostConnection {
    Term creation;
    int64_t operation = 0;
    TimerKey timer = 0;
  };
  struct Sync {
    std::set<std::string> waiting;
    std::function<void()> done;
    std::optional<GenCall> call;
  };

  using RunOnLocker = std::function<void(GlobalWorker&)>;
  struct Resolving {
    int64_t my_tag = 0;
    GlobalResolver* process = nullptr;
    Pid pid;
  };

  // The helpers, or null once a peer has killed one: the server is about to follow it then.
  GlobalLocker* locker();
  GlobalRegistrar* registrar();
  void start_helpers();
  void add_to_locker(std::vector<std::string> nodes);

  int64_t unique_integer() { return next_unique_++; }
  void cast(const std::string& to, Term request);
  void volatile_send(const std::string& to, const Term& message);
  void volatile_multicast(const Term& message, const std::string& except);
  void warn(const std::string& about, const std::string& action);

  void handle_node_up(const std::string& peer);
  void handle_node_down(const std::string& peer, NodeDown what);
  void extra_node_down(const std::string& peer);
  void inform_connection_loss(const std::string& peer);
  void lost_connection(const Term& message);
  void remember_lost_connection(const std::string& a, const std::string& b, const Term& creation, int64_t operation);
  void remove_connection(const std::string& peer);
  bool potentially_known(const std::string& peer) const;

  void init_connect(const Term& request);
  void init_connect_ack(const std::string& peer, const Term& my_tag, const Term& his_tag);
  void cancel_connect(const std::string& peer, const Term& my_tag);
  void restart_connect(const std::string& peer, std::optional<int64_t> my_tag);
  void lock_is_set(const std::string& peer, const Term& tag, const Term& lock_id);
  void exchange(const std::string& peer, const Term& names, const Term& tag);
  void resolve(const std::string& peer, const Term& names);
  void exchange_ops(const std::string& peer, const Term& tag, const Term& ops, const Term& resolved_ops);
  void resolved(const std::string& peer, const Term& ops, const Term& known, const Term& names_ext, const Term& tag);
  void finish(const std::string& peer, const Resolved& his);
  void new_nodes(const Term& request);
  void in_sync(const std::string& peer);
  void lock_set_for_locker(const Term& request);

  void cancel_locker(const std::string& peer, const Term& tag, RunOnLocker run = {});
  void cancel_resolved(const std::string& peer, RunOnLocker run);
  void send_cancel_connect(const std::string& peer, const Term& his_tag);
  bool has_my_tag(const std::string& peer, const Term& tag) const;
  void forget(const std::string& peer);
  void sync_others(const std::vector<std::string>& nodes);
  void sync_other(const std::string& peer);
  std::vector<std::string> add_to_known(const std::vector<std::pair<std::string, int64_t>>& nodes);
  std::vector<std::pair<std::string, int64_t>> with_versions(const Term& nodes) const;
  Term known_list(int64_t for_version) const;
  int64_t version_of(const std::string& peer) const;

  void do_ops(const std::vector<Term>& ops, const Term& extra_info);
  void insert_name(const Term& name, const Pid& pid, const Term& method, bool lock_still_set);
  void delete_name(const Term& name);
  void record_change(const Term& name, const std::string& action);
  bool lock_held_by(const Pid& pid) const;
  bool lock_held_as(const Term& extra_info) const;
  bool set_lock(const Term& resource, const Term& requester, const Pid& pid);
  void remove_lock(const Term& resource, const Pid& pid, bool down);

  void note_synced(const std::string& peer);  // or gone: nobody waits for it any more
  void start_sync(Sync sync, const std::vector<std::string>& nodes);

  const GlobalOptions options_;
  GlobalTables tables_;
  GlobalLocker* locker_ = nullptr;
  GlobalRegistrar* registrar_ = nullptr;
  Pid locker_pid_, registrar_pid_;
  std::map<std::string, int64_t> known_;    // node -> protocol version
  std::map<std::string, int64_t> pending_;  // connecting, not yet known
  std::set<std::string> removing_;
  std::set<std::string> synced_;
  std::map<std::string, Resolving> resolvers_;
  std::map<std::string, Session> sessions_;
  std::map<std::pair<std::string, std::string>, LostConnection> lost_connections_;
  std::vector<Sync> syncs_;
  bool global_lock_down_ = false;
  int64_t next_unique_ = 1;
  int64_t creation_extension_ = 0;
  std::shared_ptr<bool> alive_token_ = std::make_shared<bool>(true);
};

}  // namespace distlab::process
