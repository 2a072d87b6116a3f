// A relay with small limits and three sessions that say anything, come, go, read and wait. Whatever they
// do, what the relay says is well-formed, its counts agree, and when all are gone nothing is left.
//
// The input is a row of steps: a byte that says which session and what, then what that needs.
#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "models/mesh/testing/core_talk.h"

namespace distlab::mesh {
namespace {

using testing::CoreTalk;

constexpr RelayLimits small = {.sessions = 4,
                               .sessions_per_address = 4,
                               .pending_sessions = 2,
                               .pending_per_address = 2,
                               .subscriptions = 2,
                               .subscriptions_total = 3,
                               .procedures = 2,
                               .procedures_total = 3,
                               .calls = 2,
                               .calls_total = 3,
                               .frame_bytes = 300,
                               .realm_bytes = 4,
                               .identity_bytes = 4,
                               .topic_bytes = 4,
                               .procedure_bytes = 4,
                               .queued_bytes = 400,
                               .queued_control_bytes = 300,
                               .queued_total = 1000,
                               .queued_spare_bytes = 100};

class Steps {
 public:
  explicit Steps(Bytes bytes) : rest_(bytes) {}
  bool done() const { return rest_.empty(); }
  uint8_t byte() {
    if (rest_.empty()) return 0;
    const uint8_t first = rest_[0];
    rest_ = rest_.subspan(1);
    return first;
  }
  Bytes take(size_t count) {
    const Bytes out = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(out.size());
    return out;
  }
  std::string name() { return std::string(1 + byte() % 5, char('a' + byte() % 3)); }

 private:
  Bytes rest_;
};

Message message(Steps& steps) {
  switch (steps.byte() % 8) {
    case 0:
      return Connect{steps.name(), steps.name()};
    case 1:
      return Subscribe{steps.name()};
    case 2:
      return Unsubscribe{steps.name()};
    case 3:
      return Advertise{steps.name()};
    case 4:
      return Unadvertise{steps.name()};
    case 5:
      return Call{steps.byte(), steps.name(), Json(std::string(steps.byte(), 'x'))};
    case 6:
      return Reply{steps.byte(), Json(std::string(steps.byte(), 'x'))};
    default:
      return Ping{steps.byte()};
  }
}

void step(CoreTalk& talk, SessionId& session, Steps& steps, uint8_t what) {
  switch (what % 8) {
    case 0:
    case 1:
      return talk.say(session, message(steps));
    case 2:
      return talk.publish(session, steps.name(), steps.byte());
    case 3: {  // any frame
      auto bytes = begin_frame(FrameType(steps.byte()), 0);
      const Bytes body = steps.take(steps.byte());
      bytes.insert(bytes.end(), body.begin(), body.end());
      return talk.say(session, seal(std::move(bytes)));
    }
    case 4:
      for (const auto& words : talk.hear(session)) {
        if (words == "?" || words == "a broken stream") std::abort();
      }
      return;
    case 5:
      talk.core.on_gone(talk.now, session, "gone");
      session = talk.open();
      return;
    case 6:
      return talk.pass(std::chrono::milliseconds(100) * steps.byte());
    default:
      return talk.core.on_bad_frame(talk.now, session, FrameError(steps.byte() % 5));
  }
}

void check(const CoreTalk& talk) {
  const RelayStats& stats = talk.core.stats();
  if (stats.sessions + stats.pending > talk.core.sessions()) std::abort();
  if (stats.subscriptions > small.subscriptions_total || stats.procedures > small.procedures_total) std::abort();
  if (stats.calls > small.calls_total) std::abort();
  // A last word may come on top, and of each session what QUIC has half taken.
  if (stats.queued_bytes > small.queued_total + 4 * (small.queued_spare_bytes + small.frame_bytes)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  CoreTalk talk({.name = "r", .limits = small});
  std::array<SessionId, 3> sessions = {talk.open(), talk.open(), talk.open()};
  for (Steps steps(Bytes(data, size)); !steps.done();) {
    const uint8_t what = steps.byte();
    step(talk, sessions[what / 8 % sessions.size()], steps, what);
    talk.core.take_touched();
    talk.core.take_events();
    check(talk);
  }
  talk.core.shutdown(talk.now, "end");
  for (const SessionId id : sessions) talk.core.on_gone(talk.now, id, "end");
  const RelayStats& stats = talk.core.stats();
  if (talk.core.sessions() + stats.sessions + stats.pending + stats.subscriptions + stats.procedures != 0) std::abort();
  if (stats.calls + stats.queued_bytes != 0) std::abort();
  return 0;
}

}  // namespace distlab::mesh
