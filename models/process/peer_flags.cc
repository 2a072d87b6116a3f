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
  if (const auto* sent = std::get_if<dist::SendSender>(&message.control)) {
    if (!(peer_flags & dist::flag::send_sender)) message.control = dist::Send{dist::Pid(sent->to)};
    return true;
  }
  if (const auto* monitor = std::get_if<dist::MonitorP>(&message.control)) return can_monitor(monitor->to, peer_flags);
  if (const auto* monitor = std::get_if<dist::DemonitorP>(&message.control))
    return can_monitor(monitor->to, peer_flags);
  if (std::holds_alternative<dist::SpawnRequest>(message.control)) return (peer_flags & dist::flag::spawn) != 0;
  if (std::holds_alternative<dist::AliasSend>(message.control)) return (peer_flags & dist::flag::alias) != 0;
  if (std::holds_alternative<dist::UnlinkId>(message.control)) return (peer_flags & dist::flag::unlink_id) != 0;
  return true;
}

}  // namespace distlab::process
