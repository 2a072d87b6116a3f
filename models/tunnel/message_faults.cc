#include "models/tunnel/message_faults.h"

#include <utility>

namespace distlab::tunnel {
namespace {

void emit_altered(const std::string& topic, Bytes message, const MessageFaults::Emit& emit) {
  std::vector<uint8_t> altered(message.begin(), message.end());
  if (!altered.empty()) altered.back() ^= 1;
  emit(topic, altered);
}

}  // namespace

std::string_view to_string(MessageFaultKind kind) {
  switch (kind) {
    case MessageFaultKind::drop:
      return "drop";
    case MessageFaultKind::duplicate:
      return "duplicate";
    case MessageFaultKind::swap:
      return "swap";
    case MessageFaultKind::replay:
      return "replay";
    case MessageFaultKind::corrupt:
      return "corrupt";
  }
  return "unknown";
}

void MessageFaults::add(const std::string& peer, MessageFault fault) {
  if (fault.nth == 0 || fault.count == 0) return;  // hits nothing
  peers_[peer].faults.push_back({std::move(fault)});
}

// Every fault counts the message; those that are over are forgotten.
std::optional<MessageFault> MessageFaults::hit(Peer& peer, size_t size) {
  std::optional<MessageFault> found;
  for (Pending& pending : peer.faults) {
    if (size < pending.fault.min_size) continue;
    ++pending.seen;
    if (pending.seen >= pending.fault.nth && !found) found = pending.fault;
  }
  std::erase_if(peer.faults, [](const Pending& pending) {
    return pending.seen >= pending.fault.nth && pending.seen - pending.fault.nth >= pending.fault.count - 1;
  });
  return found;
}

void MessageFaults::apply(const std::string& peer, const std::string& topic, Bytes message, const Emit& emit) {
  const auto at = peers_.find(peer);
  if (at == peers_.end()) return emit(topic, message);
  auto held = at->second.held.extract(topic);
  const auto fault = hit(at->second, message.size());
  const auto keep = [&] { at->second.held[topic].emplace_back(message.begin(), message.end()); };
  if (!fault) {
    emit(topic, message);
  } else {
    switch (fault->kind) {
      case MessageFaultKind::drop:
        break;
      case MessageFaultKind::duplicate:
        emit(topic, message);
        emit(topic, message);
        break;
      case MessageFaultKind::swap:
        keep();
        break;
      case MessageFaultKind::replay:
        emit(topic, message);
        keep();
        break;
      case MessageFaultKind::corrupt:
        emit_altered(topic, message, emit);
        break;
    }
  }
  if (!held.empty()) {
    for (const auto& late : held.mapped()) emit(topic, late);
  }
  if (at->second.faults.empty() && at->second.held.empty()) peers_.erase(at);
  if (fault && fault->done) fault->done();
}

}  // namespace distlab::tunnel
