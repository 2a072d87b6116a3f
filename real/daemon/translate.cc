#include "real/daemon/translate.h"

#include "scenarios/cast/node_settings.h"
#include "scenarios/cast/protocol_settings.h"

namespace distlab::daemon {

mesh::RelaySettings relay_settings(const RelayConfig& config) {
  mesh::RelaySettings settings = cast::relay_settings(config.relay());
  settings.name = config.name;
  settings.port = config.listen.port;
  settings.counted_topics = "_dist.data.";  // of tunnels: facts relay-distribution.md section 1.2
  settings.identities = {config.identities.begin(), config.identities.end()};
  return settings;
}

mesh::MembershipSettings membership_settings(const AgentConfig& config) {
  mesh::MembershipSettings settings = cast::membership_settings(config.scenario, config.node());
  settings.client.relays = config.relays;
  return settings;
}

tunnel::TunnelSettings tunnel_settings(const AgentConfig& config) {
  return cast::tunnel_settings(config.node().membership);
}

node::NodeConfig node_config(const AgentConfig& config) {
  node::NodeConfig out = cast::node_config(config.scenario, config.node());
  out.tcp.interface = config.listen;
  return out;
}

}  // namespace distlab::daemon
