#include "sim/faults.h"

#include <utility>

#include "scenarios/cast/fault_event.h"

namespace distlab::sim {

using scenario::FaultKind;

FaultActuator::FaultActuator(const scenario::Scenario& scenario, Network& network, Processes processes, Record record)
    : scenario_(scenario), links_(scenario, network), processes_(std::move(processes)), record_(std::move(record)) {}

void FaultActuator::apply(const scenario::FaultStep& step) {
  const scenario::Fault& fault = scenario_.faults.at(step.fault);
  record_(cast::fault_event(scenario_, step));
  if (!fault.process.empty()) {
    apply_to_process(step.kind, fault.process);
  } else if (fault.message) {
    const scenario::TunnelMessage& message = *fault.message;
    processes_.nodes.at(message.from)->harm_message(scenario_.nodes.at(message.to).name, message.harm, message.nth);
  } else {
    links_.apply(step);
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

}  // namespace distlab::sim
