#include "scenarios/cast/parts.h"

#include <set>
#include <utility>

#include <fmt/format.h>

namespace distlab::cast {

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::epmd:
      return "epmd";
    case Kind::relay:
      return "relay";
    case Kind::node:
      return "node";
  }
  return "";
}

std::optional<Kind> parse_kind(std::string_view text) {
  for (const Kind kind : {Kind::epmd, Kind::relay, Kind::node})
    if (text == to_string(kind)) return kind;
  return std::nullopt;
}

std::vector<Part> parts(const scenario::Scenario& scenario, uint64_t seed) {
  std::vector<Part> out;
  std::set<std::pair<std::string, uint16_t>> epmds;
  for (const auto& [key, node] : scenario.nodes)
    if (node.carrier == scenario::CarrierKind::tcp) epmds.emplace(node.host(), node.epmd_port);
  for (const auto& [machine, port] : epmds)
    out.push_back({fmt::format("epmd:{}:{}", machine, port), Kind::epmd, machine, Duration{0}, true, port});
  for (const auto& [key, relay] : scenario.relays)
    out.push_back({key, Kind::relay, relay.host, scenario::start_time(scenario, key, seed), relay.autostart});
  for (const auto& [key, node] : scenario.nodes)
    out.push_back({key, Kind::node, node.host(), scenario::start_time(scenario, key, seed), node.autostart});
  return out;
}

std::map<std::string, std::vector<scenario::Action>> actions(const scenario::Scenario& scenario, uint64_t seed) {
  std::map<std::string, std::vector<scenario::Action>> out;
  for (scenario::Action& action : scenario::expand_workload(scenario, seed)) {
    std::vector<scenario::Action>& mine = out[action.from];
    mine.push_back(std::move(action));
  }
  return out;
}

uint64_t life_seed(uint64_t seed, uint32_t life) {
  return seed + life * 0x9e3779b97f4a7c15ULL;
}

}  // namespace distlab::cast
