// What a daemon's configuration says, as the models want it.
#pragma once

#include "models/mesh/membership.h"
#include "models/mesh/relay_settings.h"
#include "models/node/node.h"
#include "models/tunnel/settings.h"
#include "real/daemon/config.h"

namespace distlab::daemon {

mesh::RelaySettings relay_settings(const RelayConfig& config);            // without credentials and reset key
mesh::MembershipSettings membership_settings(const AgentConfig& config);  // without credentials
tunnel::TunnelSettings tunnel_settings(const AgentConfig& config);
node::NodeConfig node_config(const AgentConfig& config);  // without the carrier `relay`

}  // namespace distlab::daemon
