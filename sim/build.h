// Builds the network a scenario describes.
#pragma once

#include "scenarios/scenario.h"
#include "sim/network.h"

namespace distlab::sim {

LinkProperties to_properties(const scenario::LinkProperties& properties);

// Sites, paths, and one machine for every host name among the nodes.
void build_network(const scenario::Scenario& scenario, Network& network);

}  // namespace distlab::sim
