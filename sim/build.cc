#include "sim/build.h"

#include <cassert>

#include "scenarios/cast/machines.h"

namespace distlab::sim {

void build_network(const scenario::Scenario& scenario, Network& network) {
  build_network(scenario, network,
                [&](const std::string& host, const std::string& site) { network.add_machine(host, site); });
}

void build_network(const scenario::Scenario& scenario, Network& network, const AddMachine& add) {
  network.set_default_path(scenario.default_path);
  for (const auto& [name, site] : scenario.sites) network.add_site(name, site.uplink, site.lan);
  for (const scenario::Path& path : scenario.paths) network.set_path(path.from, path.to, path.properties);
  for (const cast::Machine& machine : cast::machines(scenario)) {
    add(machine.name, machine.site);
    assert(network.address(machine.name) == machine.address);
  }
}

}  // namespace distlab::sim
