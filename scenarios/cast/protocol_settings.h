// What a scenario says of relays and of nodes that reach each other through them, as the models want it.
#pragma once

#include <string>
#include <vector>

#include "models/mesh/membership.h"
#include "models/mesh/relay_settings.h"
#include "models/tunnel/settings.h"
#include "scenarios/scenario.h"

namespace distlab::cast {

mesh::RelaySettings relay_settings(const scenario::Relay& relay);  // without credentials
// Without credentials; the relays are those of the node.
mesh::MembershipSettings membership_settings(const scenario::Scenario& scenario, const scenario::Node& node);
tunnel::TunnelSettings tunnel_settings(const scenario::Membership& membership);

// The names of the scenario format that the functions above understand; a test compares them with the
// tables of the format.
std::vector<std::string> known_tunnel_parameters();
std::vector<std::string> known_mesh_parameters();
std::vector<std::string> known_relay_parameters();
std::vector<std::string> known_relay_limits();

}  // namespace distlab::cast
