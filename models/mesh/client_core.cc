#include "models/mesh/client_core.h"

#include <utility>

namespace distlab::mesh {

Registrations::Subscribed Registrations::subscribe(const std::string& topic, Client::OnPayload on_payload) {
  const SubscriptionId id{++last_};
  auto& listeners = topics_[topic];
  const bool first = listeners.empty();
  listeners.emplace(id, std::make_shared<const Client::OnPayload>(std::move(on_payload)));
  by_id_.emplace(id, topic);
  return {id, first};
}

std::optional<std::string> Registrations::unsubscribe(SubscriptionId id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return {};
  std::string topic = std::move(found->second);
  by_id_.erase(found);
  const auto listeners = topics_.find(topic);
  listeners->second.erase(id);
  if (!listeners->second.empty()) return {};
  topics_.erase(listeners);
  return topic;
}

std::optional<Registrations::Listener> Registrations::listener_after(std::string_view topic,
                                                                     SubscriptionId previous) const {
  const auto listeners = topics_.find(topic);
  if (listeners == topics_.end()) return {};
  const auto next = listeners->second.upper_bound(previous);
  if (next == listeners->second.end()) return {};
  return Listener{next->first, next->second};
}

void Registrations::advertise(const std::string& procedure, Client::Procedure run) {
  procedures_[procedure] = std::make_shared<const Client::Procedure>(std::move(run));
}

bool Registrations::unadvertise(const std::string& procedure) {
  return procedures_.erase(procedure) > 0;
}

std::shared_ptr<const Client::Procedure> Registrations::procedure(std::string_view name) const {
  const auto found = procedures_.find(name);
  return found == procedures_.end() ? nullptr : found->second;
}

std::vector<std::string> Registrations::topics() const {
  std::vector<std::string> out;
  out.reserve(topics_.size());
  for (const auto& [topic, listeners] : topics_) out.push_back(topic);
  return out;
}

std::vector<std::string> Registrations::procedures() const {
  std::vector<std::string> out;
  out.reserve(procedures_.size());
  for (const auto& [procedure, run] : procedures_) out.push_back(procedure);
  return out;
}

uint64_t CallTable::add(Time deadline, Done done) {
  const uint64_t id = ++last_;
  calls_.emplace(id, Pending{deadline, std::move(done)});
  deadlines_.emplace(deadline, id);
  return id;
}

std::optional<CallTable::Done> CallTable::take(uint64_t id) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return {};
  Done done = std::move(found->second.done);
  deadlines_.erase({found->second.deadline, id});
  calls_.erase(found);
  return done;
}

std::optional<CallTable::Done> CallTable::expired(Time now) {
  if (deadlines_.empty() || deadlines_.begin()->first > now) return {};
  return take(deadlines_.begin()->second);
}

std::optional<Time> CallTable::next_deadline() const {
  if (deadlines_.empty()) return {};
  return deadlines_.begin()->first;
}

std::vector<CallTable::Done> CallTable::take_all() {
  std::vector<Done> out;
  out.reserve(calls_.size());
  for (auto& [id, pending] : std::exchange(calls_, {})) out.push_back(std::move(pending.done));
  deadlines_.clear();
  return out;
}

std::optional<uint64_t> PingWatch::tick(Time now) {
  if (!sent_.empty() && now - sent_.front().second >= timeout_) return {};
  sent_.emplace_back(++last_, now);
  return last_;
}

void PingWatch::pong(uint64_t id) {
  while (!sent_.empty() && sent_.front().first <= id) sent_.pop_front();
}

}  // namespace distlab::mesh
