#include "models/process/global_locker.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "models/process/gen.h"
#include "models/process/global.h"

namespace distlab::process {

using namespace std::chrono_literals;

void GlobalLocker::post(Mail mail) {
  inbox_.push_back(std::move(mail));
  wake();
}

// As far as the state allows. In `busy` a call to other nodes is out; its end pumps again.
void GlobalLocker::pump() {
  if (timer_) cancel_timer(*timer_);
  timer_.reset();
  while (state_ == State::idle && !inbox_.empty()) {
    Mail mail = std::move(inbox_.front());
    inbox_.pop_front();
    std::visit([this](auto& message) { handle(message); }, mail);
  }
  if (state_ == State::waiting_for_lock_set) pump_waiting_for_lock_set();
  if (state_ == State::waiting_for_cancel) pump_waiting_for_cancel();
  if (state_ == State::idle) arm_timer();
}

// It is important that the time is greater than zero, or the chance that some other node in the
// partition sets the lock once this node has failed after setting it is very slim (global.erl).
void GlobalLocker::arm_timer() {
  if (timer_ || others_.empty()) return;
  Duration wait = std::min<Duration>(1000ms + 100ms * known_.size(), 3000ms);
  if (known_.empty()) wait = 200ms;
  if (just_synced_) wait = 0ms;
  just_synced_ = false;
  timer_ = start_timer(wait, [this] { timed_out(); });
}

void GlobalLocker::timed_out() {
  timer_.reset();
  if (!server().tables_.find_lock(etf::atom("global"))) select_node();
  if (state_ == State::idle) pump();
}

void GlobalLocker::handle(Cancel& cancel) {
  // With the tag `undefined` this may be an old nodedown that must not cancel a new nodeup.
  if (!cancel.tag.is_atom("undefined") && !cancel.run) remove_node(cancel.node, cancel.tag);
}

// Another locker has locked its partition and ours is idle: lock ours for it.
void GlobalLocker::handle(LockSet& message) {
  if (!message.set) return;
  const auto him =
      std::find_if(others_.begin(), others_.end(), [&](const Him& other) { return other.node == message.from.node; });
  if (him == others_.end()) {  // to the locker itself, as to protocol version 5
    return send(message.from, etf::tuple(etf::atom("lock_set"), self(), etf::boolean(false), known_list()));
  }
  if (message.tag && *message.tag != Term(him->my_tag)) return;  // of an earlier session
  him_ = *him;
  lock_ = lock_id(message.from);
  state_ = State::busy;
  lock_nodes_safely(lock_, {}, [this, locker = message.from](bool set) {
    send_lock_set(set, locker, him_.his_tag);
    state_ = State::idle;
    just_synced_ = false;
    if (set) {
      locked_ = known_;
      locked_.push_back(node());
      tell_lock_is_set();
    }
    pump();
  });
}

void GlobalLocker::handle(AddToKnown& message) {
  known_.insert(known_.begin(), message.nodes.begin(), message.nodes.end());
}

void GlobalLocker::handle(RemoveFromKnown& message) {
  const auto found = std::find(known_.begin(), known_.end(), message.node);
  if (found != known_.end()) known_.erase(found);
}

// update_locker_known/1: takes these two kinds out of turn.
void GlobalLocker::update_known() {
  std::deque<Mail> rest;
  for (Mail& mail : inbox_) {
    if (auto* add = std::get_if<AddToKnown>(&mail)) {
      handle(*add);
    } else if (auto* remove = std::get_if<RemoveFromKnown>(&mail)) {
      handle(*remove);
    } else {
      rest.push_back(std::move(mail));
    }
  }
  inbox_ = std::move(rest);
}

void GlobalLocker::select_node() {
  std::erase_if(others_,
                [this](const Him& him) { return std::find(known_.begin(), known_.end(), him.node) != known_.end(); });
  if (others_.empty()) return;
  him_ = others_[host().random("global").below(others_.size())];
  lock_ = lock_id(him_.locker);
  state_ = State::busy;
  // Locking his node too prevents a deadlock.
  lock_nodes_safely(lock_, {him_.node}, [this](bool set) {
    state_ = State::idle;
    if (set) {
      locked_ = known_;
      locked_.push_back(node());
      locked_.push_back(him_.node);
      send_lock_set(true, him_.locker, him_.his_tag);
      state_ = State::waiting_for_lock_set;
    }
    pump();
  });
}

std::string GlobalLocker::boss() const {
  return known_.empty() ? node() : std::max(node(), *std::max_element(known_.begin(), known_.end()));
}

void GlobalLocker::lock_nodes_safely(const LockId& id, const Nodes& extra, std::function<void(bool)> done) {
  const std::string first = boss();
  // Locking this node could stop one that has locked the boss already, so it is only probed.
  if (first != node() && !server().tables_.can_set_lock(id.resource, id.requester)) return done(false);
  set_lock(id, {first}, [this, id, first, extra, done = std::move(done)](bool set) {
    if (!set) return done(false);
    update_known();
    lock_others(id, first, extra, done);
  });
}

void GlobalLocker::lock_others(const LockId& id, const std::string& first, const Nodes& extra,
                               std::function<void(bool)> done) {
  Nodes second = {node()};
  second.insert(second.end(), extra.begin(), extra.end());
  second = without(second, {first});
  set_lock(id, second, [this, id, first, second, done = std::move(done)](bool second_set) {
    if (!second_set) return del_lock(id, {first}, [done] { done(false); });
    set_lock(id, without(known_, {first}), [this, id, first, second, done](bool all_set) {
      if (all_set) return done(true);
      Nodes so_far = second;
      so_far.push_back(first);
      del_lock(id, so_far, [done] { done(false); });
    });
  });
}

Term GlobalLocker::known_list() const {
  etf::Terms known;
  for (const std::string& name : known_) known.push_back(etf::atom(name));
  return etf::list(std::move(known));
}

void GlobalLocker::send_lock_set(bool set, const Pid& his_locker, const Term& his_tag) {
  cast(his_locker.node, etf::tuple(etf::atom("lock_set"), self(), etf::boolean(set), known_list(), his_tag));
}

// A lock_set that did not come through the name server.
void GlobalLocker::on_other(const Term& message) {
  const auto five = message.as_tagged("lock_set", 5);
  const auto parts = five.empty() ? message.as_tagged("lock_set", 4) : five;
  const Pid* from = parts.empty() ? nullptr : parts[1].as<Pid>();
  if (from) lock_set(*from, parts[2].is_atom("true"), five.empty() ? std::nullopt : std::optional(five[4]));
}

// Both partitions are locked. The name servers exchange names now, and ours will tell us when to
// let go; should the other node die, it tells us too.
void GlobalLocker::tell_lock_is_set() {
  cast(node(), etf::tuple(etf::atom("lock_is_set"), etf::atom(him_.node), Term(him_.my_tag), lock_.term()));
  state_ = State::waiting_for_cancel;
}

// lock_is_set/5: only what concerns this attempt is received.
void GlobalLocker::pump_waiting_for_lock_set() {
  for (auto mail = inbox_.begin(); mail != inbox_.end();) {
    if (const auto* message = std::get_if<LockSet>(&*mail); message && message->from.node == him_.node) {
      const bool current = !message->tag || *message->tag == Term(him_.my_tag);
      const bool set = message->set;
      mail = inbox_.erase(mail);
      if (!current) continue;
      return set ? tell_lock_is_set() : rejected();
    }
    if (const auto* cancel = std::get_if<Cancel>(&*mail); cancel && take_cancel(*cancel)) {
      inbox_.erase(mail);
      return release(false);
    }
    ++mail;
  }
}

void GlobalLocker::pump_waiting_for_cancel() {
  for (auto mail = inbox_.begin(); mail != inbox_.end(); ++mail) {
    if (const auto* cancel = std::get_if<Cancel>(&*mail); cancel && take_cancel(*cancel)) {
      inbox_.erase(mail);
      return release(true);
    }
  }
}

bool GlobalLocker::take_cancel(const Cancel& cancel) {
  if (cancel.node != him_.node || !(cancel.tag == Term(him_.my_tag))) return false;
  if (cancel.run) cancel.run(*this);
  return true;
}

void GlobalLocker::rejected() {
  state_ = State::busy;
  delete_global_lock(lock_, locked_, [this] {
    state_ = State::idle;
    pump();
  });
}

void GlobalLocker::release(bool synced) {
  state_ = State::busy;
  delete_global_lock(lock_, locked_, [this, synced] {
    if (synced) just_synced_ = true;
    remove_node(him_.node, Term(him_.my_tag));
    state_ = State::idle;
    pump();
  });
}

// Both sides use the same requester. Nodes common to both partitions are thus locked by both
// lockers, and still are when new_nodes arrives even if the other side has let go.
LockId GlobalLocker::lock_id(const Pid& his_locker) const {
  const bool we_first = pid_less(self(), his_locker);
  Term pids = we_first ? etf::list({self(), his_locker}) : etf::list({his_locker, self()});
  return {etf::atom("global"), std::move(pids)};
}

void GlobalLocker::remove_node(const std::string& peer, const Term& tag) {
  std::erase_if(others_, [&](const Him& him) { return him.node == peer && Term(him.my_tag) == tag; });
}

}  // namespace distlab::process
