#include "scenarios/cast/machines.h"

#include <iterator>
#include <map>
#include <set>

namespace distlab::cast {

Ipv4 network_of(const scenario::Scenario& scenario, const std::string& site) {
  const auto index = std::distance(scenario.sites.begin(), scenario.sites.find(site)) + 1;
  return Ipv4{0x0a000000u | static_cast<uint32_t>(index) << 8};
}

std::vector<Machine> machines(const scenario::Scenario& scenario) {
  std::vector<Machine> out;
  std::set<std::string> seen;
  std::map<std::string, uint32_t> counts;
  const auto add = [&](const std::string& name, const std::string& site) {
    if (!seen.insert(name).second) return;
    out.push_back({name, site, Ipv4{network_of(scenario, site).bits | ++counts[site]}});
  };
  for (const auto& [key, relay] : scenario.relays) add(relay.host, relay.site);
  for (const auto& [key, node] : scenario.nodes) add(node.host(), node.site);
  return out;
}

}  // namespace distlab::cast
