// The locker of global: locks our partition for each node that wants to join it, agrees with that
// node's locker, and keeps the lock until the name server has merged the two.
//
// Source: global.erl, loop_the_locker/1 and what it calls. Lockers of two nodes talk through their
// name servers.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "models/process/global_worker.h"

namespace distlab::process {

class GlobalLocker final : public GlobalWorker {
 public:
  // A node that wants to connect (#him).
  struct Him {
    std::string node;
    Pid locker;
    int64_t version = 0;
    int64_t my_tag = 0;
    Term his_tag;
  };

  explicit GlobalLocker(Global& server) : GlobalWorker(server) {}

  // Messages of the name server, handled in order, and when the locker is in a state to do so.
  void his_the_locker(Him him) { post(std::move(him)); }
  using Run = std::function<void(GlobalWorker&)>;
  void cancel(std::string peer, Term tag, Run run) { post(Cancel{std::move(peer), std::move(tag), std::move(run)}); }
  void lock_set(const Pid& from, bool set, std::optional<Term> tag) { post(LockSet{from, set, std::move(tag)}); }
  void add_to_known(Nodes nodes) { post(AddToKnown{std::move(nodes)}); }
  void remove_from_known(std::string peer) { post(RemoveFromKnown{std::move(peer)}); }

 protected:
  void on_mail() override { pump(); }
  void on_other(const Term& message) override;

 private:
  struct Cancel {
    std::string node;
    Term tag;
    Run run;  // on the locker, before it gives up the lock
  };
  struct LockSet {
    Pid from;
    bool set = false;
    std::optional<Term> tag;
  };
  struct AddToKnown {
    Nodes nodes;
  };
  struct RemoveFromKnown {
    std::string node;
  };
  using Mail = std::variant<Him, Cancel, LockSet, AddToKnown, RemoveFromKnown>;

  enum class State { idle, busy, waiting_for_lock_set, waiting_for_cancel };

  void post(Mail mail);
  void pump();
  void pump_waiting_for_lock_set();
  void pump_waiting_for_cancel();
  bool take_cancel(const Cancel& cancel);
  void arm_timer();
  void timed_out();

  void handle(Him& him) { others_.push_back(std::move(him)); }
  void handle(Cancel& cancel);
  void handle(LockSet& message);
  void handle(AddToKnown& message);
  void handle(RemoveFromKnown& message);

  void select_node();
  void lock_nodes_safely(const LockId& id, const Nodes& extra, std::function<void(bool)> done);
  void lock_others(const LockId& id, const std::string& boss, const Nodes& extra, std::function<void(bool)> done);
  void update_known();
  Term known_list() const;
  void send_lock_set(bool set, const Pid& his_locker, const Term& his_tag);
  void tell_lock_is_set();
  void rejected();
  void release(bool synced);
  LockId lock_id(const Pid& his_locker) const;
  void remove_node(const std::string& peer, const Term& tag);
  std::string boss() const;

  State state_ = State::idle;
  std::deque<Mail> inbox_;
  std::vector<Him> others_;  // who wants to connect
  Nodes known_;
  bool just_synced_ = false;
  std::optional<TimerKey> timer_;

  // Of the attempt under way.
  Him him_;
  LockId lock_;
  Nodes locked_;  // where the lock is to be removed
};

}  // namespace distlab::process
