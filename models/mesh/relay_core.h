// The relay as an engine: sessions, routing, limits. Frames and time go in; frames, ends of sessions and
// events come out. It knows nothing of QUIC.
//
//   open() when a connection is there; on_frame() for each frame; on_gone() when the connection is;
//   on_time() at next_time(). After each of these: take_events(), and for each of take_touched():
//   send output(), say consumed(); when nothing is left and closing() is set, end the connection.
//
// What a client may say, and what it is answered, is in the README.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "models/host/endpoint.h"
#include "models/host/event.h"
#include "models/mesh/ingress.h"
#include "models/mesh/message.h"
#include "models/mesh/notices.h"
#include "models/mesh/outbox.h"
#include "models/mesh/relay_settings.h"
#include "models/mesh/routes.h"

namespace distlab::mesh {

class RelayCore {
 public:
  struct Settings {
    std::string name;  // of the relay
    RelayLimits limits = {};
    std::set<std::string> realms = {}, identities = {};  // that may connect; empty: any
    bool control_first = true;
    std::string counted_topics = {};  // see RelaySettings
  };
  explicit RelayCore(Settings settings) : settings_(std::move(settings)) {}

  // A session that meets a limit is closing at once.
  SessionId open(Time now, Endpoint remote);
  void on_frame(Time now, SessionId id, const Frame& frame);
  void on_bad_frame(Time now, SessionId id, FrameError why);
  // The connection has ended or its stream is finished. Unless it was closing, this is why; `sort` is the part of
  // the reason that a peer has no say in, if that is not all of it.
  void on_gone(Time now, SessionId id, std::string_view reason, std::string_view sort = {});
  // A peer that never became a session: `kind` is the event to record, reason and sort as in on_gone().
  void on_rejected(Time now, std::string_view kind, Endpoint remote, std::string_view reason, std::string_view sort);
  void on_time(Time now);
  std::optional<Time> next_time() const;

  void shutdown(Time now, const std::string& reason);  // DISCONNECT to all
  // Nothing is sent any more: whatever would be is dropped and counted.
  void set_wedged(bool on) { wedged_ = on; }

  struct Closing {
    CloseCode code;
    std::string reason;
  };
  const Closing* closing(SessionId id) const;  // null: it is not
  Bytes output(SessionId id);
  void consumed(SessionId id, size_t count);
  std::vector<SessionId> take_touched();  // with new output, or closing since asked last; each once
  std::vector<Event> take_events();
  const RelayStats& stats() const { return stats_; }
  size_t sessions() const { return sessions_.size(); }  // in any state

 private:
  struct Session {
    Session(Endpoint from, bool control_first) : remote(from), out(control_first) {}
    Endpoint remote;
    std::string identity, wanted_realm;             // empty until CONNECT
    Realm* realm = nullptr;                         // null until CONNECT, and again when the session is over
    bool pending = true;                            // neither connected nor closing
    std::set<std::string_view> topics, procedures;  // views of the tables' names
    std::set<uint64_t> asked, asking;               // relay's numbers of calls to it, and from it
    std::map<SessionId, size_t> asking_of;          // how many of those from it each callee has
    Outbox out;
    bool touched = false;
    std::optional<Closing> closing = {};
  };
  struct PendingCall {
    SessionId caller;
    uint64_t caller_id;
    SessionId callee;
    Time expires;
  };

  void serve(Time now, SessionId id, const Frame& frame);
  void bad_frame(Time now, SessionId id, Session& session, FrameError why);
  // What a connected session may say.
  void handle(Time now, SessionId id, Session& session, const Connect& message);
  void handle(Time now, SessionId id, Session& session, const Disconnect& message);
  void handle(Time now, SessionId id, Session& session, const Ping& message);
  void handle(Time now, SessionId id, Session& session, const Pong& message);
  void handle(Time now, SessionId id, Session& session, const Subscribe& message);
  void handle(Time now, SessionId id, Session& session, const Unsubscribe& message);
  void handle(Time now, SessionId id, Session& session, const Advertise& message);
  void handle(Time now, SessionId id, Session& session, const Unadvertise& message);
  void handle(Time now, SessionId id, Session& session, Call message);
  void handle(Time now, SessionId id, Session& session, Reply message);
  template <typename Unexpected>  // what only relays say
  void handle(Time now, SessionId id, Session& session, const Unexpected& message);
  void publish(Time now, SessionId id, Session& session, const Frame& frame);

  void welcome(Time now, SessionId id, Session& session);
  void refused(const Session& session, const std::string& reason);
  void answer(Time now, const PendingCall& call, CallResult result);
  void settle(Time now);
  PendingCall forget_call(std::map<uint64_t, PendingCall>::iterator at);
  bool name_fits(Time now, SessionId id, Session& session, std::string_view name, size_t limit, const char* what);

  void send(Time now, SessionId id, Session& session, Frame frame);
  void send_last(Time now, SessionId id, Session& session, Frame frame);
  void enqueue(SessionId id, Session& session, Frame frame);
  void drop_queue(Time now, SessionId id, Session& session);
  void complain(Time now, SessionId id, Session& session, std::string_view limit);
  // Says so in an ERROR or DISCONNECT frame; `what: detail` is the reason for everybody else.
  void close(Time now, SessionId id, Session& session, CloseCode code, std::string_view what, std::string_view detail);
  void leave(SessionId id, Session& session, std::string_view reason);
  void touch(SessionId id, Session& session);
  bool counted(std::string_view topic) const;
  void note_drop(Time now, SessionId id, DropReason reason, uint64_t messages, uint64_t bytes);
  void tell(const Notices::Sort& sort, const Notices::Sum& sum, std::string_view reason);

  const Settings settings_;
  Realms realms_;
  std::map<SessionId, Session> sessions_;
  std::map<Ipv4, size_t> by_address_, pending_by_address_;
  std::map<uint64_t, PendingCall> calls_;  // by our number, and so by expiry
  std::deque<PendingCall> failed_calls_;   // their callees are gone; settle() says so to the callers
  std::deque<std::pair<Time, SessionId>> connect_deadlines_;
  Notices notices_;
  uint64_t last_session_ = 0, last_call_ = 0;
  bool wedged_ = false;
  std::vector<SessionId> touched_;
  std::vector<Event> events_;
  RelayStats stats_;
};

}  // namespace distlab::mesh
