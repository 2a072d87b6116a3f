#include "sim/faults.h"

#include <set>
#include <utility>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "models/host/event_kinds.h"

namespace distlab::sim {
namespace {

using scenario::FaultKind;

std::string milliseconds(Duration d) {
  return fmt::format("{:g}ms", to_seconds(d) * 1000);
}

// What a report should say beside the fault's name.
std::string detail(const scenario::FaultStep& step, const scenario::Fault& fault) {
  if (step.undo && step.kind == fault.kind) return "restored";
  switch (step.kind) {
    case FaultKind::set_delay:
    case FaultKind::set_jitter:
      return milliseconds(fault.duration_value);
    case FaultKind::set_loss:
    case FaultKind::set_duplicate:
    case FaultKind::set_reorder:
      return fmt::format("{:g}%", fault.ratio_value * 100);
    case FaultKind::set_rate:
      return fault.rate_value == 0 ? "no limit" : fmt::format("{} bit/s", fault.rate_value);
    case FaultKind::tunnel_message:
      return fmt::format("{} number {}", scenario::to_string(fault.message->harm), fault.message->nth);
    default:
      return "";
  }
}

}  // namespace

FaultActuator::FaultActuator(const scenario::Scenario& scenario, Network& network, Processes processes, Record record)
    : scenario_(scenario), network_(network), processes_(std::move(processes)), record_(std::move(record)) {}

void FaultActuator::apply(const scenario::FaultStep& step) {
  const scenario::Fault& fault = scenario_.faults.at(step.fault);
  record_(
      {kinds::fault,
       fault.subject(),
       {{"fault", std::string(scenario::to_string(step.kind))}, {"detail", detail(step, fault)}, {"id", fault.id}}});
  if (!fault.process.empty()) {
    apply_to_process(step.kind, fault.process);
  } else if (fault.message) {
    const scenario::TunnelMessage& message = *fault.message;
    processes_.nodes.at(message.from)->harm_message(scenario_.nodes.at(message.to).name, message.harm, message.nth);
  } else if (fault.link) {
    apply_to_link(step, fault);
  } else if (step.kind == FaultKind::partition) {
    std::vector<std::set<std::string>> groups;
    for (const auto& group : fault.groups) groups.emplace_back(group.begin(), group.end());
    network_.partition(groups);
  } else {
    network_.heal();
  }
}

void FaultActuator::apply_to_process(FaultKind kind, const std::string& key) {
  const auto node = processes_.nodes.find(key);
  Process& process = node != processes_.nodes.end() ? static_cast<Process&>(*node->second) : *processes_.relays.at(key);
  switch (kind) {
    case FaultKind::kill:
      return process.kill();
    case FaultKind::start:
      return process.start();
    case FaultKind::freeze:
      return process.freeze();
    case FaultKind::thaw:
      return process.thaw();
    case FaultKind::kill_client:
      return node->second->kill_client();
    case FaultKind::start_client:
      return node->second->start_client();
    default:
      return apply_to_relay(kind, *processes_.relays.at(key));
  }
}

void FaultActuator::apply_to_relay(FaultKind kind, RelayProcess& relay) {
  if (kind == FaultKind::shutdown) return relay.shut_down();
  relay.wedge(kind == FaultKind::wedge);
}

void FaultActuator::apply_to_link(const scenario::FaultStep& step, const scenario::Fault& fault) {
  const Duplex both = wires(*fault.link);
  for (Wire* wire : {fault.link->outwards ? both.out : nullptr, fault.link->inwards ? both.in : nullptr}) {
    if (wire == nullptr) continue;
    const auto original = original_.emplace(wire, wire->link().properties()).first;
    change(*wire, step, fault, original->second);
  }
}

void FaultActuator::change(Wire& wire, const scenario::FaultStep& step, const scenario::Fault& fault,
                           const LinkProperties& original) {
  LinkDirection& link = wire.link();
  LinkProperties& now = link.properties();
  switch (step.kind) {
    case FaultKind::down:
      return link.set_down(true);
    case FaultKind::black_hole:
      return link.set_black_hole(true);
    case FaultKind::up:
      link.set_down(false);
      return link.set_black_hole(false);
    case FaultKind::hold:
    case FaultKind::release:
      return wire.set_held(step.kind == FaultKind::hold);
    case FaultKind::set_delay:
      now.delay = step.undo ? original.delay : fault.duration_value;
      return;
    case FaultKind::set_jitter:
      now.jitter = step.undo ? original.jitter : fault.duration_value;
      return;
    case FaultKind::set_loss:
      now.loss = step.undo ? original.loss : fault.ratio_value;
      return;
    case FaultKind::set_rate:
      now.rate_bps = step.undo ? original.rate_bps : fault.rate_value;
      return;
    case FaultKind::set_duplicate:
      now.duplicate = step.undo ? original.duplicate : fault.ratio_value;
      return;
    case FaultKind::set_reorder:
      now.reorder = step.undo ? original.reorder : fault.ratio_value;
      return;
    default:
      return;
  }
}

Duplex FaultActuator::wires(const scenario::LinkTarget& target) {
  switch (target.kind) {
    case scenario::LinkKind::access:
      return network_.access(scenario::host_of(scenario_, target.a));
    case scenario::LinkKind::uplink:
      return network_.uplink(target.a);
    case scenario::LinkKind::path:
      return network_.path(target.a, target.b);
  }
  return {};
}

}  // namespace distlab::sim
