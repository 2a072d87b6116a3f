#include "scenarios/cast/fault_event.h"

#include <string>

#include <fmt/format.h>

#include "models/host/event_kinds.h"

namespace distlab::cast {
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

Event fault_event(const scenario::Scenario& scenario, const scenario::FaultStep& step) {
  const scenario::Fault& fault = scenario.faults.at(step.fault);
  return {kinds::fault,
          fault.subject(),
          {{"fault", std::string(scenario::to_string(step.kind))}, {"detail", detail(step, fault)}, {"id", fault.id}}};
}

}  // namespace distlab::cast
