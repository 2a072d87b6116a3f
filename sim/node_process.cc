#include "sim/node_process.h"

#include <algorithm>
#include <utility>

#include "models/dist/flags.h"
#include "models/host/event_kinds.h"
#include "sim/ns3_time.h"

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

}  // namespace

NodeProcess::NodeProcess(const scenario::Scenario& scenario, std::string key, Network& network, uint64_t seed,
                         std::set<std::string> quiet_kinds, Ns3Host::Recorder recorder,
                         std::vector<scenario::Action> actions)
    : scenario_(scenario),
      config_(scenario.nodes.at(key)),
      key_(std::move(key)),
      network_(network),
      seed_(seed),
      quiet_kinds_(std::move(quiet_kinds)),
      recorder_(std::move(recorder)),
      actions_(std::move(actions)) {}

NodeProcess::~NodeProcess() {
  driver_.reset();
  node_.reset();
}

void NodeProcess::start() {
  if (alive()) return;
  // Every life draws differently, as every real process would.
  const uint32_t life = lives_++;
  host_ = std::make_unique<Ns3Host>(
      network_, key_, config_.host(),
      Ns3Host::Options{.seed = seed_ + life * 0x9e3779b97f4a7c15ULL, .quiet_kinds = quiet_kinds_}, recorder_);
  record(kinds::process_started);
  host_->start_timer(scenario::boot_time(scenario_, key_, seed_, life), [this] { boot(); });
}

void NodeProcess::boot() {
  node_ = std::make_unique<node::Node>(*host_, config_of(scenario_, config_), [this](tl::expected<void, NetError> up) {
    if (up) {
      run_workload();
    } else {
      host_->record({kinds::log,
                     config_.name,
                     {{"level", "error"}, {"text", "node cannot start: " + std::string(to_string(up.error()))}}});
    }
  });
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
std::optional<workload::Action> NodeProcess::translate(const scenario::Action& action) const {
  const Duration now = host_->now() - run_start;
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
  const std::string peer = action.to.empty() ? "" : scenario_.nodes.at(action.to).name;
  return workload::Action{schedule, what_of(action, peer)};
}

void NodeProcess::kill() {
  if (!alive()) return;
  record(kinds::process_killed);
  driver_.reset();
  node_.reset();
  host_.reset();
}

void NodeProcess::freeze() {
  if (!alive() || host_->frozen()) return;
  record(kinds::process_frozen);
  host_->freeze();
}

void NodeProcess::thaw() {
  if (!alive() || !host_->frozen()) return;
  record(kinds::process_thawed);
  host_->thaw();
}

void NodeProcess::record(std::string_view kind) {
  host_->record({kind, key_, {}});
}

}  // namespace distlab::sim
