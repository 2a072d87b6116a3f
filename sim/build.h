// Builds the network a scenario describes.
#pragma once

#include <functional>
#include <string>

#include "scenarios/scenario.h"
#include "sim/network.h"

namespace distlab::sim {

// Sites, paths, and one machine for every host name among the nodes.
void build_network(const scenario::Scenario& scenario, Network& network);

// The same with `add` called for every machine, which must add it to the network.
using AddMachine = std::function<void(const std::string& host_name, const std::string& site)>;
void build_network(const scenario::Scenario& scenario, Network& network, const AddMachine& add);

}  // namespace distlab::sim
