#include "models/tunnel/message_faults.h"

#include <utility>

namespace distlab::tunnel {

void MessageFaults::add(const std::string& peer, Harm harm, uint64_t nth) {
  if (nth > 0) peers_[peer].pending.push_back({harm, nth});
}

void MessageFaults::pass(const std::string& peer, Message message, const Send& send) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return send(message);
  Peer& state = found->second;
  const std::vector<Message> held = std::exchange(state.held, {});
  int copies = 1;
  for (Pending& one : state.pending) {
    if (--one.left > 0) continue;
    if (one.harm == Harm::drop) copies = 0;
    if (one.harm == Harm::duplicate) copies = 2;
    if (one.harm == Harm::corrupt && !message.empty()) message.back() ^= 1;
    if (one.harm == Harm::swap) {
      copies = 0;
      state.held.push_back(message);
    }
  }
  std::erase_if(state.pending, [](const Pending& one) { return one.left == 0; });
  const bool done = state.pending.empty() && state.held.empty();
  if (done) peers_.erase(found);
  for (int i = 0; i < copies; ++i) send(message);
  for (const Message& late : held) send(late);
}

}  // namespace distlab::tunnel
