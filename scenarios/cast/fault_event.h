// What is recorded of a fault, on every ground.
#pragma once

#include "models/host/event.h"
#include "scenarios/scenario.h"

namespace distlab::cast {

// An event `fault` about one step of a fault of the scenario.
Event fault_event(const scenario::Scenario& scenario, const scenario::FaultStep& step);

}  // namespace distlab::cast
