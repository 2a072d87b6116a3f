#include "models/mesh/ingress.h"

#include <algorithm>
#include <cassert>

namespace distlab::mesh {
namespace {

using namespace std::chrono_literals;

constexpr Duration burst = 1s;

// The time that `count` units take at `rate` per second.
Duration time_for(uint64_t count, uint64_t rate) {
  return Duration(int64_t(count * 1'000'000'000 / rate));  // count is bounded by the frame size
}

}  // namespace

void Ingress::open(SessionId id) {
  [[maybe_unused]] const bool fresh = sessions_.try_emplace(id, settings_.frame_bytes).second;
  assert(fresh);
}

void Ingress::close(SessionId id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  if (found->second.in_turn) {
    std::erase(ready_, id);
    throttled_.erase({allowed_at(found->second), id});
    if (in_service_ && in_service_->session == id) in_service_.reset();
  }
  sessions_.erase(found);
}

tl::expected<void, FrameError> Ingress::on_bytes(Time now, SessionId id, Bytes bytes) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return {};
  Session& session = found->second;
  const auto result = session.reader.push(bytes);
  while (auto frame = session.reader.next()) enqueue(session, std::move(*frame));
  put_in_turn(now, id, session);
  update_reading(id, session);
  return result;
}

void Ingress::enqueue(Session& session, Frame frame) const {
  session.waiting += frame.size();
  const bool ahead = settings_.control_first && frame.type() != FrameType::publish;
  (ahead ? session.control : session.plain).push_back(std::move(frame));
}

Frame Ingress::dequeue(Session& session) const {
  auto& queue = session.control.empty() ? session.plain : session.control;
  Frame frame = std::move(queue.front());
  queue.pop_front();
  session.waiting -= frame.size();
  return frame;
}

Time Ingress::allowed_at(const Session& session) const {
  return std::max(session.frames_due, session.bytes_due) - burst;
}

void Ingress::charge(Session& session, Time now, size_t bytes) const {
  const auto spend = [now](Time& due, uint64_t count, uint64_t rate) {
    if (rate > 0) due = std::max(due, now) + time_for(count, rate);
  };
  spend(session.frames_due, 1, settings_.frames_per_second);
  spend(session.bytes_due, bytes, settings_.bytes_per_second);
}

void Ingress::put_in_turn(Time now, SessionId id, Session& session) {
  if (session.in_turn || session.waiting == 0) return;
  session.in_turn = true;
  const Time when = allowed_at(session);
  if (when <= now) {
    ready_.push_back(id);
  } else {
    throttled_.emplace(when, id);
  }
}

void Ingress::update_reading(SessionId id, Session& session) {
  // An unfinished frame does not count: it must be read to its end to leave.
  const bool reading = session.waiting <= (session.reading ? settings_.inbound_bytes : settings_.inbound_bytes / 2);
  if (reading == session.reading) return;
  session.reading = reading;
  changed_.push_back(id);
}

bool Ingress::start_service(Time now) {
  while (!throttled_.empty() && throttled_.begin()->first <= now) {
    ready_.push_back(throttled_.begin()->second);
    throttled_.erase(throttled_.begin());
  }
  if (ready_.empty()) return false;
  const SessionId id = ready_.front();
  ready_.pop_front();
  Session& session = sessions_.at(id);
  in_service_.emplace(Served{id, dequeue(session)});
  done_at_ = now + settings_.service_time;
  charge(session, now, in_service_->frame.size());
  update_reading(id, session);
  return true;
}

std::optional<Ingress::Served> Ingress::next(Time now) {
  if (!in_service_ && !start_service(now)) return {};
  if (done_at_ > now) return {};
  Served served = std::move(*in_service_);
  in_service_.reset();
  Session& session = sessions_.at(served.session);
  session.in_turn = false;  // and behind the others again
  put_in_turn(now, served.session, session);
  if (settings_.service_time > Duration::zero()) start_service(now);
  return served;
}

std::optional<Time> Ingress::next_time() const {
  if (in_service_) return done_at_;
  if (!ready_.empty()) return done_at_;  // the session in service was closed
  if (throttled_.empty()) return {};
  return throttled_.begin()->first;
}

bool Ingress::reading(SessionId id) const {
  const auto found = sessions_.find(id);
  return found == sessions_.end() || found->second.reading;
}

std::vector<SessionId> Ingress::take_changed() {
  return std::exchange(changed_, {});
}

}  // namespace distlab::mesh
