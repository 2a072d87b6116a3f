// What the relay does with each message of a client.
#include <algorithm>
#include <utility>

#include "models/host/event_kinds.h"
#include "models/mesh/relay_core.h"

namespace distlab::mesh {

void RelayCore::on_frame(Time now, SessionId id, const Frame& frame) {
  serve(now, id, frame);
  settle(now);
}

void RelayCore::serve(Time now, SessionId id, const Frame& frame) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end() || found->second.closing) return;
  Session& session = found->second;
  ++stats_.frames_in;
  stats_.bytes_in += frame.size();
  if (const auto type = size_t(frame.type()); type < frame_type_end) ++stats_.frames_in_of[type];
  if (session.pending && frame.type() != FrameType::connect) {
    return close(now, id, session, CloseCode::protocol, "unexpected", "not a CONNECT");
  }
  if (frame.type() == FrameType::publish) return publish(now, id, session, frame);
  auto message = decode(frame);
  if (!message) return bad_frame(now, id, session, message.error());
  std::visit([&](auto& it) { handle(now, id, session, std::move(it)); }, *message);
}

void RelayCore::on_bad_frame(Time now, SessionId id, FrameError why) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  bad_frame(now, id, found->second, why);
  settle(now);
}

void RelayCore::bad_frame(Time now, SessionId id, Session& session, FrameError why) {
  if (why == FrameError::too_large) return close(now, id, session, CloseCode::limit, "limit", "frame_bytes");
  close(now, id, session, CloseCode::protocol, "malformed", to_string(why));
}

template <typename Unexpected>
void RelayCore::handle(Time now, SessionId id, Session& session, const Unexpected&) {
  close(now, id, session, CloseCode::protocol, "unexpected", "only a relay says this");
}

void RelayCore::handle(Time now, SessionId id, Session& session, const Connect& message) {
  if (!session.pending) return close(now, id, session, CloseCode::protocol, "unexpected", "second CONNECT");
  const auto& limits = settings_.limits;
  const auto fits = [](const std::string& name, size_t limit) { return !name.empty() && name.size() <= limit; };
  if (!fits(message.realm, limits.realm_bytes)) {
    return close(now, id, session, CloseCode::limit, "limit", "realm_bytes");
  }
  session.wanted_realm = message.realm;
  if (!fits(message.identity, limits.identity_bytes)) {
    return close(now, id, session, CloseCode::limit, "limit", "identity_bytes");
  }
  session.identity = message.identity;
  const auto allowed = [](const std::set<std::string>& names, const std::string& name) {
    return names.empty() || names.count(name) > 0;
  };
  if (!allowed(settings_.realms, message.realm)) {
    return close(now, id, session, CloseCode::refused, "refused", "realm");
  }
  if (!allowed(settings_.identities, message.identity)) {
    return close(now, id, session, CloseCode::refused, "refused", "identity");
  }
  welcome(now, id, session);
}

// The identity is self-asserted, as in the modelled system before 5.0.0: whoever comes last has it.
void RelayCore::welcome(Time now, SessionId id, Session& session) {
  {
    const Realm& realm = realms_.enter(session.wanted_realm);
    const auto older = realm.identities.find(session.identity);
    if (older != realm.identities.end()) {
      const SessionId old_id = older->second;
      close(now, old_id, sessions_.at(old_id), CloseCode::replaced, "replaced", "");  // the realm may go with it
    }
  }
  leave(id, session, "");  // no longer pending
  session.realm = &realms_.enter(session.wanted_realm);
  session.realm->identities.emplace(session.identity, id);
  ++stats_.sessions;
  events_.push_back(
      {kinds::session_up, session.identity, {{"realm", session.wanted_realm}, {"remote", session.remote.to_string()}}});
  send(now, id, session, encode(Welcome{settings_.name, uint64_t(id)}));
}

void RelayCore::handle(Time now, SessionId id, Session& session, const Disconnect& message) {
  close(now, id, session, CloseCode::normal, "disconnect", message.reason);
}

void RelayCore::handle(Time now, SessionId id, Session& session, const Ping& message) {
  send(now, id, session, encode(Pong{message.id}));
}

// Relays send no PING: QUIC's own keep-alive and idle timeout find dead clients.
void RelayCore::handle(Time now, SessionId id, Session& session, const Pong&) {
  close(now, id, session, CloseCode::protocol, "unexpected", "PONG without a PING");
}

bool RelayCore::name_fits(Time now, SessionId id, Session& session, std::string_view name, size_t limit,
                          const char* what) {
  if (!name.empty() && name.size() <= limit) return true;
  complain(now, id, session, what);
  return false;
}

void RelayCore::complain(Time now, SessionId id, Session& session, std::string_view limit) {
  const Notices::Sort sort{id, kinds::relay_complained, "limit: " + std::string(limit)};
  const Notices::Sum one{1, 0, session.remote};
  ++stats_.refusals[{sort.kind, sort.reason}];
  if (notices_.note(now, sort, one)) tell(sort, one, sort.reason);
  send(now, id, session, encode(Error{"limit", std::string(limit)}));
}

void RelayCore::publish(Time now, SessionId id, Session& session, const Frame& frame) {
  const auto message = decode_publish(frame);
  if (!message) return bad_frame(now, id, session, message.error());
  if (!name_fits(now, id, session, message->topic, settings_.limits.topic_bytes, "topic_bytes")) return;
  ++stats_.publishes;
  const auto subscribers = session.realm->topics.sessions(message->topic);
  if (subscribers.empty()) return note_drop(now, id, DropReason::no_subscriber, 1, frame.size());
  // A PUBLISH is queued or dropped, but never closes a session: the list stays as it is.
  for (const SessionId subscriber : subscribers) send(now, subscriber, sessions_.at(subscriber), frame);
}

