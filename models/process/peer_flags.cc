#include "models/process/peer_flags.h"

#include <string>
#include <variant>

namespace distlab::process {
namespace {

bool can_monitor(const dist::ProcessName& target, dist::Flags flags) {
  if (!(flags & dist::flag::dist_monitor)) return false;
  return std::holds_alternative<dist::Pid>(target) || (flags & dist::flag::dist_monitor_name);
}

}  // namespace

bool fit_to_peer(dist::Message& message, dist::Flags peer_flags) {
  using namespace dist;
  if (const auto* sent = std::get_if<SendSender>(&message.control)) {
    if (!(peer_flags & flag::send_sender)) message.control = Send{Pid(sent->to)};
    return true;
  }
  if (const auto* monitor = std::get_if<MonitorP>(&message.control)) return can_monitor(monitor->to, peer_flags);
  if (const auto* monitor = std::get_if<DemonitorP>(&message.control)) return can_monitor(monitor->to, peer_flags);
  if (std::holds_alternative<SpawnRequest>(message.control)) return (peer_flags & flag::spawn) != 0;
  if (std::holds_alternative<AliasSend>(message.control)) return (peer_flags & flag::alias) != 0;
  if (std::holds_alternative<UnlinkId>(message.control)) return (peer_flags & flag::unlink_id) != 0;
  return true;
}

}  // namespace distlab::process
