#include "models/mesh/relay_core.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "models/host/event_kinds.h"
#include "models/mesh/cbor.h"

namespace distlab::mesh {
namespace {

void count_down(std::map<Ipv4, size_t>& counts, Ipv4 address) {
  const auto at = counts.find(address);
  if (--at->second == 0) counts.erase(at);
}

}  // namespace

std::string_view to_string(DropReason reason) {
  switch (reason) {
    case DropReason::queue:
      return "queue";
    case DropReason::no_subscriber:
      return "no_subscriber";
    case DropReason::wedged:
      return "wedged";
    case DropReason::late_reply:
      return "late_reply";
    case DropReason::closing:
      return "closing";
  }
  return "?";
}

SessionId RelayCore::open(Time now, Endpoint remote) {
  const auto& limits = settings_.limits;
  const char* full = sessions_.size() >= limits.sessions                                 ? "sessions"
                     : stats_.pending >= limits.pending_sessions                         ? "pending_sessions"
                     : by_address_[remote.address] >= limits.sessions_per_address        ? "sessions_per_address"
                     : pending_by_address_[remote.address] >= limits.pending_per_address ? "pending_per_address"
                                                                                         : nullptr;
  const SessionId id{++last_session_};
  Session& session = sessions_.try_emplace(id, remote, settings_.control_first).first->second;
  ++by_address_[remote.address];
  ++pending_by_address_[remote.address];
  ++stats_.pending;
  if (full != nullptr) {
    close(now, id, session, CloseCode::limit, "limit", full);
  } else {
    connect_deadlines_.emplace_back(now + limits.connect_timeout, id);
  }
  return id;
}

void RelayCore::on_gone(Time now, SessionId id, std::string_view reason, std::string_view sort) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  Session& session = found->second;
  if (session.pending) on_rejected(now, kinds::session_abandoned, session.remote, reason, sort);
  leave(id, session, reason);
  drop_queue(now, id, session);
  for (const auto& [what, sum] : notices_.forget(id)) tell(what, sum, what.reason);
  count_down(by_address_, session.remote.address);
  sessions_.erase(found);
  settle(now);
}

// Out of all tables; what remains is the connection and what it is still to be told.
void RelayCore::leave(SessionId id, Session& session, std::string_view reason) {
  if (session.pending) {
    session.pending = false;
    --stats_.pending;
    count_down(pending_by_address_, session.remote.address);
    return;
  }
  if (session.realm == nullptr) return;
  Realm& realm = *std::exchange(session.realm, nullptr);
  --stats_.sessions;
  for (const auto topic : session.topics) {
    if (counted(topic)) --stats_.counted_subscriptions;
    realm.topics.remove(topic, id);  // the name may be gone with it
  }
  for (const auto procedure : session.procedures) realm.procedures.remove(procedure, id);
  stats_.subscriptions -= std::exchange(session.topics, {}).size();
  stats_.procedures -= std::exchange(session.procedures, {}).size();
  realm.identities.erase(session.identity);
  events_.push_back({kinds::session_down, session.identity, {{"reason", shortened(reason)}, {"realm", realm.name}}});
  for (const uint64_t call : std::exchange(session.asking, {})) forget_call(calls_.find(call));
  for (const uint64_t call : std::exchange(session.asked, {})) {
    failed_calls_.push_back(forget_call(calls_.find(call)));
  }
  realms_.leave(realm);
}

void RelayCore::close(Time now, SessionId id, Session& session, CloseCode code, std::string_view what,
                      std::string_view detail) {
  if (session.closing) return;
  std::string reason(what);
  if (!detail.empty()) reason.append(": ").append(shortened(detail));
  if (session.pending) refused(session, reason);
  session.closing = Closing{code, reason};
  leave(id, session, reason);
  drop_queue(now, id, session);
  if (code == CloseCode::replaced || code == CloseCode::shutdown) {
    send_last(now, id, session,
              encode(Disconnect{code == CloseCode::replaced ? std::string(what) : std::string(detail)}));
  } else if (code != CloseCode::normal) {
    send_last(now, id, session, encode(Error{std::string(what), std::string(detail)}));
  }
  touch(id, session);
}

void RelayCore::on_rejected(Time now, std::string_view kind, Endpoint remote, std::string_view reason,
                            std::string_view sort) {
  const Notices::Sort alike{SessionId{}, kind, std::string(sort.empty() ? reason : sort)};
  const Notices::Sum one{1, 0, remote};
  ++stats_.refusals[{kind, alike.reason}];
  if (notices_.note(now, alike, one)) tell(alike, one, reason);
}

void RelayCore::refused(const Session& session, const std::string& reason) {
  ++stats_.refused;
  ++stats_.refusals[{kinds::session_refused, reason}];
  events_.push_back({kinds::session_refused,
                     session.identity.empty() ? "?" : session.identity,
                     {{"reason", reason}, {"realm", session.wanted_realm}, {"remote", session.remote.to_string()}}});
}

void RelayCore::shutdown(Time now, const std::string& reason) {
  for (auto& [id, session] : sessions_) close(now, id, session, CloseCode::shutdown, "shutdown", reason);
  settle(now);
}

