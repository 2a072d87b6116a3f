// What of a scenario the kernel of the live ground cannot do.
#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "real/ground/live.h"

namespace distlab::ground {
namespace {

using scenario::FaultKind;
using scenario::LinkProperties;

// Pairs of sites are links of their own, so their number grows with the square of that of the sites.
constexpr size_t max_sites = 40;
// A site's `lan` has this delay unless it says otherwise (scenarios/build_topology.cc); the kernel's own
// links have about as much.
constexpr Duration kernels_own_delay = std::chrono::microseconds{50};

std::string time_text(Duration time) {
  return fmt::format("{:g}ms", to_seconds(time) * 1000);
}

void add_wishes(const std::string& where, const LinkProperties& link, std::vector<std::string>& out) {
  if (link.delay > kernels_own_delay) out.push_back(fmt::format("{}.delay: {}", where, time_text(link.delay)));
  if (link.jitter > Duration::zero()) out.push_back(fmt::format("{}.jitter: {}", where, time_text(link.jitter)));
  if (link.loss > 0) out.push_back(fmt::format("{}.loss: {:g}%", where, link.loss * 100));
  if (link.duplicate > 0) out.push_back(fmt::format("{}.duplicate: {:g}%", where, link.duplicate * 100));
  if (link.reorder > 0) out.push_back(fmt::format("{}.reorder: {:g}%", where, link.reorder * 100));
}

bool needs_netem(FaultKind kind) {
  return kind == FaultKind::set_delay || kind == FaultKind::set_jitter || kind == FaultKind::set_loss ||
         kind == FaultKind::set_duplicate || kind == FaultKind::set_reorder;
}

std::string place_of(const scenario::Fault& fault) {
  return fmt::format("{}:{}: the fault '{}' of {}", fault.place.file, fault.place.line, scenario::to_string(fault.kind),
                     fault.subject());
}

bool some_pair_takes_the_default(const scenario::Scenario& scenario) {
  std::set<std::pair<std::string, std::string>> named;
  for (const scenario::Path& path : scenario.paths) named.emplace(path.from, path.to);
  return named.size() < scenario.sites.size() * (scenario.sites.size() - 1);
}

// All that only netem can do.
std::vector<std::string> netem_wishes(const scenario::Scenario& scenario) {
  std::vector<std::string> out;
  for (const auto& [name, site] : scenario.sites) {
    add_wishes(fmt::format("sites.{}.uplink", name), site.uplink, out);
    add_wishes(fmt::format("sites.{}.lan", name), site.lan, out);
  }
  if (some_pair_takes_the_default(scenario)) add_wishes("default_path", scenario.default_path, out);
  for (const scenario::Path& path : scenario.paths)
    add_wishes(fmt::format("paths.'{} -> {}'", path.from, path.to), path.properties, out);
  for (const scenario::Fault& fault : scenario.faults)
    if (needs_netem(fault.kind)) out.push_back(place_of(fault));
  return out;
}

bool uses_rates(const scenario::Scenario& scenario) {
  const auto has_rate = [](const LinkProperties& link) { return link.rate_bps > 0; };
  const bool sites = std::any_of(scenario.sites.begin(), scenario.sites.end(), [&](const auto& site) {
    return has_rate(site.second.uplink) || has_rate(site.second.lan);
  });
  const bool paths = std::any_of(scenario.paths.begin(), scenario.paths.end(),
                                 [&](const scenario::Path& path) { return has_rate(path.properties); });
  const bool faults = std::any_of(scenario.faults.begin(), scenario.faults.end(), [](const scenario::Fault& fault) {
    return fault.kind == FaultKind::set_rate || fault.kind == FaultKind::hold;
  });
  return sites || paths || faults || (some_pair_takes_the_default(scenario) && has_rate(scenario.default_path));
}

bool uses_drops(const scenario::Scenario& scenario) {
  return std::any_of(scenario.faults.begin(), scenario.faults.end(), [](const scenario::Fault& fault) {
    return fault.kind == FaultKind::down || fault.kind == FaultKind::black_hole || fault.kind == FaultKind::partition;
  });
}

void need(const lab::Capability& capability, std::string_view for_what, std::vector<std::string>& out) {
  if (!capability.available)
    out.push_back(fmt::format("{} needs {}: {}", for_what, capability.name, capability.reason));
}

}  // namespace

std::vector<std::string> live_omissions(const scenario::Scenario& scenario) {
  return netem_wishes(scenario);
}

std::vector<std::string> live_obstacles(const scenario::Scenario& scenario, const LiveOptions& options,
                                        const lab::Capabilities& capabilities) {
  std::vector<std::string> out;
  if (!capabilities.lab.available) {
    out.push_back(fmt::format("the live ground needs namespaces: {}", capabilities.lab.reason));
    return out;
  }
  need(capabilities.veth, "the live ground", out);
  if (uses_rates(scenario)) need(capabilities.tbf, "a rate or a hold", out);
  if (uses_drops(scenario)) need(capabilities.nft, "a cut link or a partition", out);
  if (const auto wishes = netem_wishes(scenario);
      !options.without_netem && !capabilities.netem.available && !wishes.empty()) {
    std::string text = fmt::format("it needs netem ({}) for", capabilities.netem.reason);
    for (const std::string& wish : wishes) text += "\n  " + wish;
    out.push_back(std::move(text));
  }
  if (scenario.sites.size() > max_sites) {
    out.push_back(
        fmt::format("{} sites: the live ground makes a link for every pair of them, and {} sites at most; "
                    "the emu ground has no such limit",
                    scenario.sites.size(), max_sites));
  }
  return out;
}

}  // namespace distlab::ground
