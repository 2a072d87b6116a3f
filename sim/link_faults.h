// Faults of links and of the wide area, done to the simulated network and undone.
#pragma once

#include <map>

#include "scenarios/scenario.h"
#include "sim/network.h"

namespace distlab::sim {

class LinkFaults {
 public:
  LinkFaults(const scenario::Scenario& scenario, Network& network) : scenario_(scenario), network_(network) {}

  void apply(const scenario::FaultStep& step);  // of a fault of a link, or a partition

 private:
  void apply_to_link(const scenario::FaultStep& step, const scenario::Fault& fault);
  void change(Wire& wire, const scenario::FaultStep& step, const scenario::Fault& fault,
              const LinkProperties& original);
  Duplex wires(const scenario::LinkTarget& target);

  const scenario::Scenario& scenario_;
  Network& network_;
  std::map<Wire*, LinkProperties> original_;  // as the file has them
};

}  // namespace distlab::sim