void RelayCore::handle(Time now, SessionId id, Session& session, const Subscribe& message) {
  const auto& limits = settings_.limits;
  if (!name_fits(now, id, session, message.topic, limits.topic_bytes, "topic_bytes")) return;
  if (session.topics.count(message.topic) > 0) return;
  if (session.topics.size() >= limits.subscriptions) return complain(now, id, session, "subscriptions");
  if (stats_.subscriptions >= limits.subscriptions_total) {
    return complain(now, id, session, "subscriptions_total");
  }
  session.topics.insert(session.realm->topics.add(message.topic, id));
  ++stats_.subscriptions;
  if (counted(message.topic)) ++stats_.counted_subscriptions;
}

void RelayCore::handle(Time, SessionId id, Session& session, const Unsubscribe& message) {
  if (session.topics.erase(message.topic) == 0) return;
  session.realm->topics.remove(message.topic, id);
  --stats_.subscriptions;
  if (counted(message.topic)) --stats_.counted_subscriptions;
}

void RelayCore::handle(Time now, SessionId id, Session& session, const Advertise& message) {
  const auto& limits = settings_.limits;
  if (!name_fits(now, id, session, message.procedure, limits.procedure_bytes, "procedure_bytes")) return;
  if (session.procedures.count(message.procedure) > 0) return;
  if (session.procedures.size() >= limits.procedures) return complain(now, id, session, "procedures");
  if (stats_.procedures >= limits.procedures_total) return complain(now, id, session, "procedures_total");
  session.procedures.insert(session.realm->procedures.add(message.procedure, id));
  ++stats_.procedures;
}

void RelayCore::handle(Time, SessionId id, Session& session, const Unadvertise& message) {
  if (session.procedures.erase(message.procedure) == 0) return;
  session.realm->procedures.remove(message.procedure, id);
  --stats_.procedures;
}

void RelayCore::handle(Time now, SessionId id, Session& session, Call message) {
  const auto& limits = settings_.limits;
  const auto refuse = [&](std::string code, std::string why) {
    send(now, id, session, encode(Reply{message.id, tl::unexpected(CallError{std::move(code), std::move(why)})}));
  };
  if (session.asking.size() >= limits.calls) return refuse("limit", "calls");
  if (calls_.size() >= limits.calls_total) return refuse("limit", "calls_total");
  const auto callees = session.realm->procedures.sessions(message.procedure);
  // Said at once, and not the name: it may be of any length.
  if (callees.empty()) return refuse("unknown_procedure", "nobody advertises it here");
  const SessionId callee_id = callees.front();
  if (const auto of = session.asking_of.find(callee_id);
      of != session.asking_of.end() && of->second >= limits.calls_to_one) {
    return refuse("limit", "calls_to_one");
  }
  const uint64_t number = ++last_call_;
  const Frame frame = encode(Call{number, std::move(message.procedure), std::move(message.args)});
  // With another number, and other widths of floats, it can be longer than the one that came.
  if (frame.size() > limits.frame_bytes) return refuse("limit", "frame_bytes");
  Session& callee = sessions_.at(callee_id);
  calls_.emplace(number, PendingCall{id, message.id, callee_id, now + limits.call_lifetime});
  ++stats_.calls;
  ++stats_.calls_passed;
  session.asking.insert(number);
  ++session.asking_of[callee_id];
  callee.asked.insert(number);
  send(now, callee_id, callee, frame);
}

void RelayCore::handle(Time now, SessionId id, Session&, Reply message) {
  const auto found = calls_.find(message.id);
  if (found == calls_.end() || found->second.callee != id) {
    return note_drop(now, id, DropReason::late_reply, 1, 0);
  }
  answer(now, forget_call(found), std::move(message.result));
}

void RelayCore::answer(Time now, const PendingCall& call, CallResult result) {
  Frame frame = encode(Reply{call.caller_id, std::move(result)});
  if (frame.size() > settings_.limits.frame_bytes) {
    frame = encode(Reply{call.caller_id, tl::unexpected(CallError{"limit", "frame_bytes"})});
  }
  if (const auto caller = sessions_.find(call.caller); caller != sessions_.end()) {
    send(now, call.caller, caller->second, std::move(frame));
  }
}

// From here and not from leave(): a caller that is closed for its full queue may be a callee as well, and
// a chain of such sessions must not become a depth of calls.
void RelayCore::settle(Time now) {
  while (!failed_calls_.empty()) {
    const PendingCall call = failed_calls_.front();
    failed_calls_.pop_front();
    answer(now, call, tl::unexpected(CallError{"callee_gone", "its session ended"}));
  }
}

RelayCore::PendingCall RelayCore::forget_call(std::map<uint64_t, PendingCall>::iterator at) {
  const PendingCall call = at->second;
  Session& caller = sessions_.at(call.caller);
  caller.asking.erase(at->first);
  if (--caller.asking_of.at(call.callee) == 0) caller.asking_of.erase(call.callee);
  sessions_.at(call.callee).asked.erase(at->first);
  calls_.erase(at);
  --stats_.calls;
  return call;
}

}  // namespace distlab::mesh
