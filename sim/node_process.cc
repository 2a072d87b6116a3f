#include "sim/node_process.h"

#include <algorithm>
#include <utility>

#include "models/dist/flags.h"
#include "models/host/event_kinds.h"
#include "sim/ns3_time.h"
#include "sim/protocol_settings.h"

namespace distlab::sim {
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
  }
  return workload::GlobalSync{};
}

node::NodeConfig config_of(const scenario::Scenario& scenario, const scenario::Node& n) {
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

NodeProcess::NodeProcess(const Surroundings& around, std::string key, const Certificates& certificates,
                         std::vector<scenario::Action> actions)
    : Process(around, std::move(key)),
      config_(around.scenario.nodes.at(Process::key())),
      certificates_(certificates),
      actions_(std::move(actions)) {}

NodeProcess::~NodeProcess() {
  NodeProcess::drop();
}

void NodeProcess::drop() {
  carrier_ = nullptr;
  driver_.reset();
  node_.reset();
  membership_.reset();
}

void NodeProcess::boot() {
  if (config_.carrier == scenario::CarrierKind::relay) join_mesh();
  node_ = std::make_unique<node::Node>(host(), node_config(), [this](tl::expected<void, NetError> up) {
    if (up) {
      run_workload();
    } else {
      log_error("node cannot start: " + std::string(to_string(up.error())));
    }
  });
}

// macula:join_mesh/1
void NodeProcess::join_mesh() {
  mesh::MembershipSettings settings = membership_settings(around().scenario, config_);
  settings.client.credentials = certificates_.trusted();
  settings.client.qlog = [this](const mesh::RelayAddress& relay) { return around().qlog.file(key(), relay.name); };
  membership_ = std::make_unique<mesh::Membership>(host(), std::move(settings));
}

node::NodeConfig NodeProcess::node_config() {
  node::NodeConfig config = config_of(around().scenario, config_);
  if (membership_) {
    config.carrier = [this](Host& on) -> std::unique_ptr<carrier::Carrier> {
      const auto cookie_of = [this](std::string_view peer) { return node_->net_kernel().cookies().of(peer); };
      auto made = std::make_unique<tunnel::RelayCarrier>(on, tunnel_settings(config_.membership), membership_->slot(),
                                                         cookie_of, &message_faults_);
      carrier_ = made.get();
      return made;
    };
  }
  return config;
}

void NodeProcess::finish() {
  if (carrier_ != nullptr) carrier_->record_metrics();
}

void NodeProcess::kill_client() {
  if (membership_) membership_->kill_client("killed");
}

void NodeProcess::start_client() {
  if (membership_) membership_->register_client();
}

void NodeProcess::harm_message(const std::string& peer, scenario::MessageHarm harm, uint64_t nth) {
  message_faults_.add(peer, {.kind = kind_of(harm), .nth = nth});
}

void NodeProcess::run_workload() {
  workload::Options options;
  options.set_cookie = [this](const std::string& peer, const std::string& cookie) { node_->set_cookie(peer, cookie); };
  driver_ = std::make_unique<workload::Driver>(node_->runtime(), node_->services(), std::move(options));
  for (const scenario::Action& planned : actions_) {
    if (auto action = translate(planned)) driver_->add(std::move(*action));
  }
}

// In the driver's time, which begins now. What was due before the node was up is left out; what
// repeats goes on in its old rhythm.
std::optional<workload::Action> NodeProcess::translate(const scenario::Action& action) {
  const Duration now = host().now() - run_start;
  Duration first = action.at.low;
  if (first < now) {
    if (!action.period) return std::nullopt;
    first += (now - first + *action.period - Duration{1}) / *action.period * *action.period;
  }
  workload::Schedule schedule;
  schedule.start = first - now;
  if (action.until) {
    if (*action.until <= now) return std::nullopt;
    schedule.end = *action.until - now;
  }
  schedule.period = action.period;
  schedule.arrival =
      action.arrival == scenario::Arrival::poisson ? workload::Arrival::poisson : workload::Arrival::periodic;
  const std::string peer = action.to.empty() ? "" : around().scenario.nodes.at(action.to).name;
  return workload::Action{schedule, what_of(action, peer)};
}

}  // namespace distlab::sim
