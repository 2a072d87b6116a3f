// What a scenario says of a node and of what it does, as the models want it.
#pragma once

#include <cstdint>
#include <optional>

#include "models/node/node.h"
#include "models/tunnel/message_faults.h"
#include "models/workload/workload.h"
#include "scenarios/scenario.h"

namespace distlab::cast {

node::NodeConfig node_config(const scenario::Scenario& scenario, const scenario::Node& node);  // without carrier

// For a driver that is made `now` (since the begin of the run), from where its times count. What was due before
// is left out (nothing); what repeats goes on in its old rhythm. Nothing, too, for `eval`, which is of BEAM nodes. The
// action's time must be exact.
std::optional<workload::Action> driver_action(const scenario::Scenario& scenario, const scenario::Action& action,
                                              Duration now);

tunnel::MessageFault message_fault(scenario::MessageHarm harm, uint64_t nth);

}  // namespace distlab::cast
