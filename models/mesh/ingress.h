// The order in which a relay serves the frames of its sessions: one server, sessions in turn, each no
// faster than its rate allows (facts relay-distribution.md section 3.1, 0.38.0: what a flood does to a
// relay with one queue).
//
//   bytes in: on_bytes(); frames out: next(), again at next_time(); reading(): whose stream to read
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "models/host/time.h"
#include "models/mesh/frame.h"

namespace distlab::mesh {

enum class SessionId : uint64_t {};

struct IngressSettings {
  Duration service_time = Duration::zero();  // per frame
  bool control_first = true;                 // within a session
  size_t frame_bytes = default_max_frame;
  size_t inbound_bytes = 1024 * 1024;  // waiting for service, per session; then it is not read
  uint64_t frames_per_second = 0;      // per session; 0: any
  uint64_t bytes_per_second = 0;
};

class Ingress {
 public:
  explicit Ingress(const IngressSettings& settings) : settings_(settings) {}

  void open(SessionId session);
  void close(SessionId session);  // its waiting frames are forgotten; harmless if it is not open

  // After an error no more bytes of the session are taken; what came before it is still served.
  tl::expected<void, FrameError> on_bytes(Time now, SessionId session, Bytes bytes);

  struct Served {
    SessionId session;
    Frame frame;
  };
  // A frame whose service is complete, in the order of completion.
  std::optional<Served> next(Time now);
  std::optional<Time> next_time() const;  // when next() will have something, if nothing arrives before

  bool reading(SessionId session) const;
  std::vector<SessionId> take_changed();  // sessions for which reading() has changed

 private:
  struct Session {
    explicit Session(size_t max_frame) : reader(max_frame) {}
    FrameReader reader;
    std::deque<Frame> control, plain;
    size_t waiting = 0;  // bytes in the queues
    bool reading = true;
    bool in_turn = false;  // in ready_ or throttled_, or in service
    // Virtual scheduling (ITU-T I.371 annex A): when an unhurried sender would have been this far.
    Time frames_due{}, bytes_due{};
  };

  void enqueue(Session& session, Frame frame) const;
  Frame dequeue(Session& session) const;
  Time allowed_at(const Session& session) const;
  void charge(Session& session, Time now, size_t bytes) const;
  void put_in_turn(Time now, SessionId id, Session& session);
  void update_reading(SessionId id, Session& session);
  bool start_service(Time now);

  const IngressSettings settings_;
  std::map<SessionId, Session> sessions_;
  std::deque<SessionId> ready_;                     // have frames, may send them
  std::set<std::pair<Time, SessionId>> throttled_;  // have frames, must wait
  std::optional<Served> in_service_;
  Time done_at_{};
  std::vector<SessionId> changed_;
};

}  // namespace distlab::mesh
