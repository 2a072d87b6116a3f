#include "real/daemon/translate.h"

#include "models/dist/flags.h"

// SEAM: scenarios/cast is to have these; until then they are where the simulated ground keeps them, in a
// file without ns-3 that this room's CMake list compiles. Then: include the header, and delete this.
namespace distlab::sim {
mesh::RelaySettings relay_settings(const scenario::Relay& relay);
mesh::MembershipSettings membership_settings(const scenario::Scenario& scenario, const scenario::Node& node);
tunnel::TunnelSettings tunnel_settings(const scenario::Membership& membership);
}  // namespace distlab::sim

namespace distlab::daemon {

namespace translation = distlab::sim;

mesh::RelaySettings relay_settings(const RelayConfig& config) {
  mesh::RelaySettings settings = translation::relay_settings(config.relay());
  settings.name = config.name;
  settings.port = config.listen.port;
  settings.identities = {config.identities.begin(), config.identities.end()};
  return settings;
}

mesh::MembershipSettings membership_settings(const AgentConfig& config) {
  mesh::MembershipSettings settings = translation::membership_settings(config.scenario, config.node());
  settings.client.relays = config.relays;
  return settings;
}

tunnel::TunnelSettings tunnel_settings(const AgentConfig& config) {
  return translation::tunnel_settings(config.node().membership);
}

node::NodeConfig node_config(const AgentConfig& config) {
  const scenario::Node& from = config.node();
  node::NodeConfig out;
  out.net_kernel.name = from.name;
  out.net_kernel.cookie = from.cookie;
  out.net_kernel.net_ticktime = from.net_ticktime;
  out.net_kernel.net_tickintensity = from.net_tickintensity;
  out.net_kernel.net_setuptime = from.net_setuptime;
  out.net_kernel.hidden = from.hidden;
  out.net_kernel.dist_buf_busy_limit = static_cast<size_t>(from.dist_buf_busy_limit);
  for (const std::string& flag : from.removed_flags) {
    if (const auto bit = dist::parse_flag(flag)) out.net_kernel.dropped_flags |= *bit;
  }
  out.services.global_options = {from.connect_all, from.prevent_overlapping_partitions};
  out.tcp.interface = config.listen;
  out.tcp.epmd_port = from.epmd_port;
  out.tcp.port = from.listen_port;
  return out;
}

}  // namespace distlab::daemon
