#include "models/quic/lingering.h"

#include <bit>
#include <utility>

namespace distlab::quic {

void Lingering::add(Time now, Remains remains, std::span<const ConnectionId> ids) {
  purge(now);
  if (remains.linger <= Duration{0} || ids.empty()) return;
  if (entries_.size() == max_entries) drop_first();
  const uint64_t number = first_number_ + entries_.size();
  for (const ConnectionId& id : ids) numbers_[id] = number;
  const Time until = now + remains.linger;
  entries_.push_back({std::move(remains), until, {ids.begin(), ids.end()}, 0});
}

Lingering::Found Lingering::packet_for(Time now, const ConnectionId& id) {
  const auto found = numbers_.find(id);
  if (found == numbers_.end()) return {};
  Entry& entry = entries_[found->second - first_number_];
  if (entry.until <= now) return {};
  // Ever rarer: the first packet, the second, the fourth, ... (RFC 9000 section 10.2.1).
  const bool answer = !entry.remains.close_packet.empty() && std::has_single_bit(++entry.packets);
  return {true, answer ? &entry.remains : nullptr};
}

void Lingering::purge(Time now) {
  while (!entries_.empty() && entries_.front().until <= now) drop_first();
}

void Lingering::drop_first() {
  for (const ConnectionId& id : entries_.front().ids) {
    const auto found = numbers_.find(id);
    if (found != numbers_.end() && found->second == first_number_) numbers_.erase(found);
  }
  entries_.pop_front();
  ++first_number_;
}

}  // namespace distlab::quic
