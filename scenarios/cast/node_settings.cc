#include "scenarios/cast/node_settings.h"

#include <string>

#include "models/dist/flags.h"

namespace distlab::cast {
namespace {

using scenario::ActionKind;

workload::What what_of(const scenario::Action& a, const std::string& peer) {
  const auto payload = static_cast<size_t>(a.payload);
  switch (a.kind) {
    case ActionKind::connect:
      return workload::Connect{peer};
    case ActionKind::disconnect:
      return workload::Disconnect{peer};
    case ActionKind::call:
      return workload::Call{peer, payload, a.timeout};
    case ActionKind::rpc:
      return workload::Rpc{peer, payload, a.timeout};
    case ActionKind::erpc:
      return workload::Erpc{peer, payload, a.timeout};
    case ActionKind::send:
      return workload::Send{peer, payload};
    case ActionKind::bulk:
      return workload::Bulk{peer, payload, a.timeout};
    case ActionKind::pg_join:
      return workload::PgJoin{a.group};
    case ActionKind::pg_leave:
      return workload::PgLeave{a.group};
    case ActionKind::monitor:
      return workload::Monitor{peer};
    case ActionKind::link:
      return workload::Link{peer};
    case ActionKind::spawn:
      return workload::Spawn{peer, a.timeout};
    case ActionKind::global_register:
      return workload::GlobalRegister{a.group};
    case ActionKind::global_sync:
      return workload::GlobalSync{};
    case ActionKind::set_cookie:
      return workload::SetCookie{peer, a.cookie};
    case ActionKind::eval:
      break;  // of BEAM nodes only
  }
  return workload::GlobalSync{};
}

tunnel::MessageFaultKind kind_of(scenario::MessageHarm harm) {
  switch (harm) {
    case scenario::MessageHarm::drop:
      return tunnel::MessageFaultKind::drop;
    case scenario::MessageHarm::duplicate:
      return tunnel::MessageFaultKind::duplicate;
    case scenario::MessageHarm::swap:
      return tunnel::MessageFaultKind::swap;
    case scenario::MessageHarm::replay:
      return tunnel::MessageFaultKind::replay;
    case scenario::MessageHarm::corrupt:
      return tunnel::MessageFaultKind::corrupt;
  }
  return tunnel::MessageFaultKind::drop;
}

}  // namespace

node::NodeConfig node_config(const scenario::Scenario& scenario, const scenario::Node& n) {
  node::NodeConfig out;
  out.net_kernel.name = n.name;
  out.net_kernel.cookie = n.cookie;
  for (const auto& [peer, cookie] : n.cookies) out.net_kernel.peer_cookies[scenario.nodes.at(peer).name] = cookie;
  out.net_kernel.net_ticktime = n.net_ticktime;
  out.net_kernel.net_tickintensity = n.net_tickintensity;
  out.net_kernel.net_setuptime = n.net_setuptime;
  out.net_kernel.hidden = n.hidden;
  out.net_kernel.dist_buf_busy_limit = static_cast<size_t>(n.dist_buf_busy_limit);
  for (const std::string& flag : n.removed_flags) {
    if (const auto bit = dist::parse_flag(flag)) out.net_kernel.dropped_flags |= *bit;
  }
  out.services.global_options = {n.connect_all, n.prevent_overlapping_partitions};
  out.tcp.epmd_port = n.epmd_port;
  out.tcp.port = n.listen_port;
  return out;
}

std::optional<workload::Action> driver_action(const scenario::Scenario& scenario, const scenario::Action& action,
                                              Duration now) {
  if (action.kind == ActionKind::eval) return std::nullopt;  // of BEAM nodes only
  Duration first = action.at.low;
  if (first < now) {
    if (!action.period) return std::nullopt;
    first += (now - first + *action.period - Duration{1}) / *action.period * *action.period;
  }
  workload::Schedule schedule;
  schedule.start = first - now;
  const Duration until = action.until.value_or(scenario.duration);
  if (until <= now) return std::nullopt;
  schedule.end = until - now;
  schedule.period = action.period;
  schedule.arrival =
      action.arrival == scenario::Arrival::poisson ? workload::Arrival::poisson : workload::Arrival::periodic;
  const std::string peer = action.to.empty() ? "" : scenario.nodes.at(action.to).name;
  return workload::Action{schedule, what_of(action, peer)};
}

tunnel::MessageFault message_fault(scenario::MessageHarm harm, uint64_t nth) {
  return {.kind = kind_of(harm), .nth = nth};
}

}  // namespace distlab::cast
