#include "sim/link_faults.h"

#include <set>
#include <string>
#include <vector>

namespace distlab::sim {

using scenario::FaultKind;

void LinkFaults::apply(const scenario::FaultStep& step) {
  const scenario::Fault& fault = scenario_.faults.at(step.fault);
  if (fault.link) return apply_to_link(step, fault);
  if (step.kind != FaultKind::partition) return network_.heal();
  std::vector<std::set<std::string>> groups;
  for (const auto& group : fault.groups) groups.emplace_back(group.begin(), group.end());
  network_.partition(groups);
}

void LinkFaults::apply_to_link(const scenario::FaultStep& step, const scenario::Fault& fault) {
  const Duplex both = wires(*fault.link);
  for (Wire* wire : {fault.link->outwards ? both.out : nullptr, fault.link->inwards ? both.in : nullptr}) {
    if (wire == nullptr) continue;
    const auto original = original_.emplace(wire, wire->link().properties()).first;
    change(*wire, step, fault, original->second);
  }
}

void LinkFaults::change(Wire& wire, const scenario::FaultStep& step, const scenario::Fault& fault,
                        const LinkProperties& original) {
  LinkDirection& link = wire.link();
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
    default:
      scenario::change_property(step, fault, original, link.properties());
  }
}

Duplex LinkFaults::wires(const scenario::LinkTarget& target) {
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