void RelayCore::send(Time now, SessionId id, Session& session, Frame frame) {
  if (session.closing) return;
  if (wedged_) return note_drop(now, id, DropReason::wedged, 1, frame.size());
  const auto& limits = settings_.limits;
  const size_t queued = session.out.bytes() + frame.size();
  const bool all_full = stats_.queued_bytes + frame.size() > limits.queued_total;
  if (frame.type() == FrameType::publish) {
    if (all_full || queued > limits.queued_bytes) {
      return note_drop(now, id, DropReason::queue, 1, frame.size());
    }
    ++stats_.deliveries;
  } else if (queued > (all_full ? limits.queued_spare_bytes : limits.queued_bytes + limits.queued_control_bytes)) {
    return close(now, id, session, CloseCode::limit, "limit", all_full ? "queued_total" : "queued_control_bytes");
  }
  enqueue(id, session, std::move(frame));
}

void RelayCore::send_last(Time now, SessionId id, Session& session, Frame frame) {
  if (wedged_) return note_drop(now, id, DropReason::wedged, 1, frame.size());
  enqueue(id, session, std::move(frame));
}

void RelayCore::enqueue(SessionId id, Session& session, Frame frame) {
  stats_.queued_bytes += frame.size();
  stats_.bytes_out += frame.size();
  ++stats_.frames_out;
  session.out.push(std::move(frame));
  touch(id, session);
}

void RelayCore::drop_queue(Time now, SessionId id, Session& session) {
  const size_t before = session.out.bytes();
  const auto cleared = session.out.clear();
  stats_.queued_bytes -= before - session.out.bytes();
  if (cleared.messages > 0) note_drop(now, id, DropReason::closing, cleared.messages, cleared.bytes);
}

void RelayCore::touch(SessionId id, Session& session) {
  if (std::exchange(session.touched, true)) return;
  touched_.push_back(id);
}

void RelayCore::note_drop(Time now, SessionId id, DropReason reason, uint64_t messages, uint64_t bytes) {
  const auto index = size_t(reason);
  stats_.dropped[index].messages += messages;
  stats_.dropped[index].bytes += bytes;
  const Notices::Sort sort{id, kinds::relay_dropped, std::string(to_string(reason))};
  const Notices::Sum sum{messages, bytes, {}};
  if (notices_.note(now, sort, sum)) tell(sort, sum, sort.reason);
}

void RelayCore::tell(const Notices::Sort& sort, const Notices::Sum& sum, std::string_view reason) {
  Event event{sort.kind, "", {{"reason", shortened(reason)}}};
  if (const auto found = sessions_.find(sort.session); found != sessions_.end()) {
    event.subject = found->second.identity.empty() ? "?" : found->second.identity;
  }
  if (sort.kind == kinds::relay_dropped) {
    event.fields.push_back({"bytes", int64_t(sum.bytes)});
    event.fields.push_back({"messages", int64_t(sum.messages)});
  } else {
    event.fields.push_back({"remote", sum.remote.to_string()});
    event.fields.push_back({"count", int64_t(sum.messages)});
  }
  events_.push_back(std::move(event));
}

bool RelayCore::counted(std::string_view topic) const {
  return !settings_.counted_topics.empty() && topic.starts_with(settings_.counted_topics);
}

void RelayCore::on_time(Time now) {
  while (!connect_deadlines_.empty() && connect_deadlines_.front().first <= now) {
    const SessionId id = connect_deadlines_.front().second;
    connect_deadlines_.pop_front();
    const auto found = sessions_.find(id);
    if (found == sessions_.end() || !found->second.pending) continue;
    close(now, id, found->second, CloseCode::limit, "limit", "connect_timeout");
  }
  while (!calls_.empty() && calls_.begin()->second.expires <= now) {
    const PendingCall call = forget_call(calls_.begin());
    answer(now, call, tl::unexpected(CallError{"timeout", "call_lifetime"}));
  }
  settle(now);
  while (const auto told = notices_.due(now)) tell(told->first, told->second, told->first.reason);
}

// Of a session that has connected meanwhile the deadline stays until it passes: it does nothing then.
std::optional<Time> RelayCore::next_time() const {
  std::optional<Time> next;
  const auto consider = [&next](Time when) { next = next ? std::min(*next, when) : when; };
  if (!connect_deadlines_.empty()) consider(connect_deadlines_.front().first);
  if (!calls_.empty()) consider(calls_.begin()->second.expires);
  if (const auto due = notices_.next_time()) consider(*due);
  return next;
}

const RelayCore::Closing* RelayCore::closing(SessionId id) const {
  const auto found = sessions_.find(id);
  return found != sessions_.end() && found->second.closing ? &*found->second.closing : nullptr;
}

Bytes RelayCore::output(SessionId id) {
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? Bytes{} : found->second.out.front();
}

void RelayCore::consumed(SessionId id, size_t count) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  assert(count <= found->second.out.bytes());
  found->second.out.consumed(count);
  stats_.queued_bytes -= count;
}

std::vector<SessionId> RelayCore::take_touched() {
  for (const SessionId id : touched_) {
    if (const auto found = sessions_.find(id); found != sessions_.end()) found->second.touched = false;
  }
  return std::exchange(touched_, {});
}

std::vector<Event> RelayCore::take_events() {
  return std::exchange(events_, {});
}

}  // namespace distlab::mesh
