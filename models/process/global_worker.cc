#include "models/process/global_worker.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "models/process/gen.h"
#include "models/process/global.h"

namespace distlab::process {

void GlobalWorker::multi_call(const Nodes& nodes, const Term& request, std::function<void(const Replies&)> done) {
  assert(!done_);
  tag_ = make_ref();
  replies_.clear();
  done_ = std::move(done);
  for (const std::string& to : nodes) {
    const RemoteName name_server{"global_name_server", to};
    waiting_[to] = monitor(name_server);
    send(name_server, gen_call(self(), etf::tuple(tag_, etf::atom(to)), request));
  }
  if (waiting_.empty()) finish_call();
}

// {{Tag, Node}, Reply}.
void GlobalWorker::on_message(const Term& message) {
  if (message.is_atom("mail")) return on_mail();
  const auto reply = message.as_tuple(2);
  const auto from = reply.empty() ? reply : reply[0].as_tuple(2);
  if (from.empty()) return on_other(message);
  if (!(from[0] == Term(tag_)) || !from[1].as_atom()) return;  // of an earlier call
  const auto waiting = waiting_.find(from[1].as_atom()->text);
  if (waiting == waiting_.end()) return;
  demonitor(waiting->second);
  replies_[waiting->first] = reply[1];
  waiting_.erase(waiting);
  if (waiting_.empty()) finish_call();
}

void GlobalWorker::on_down(const Down& down) {
  std::erase_if(waiting_, [&](const auto& entry) { return entry.second == down.ref; });
  if (waiting_.empty() && done_) finish_call();
}

void GlobalWorker::finish_call() {
  const auto done = std::exchange(done_, nullptr);
  const Replies replies = std::exchange(replies_, {});
  done(replies);
}

void GlobalWorker::set_lock(const LockId& id, const Nodes& nodes, std::function<void(bool)> done) {
  if (nodes.empty()) return done(true);
  // Probing the own node first spares asking the others (local_lock_check/2).
  const bool here = std::find(nodes.begin(), nodes.end(), node()) != nodes.end();
  if (nodes.size() > 1 && here && !server_.tables_.can_set_lock(id.resource, id.requester)) return done(false);
  multi_call(nodes, etf::tuple(etf::atom("set_lock"), id.term()),
             [this, id, done = std::move(done)](const Replies& replies) {
               Nodes locked;
               for (const auto& [from, reply] : replies) {
                 if (reply.is_atom("true")) locked.push_back(from);
               }
               if (locked.size() == replies.size()) return done(true);
               if (replies.size() == 1) return done(false);
               del_lock(id, locked, [done] { done(false); });
             });
}

void GlobalWorker::del_lock(const LockId& id, const Nodes& nodes, std::function<void()> done) {
  multi_call(nodes, etf::tuple(etf::atom("del_lock"), id.term()), [done = std::move(done)](const Replies&) { done(); });
}

void GlobalWorker::delete_global_lock(const LockId& id, const Nodes& nodes, std::function<void()> done) {
  const std::string boss = the_boss(nodes);
  del_lock(id, without(nodes, {boss}), [this, id, boss, done = std::move(done)] { del_lock(id, {boss}, done); });
}

// A quarter of a second at first, doubling up to eight.
Duration GlobalWorker::random_sleep(int times) {
  const uint64_t longest = times > 5 ? 8000 : (uint64_t{1} << times) * 1000 / 8;
  return std::chrono::milliseconds(1 + host().random("global").below(longest));
}

std::string GlobalWorker::the_boss(const Nodes& nodes) {
  return *std::max_element(nodes.begin(), nodes.end());
}

GlobalWorker::Nodes GlobalWorker::without(const Nodes& nodes, const Nodes& excluded) {
  Nodes rest;
  for (const std::string& name : nodes) {
    if (std::find(excluded.begin(), excluded.end(), name) == excluded.end()) rest.push_back(name);
  }
  return rest;
}

void GlobalWorker::cast(const std::string& to, Term request) {
  send(RemoteName{"global_name_server", to}, gen_cast(std::move(request)));
}

void GlobalWorker::wake() {
  send(self(), etf::atom("mail"));
}

}  // namespace distlab::process
