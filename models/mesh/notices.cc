#include "models/mesh/notices.h"

namespace distlab::mesh {

bool Notices::note(Time now, Sort sort, const Sum& sum) {
  const auto [at, opened] = open_.try_emplace(std::move(sort));
  if (opened) {
    ends_.emplace_back(now + interval, at->first);
    return true;
  }
  at->second.messages += sum.messages;
  at->second.bytes += sum.bytes;
  at->second.remote = sum.remote;
  return false;
}

std::optional<Notices::Told> Notices::due(Time now) {
  while (!ends_.empty() && ends_.front().first <= now) {
    const Sort sort = std::move(ends_.front().second);
    ends_.pop_front();
    const auto found = open_.find(sort);
    if (found == open_.end()) continue;  // its session was forgotten
    if (found->second.messages == 0) {
      open_.erase(found);
      continue;
    }
    ends_.emplace_back(now + interval, sort);
    return Told{sort, std::exchange(found->second, {})};
  }
  return {};
}

std::optional<Time> Notices::next_time() const {
  if (ends_.empty()) return {};
  return ends_.front().first;
}

std::vector<Notices::Told> Notices::forget(SessionId session) {
  std::vector<Told> out;
  auto at = open_.lower_bound(Sort{session, {}, {}});
  while (at != open_.end() && at->first.session == session) {
    if (at->second.messages > 0) out.emplace_back(*at);
    at = open_.erase(at);
  }
  return out;
}

}  // namespace distlab::mesh
