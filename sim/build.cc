#include "sim/build.h"

#include <set>
#include <string>

namespace distlab::sim {

LinkProperties to_properties(const scenario::LinkProperties& p) {
  return {p.delay, p.jitter, p.loss, p.rate_bps, p.queue, p.duplicate, p.reorder};
}

void build_network(const scenario::Scenario& scenario, Network& network) {
  build_network(scenario, network,
                [&](const std::string& host, const std::string& site) { network.add_machine(host, site); });
}

void build_network(const scenario::Scenario& scenario, Network& network, const AddMachine& add) {
  network.set_default_path(to_properties(scenario.default_path));
  for (const auto& [name, site] : scenario.sites) {
    network.add_site(name, to_properties(site.uplink), to_properties(site.lan));
  }
  for (const scenario::Path& path : scenario.paths) {
    network.set_path(path.from, path.to, to_properties(path.properties));
  }
  std::set<std::string> machines;
  for (const auto& [key, relay] : scenario.relays) {
    if (machines.insert(relay.host).second) add(relay.host, relay.site);
  }
  for (const auto& [key, node] : scenario.nodes) {
    if (machines.insert(node.host()).second) add(node.host(), node.site);
  }
}

}  // namespace distlab::sim
