// Does the faults of a scenario to the simulated world, and undoes them.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "scenarios/scenario.h"
#include "sim/link_faults.h"
#include "sim/network.h"
#include "sim/node_process.h"
#include "sim/relay_process.h"

namespace distlab::sim {

class FaultActuator {
 public:
  struct Processes {  // by key
    std::map<std::string, NodeProcess*> nodes;
    std::map<std::string, RelayProcess*> relays;
  };
  using Record = std::function<void(const Event&)>;
  // All must outlive it.
  FaultActuator(const scenario::Scenario& scenario, Network& network, Processes processes, Record record);

  // Records the step as an event `fault`, then does it.
  void apply(const scenario::FaultStep& step);

 private:
  void apply_to_process(scenario::FaultKind kind, const std::string& key);
  void apply_to_relay(scenario::FaultKind kind, RelayProcess& relay);

  const scenario::Scenario& scenario_;
  LinkFaults links_;
  Processes processes_;
  Record record_;
};

}  // namespace distlab::sim
