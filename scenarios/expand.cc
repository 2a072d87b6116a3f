// What a seed decides. Every draw has a name, and is SplitMix64 over a hash of the seed and the name
// (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "scenarios/scenario.h"

namespace distlab::scenario {
namespace {

class Draws {
 public:
  Draws(uint64_t seed, std::string_view name) : state_(seed) {
    state_ = next();  // so that neighbouring seeds are far apart before the name comes in
    for (const char c : name) state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;  // FNV-1a
  }

  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  // Uniform in [0, bound), bound > 0: draws in the last, incomplete round are thrown away.
  uint64_t below(uint64_t bound) {
    const uint64_t rest = (UINT64_MAX % bound + 1) % bound;
    uint64_t draw = next();
    while (rest != 0 && draw > UINT64_MAX - rest) draw = next();
    return draw % bound;
  }

  Duration within(const TimeRange& range) {
    const auto width = static_cast<uint64_t>((range.high - range.low).count());
    return range.low + Duration{static_cast<int64_t>(below(width + 1))};
  }

 private:
  uint64_t state_;
};

Duration draw(const TimeRange& range, uint64_t seed, const std::string& name) {
  return range.low == range.high ? range.low : Draws(seed, name).within(range);
}

// An action with its time settled. Actions that differ in their nodes differ in their draws.
Action settled(Action action, uint64_t seed) {
  const Duration at = draw(action.at, seed, fmt::format("workload.{}/{}->{}", action.entry, action.from, action.to));
  action.at = {at, at};
  return action;
}

// Stands for the whole list in the names of its draws.
uint64_t fingerprint(const std::vector<PeerGroup>& groups) {
  std::string text;
  for (const PeerGroup& group : groups) {
    text += group.shape == PeerGroup::Shape::ring ? "ring" : fmt::format("random {}", group.count);
    for (const std::string& node : group.nodes) text += " " + node;
    text += ";";
  }
  return Draws(0, text).next();
}

using Peers = std::map<std::string, std::vector<std::string>>;  // of each node, in the order of the groups

// The first `count` of a shuffle of those that are not the node's peers yet (Fisher and Yates).
void add_random(const PeerGroup& group, const std::string& node, Draws draws, std::vector<std::string>& peers) {
  std::vector<std::string> others;
  for (const std::string& other : group.nodes)
    if (other != node && std::find(peers.begin(), peers.end(), other) == peers.end()) others.push_back(other);
  for (size_t i = 0; i < group.count && i < others.size(); ++i) {
    std::swap(others[i], others[i + draws.below(others.size() - i)]);
    peers.push_back(others[i]);
  }
}

Peers peers_of(const std::vector<PeerGroup>& groups, uint64_t seed) {
  Peers peers;
  const uint64_t list = fingerprint(groups);
  for (size_t g = 0; g < groups.size(); ++g) {
    const PeerGroup& group = groups[g];
    for (size_t i = 0; i < group.nodes.size(); ++i) {
      const std::string& node = group.nodes[i];
      std::vector<std::string>& mine = peers[node];
      const std::string& next = group.nodes[(i + 1) % group.nodes.size()];
      if (group.shape == PeerGroup::Shape::random_peers)
        add_random(group, node, Draws(seed, fmt::format("peers.{:016x}.{}/{}", list, g, node)), mine);
      else if (std::find(mine.begin(), mine.end(), next) == mine.end())
        mine.push_back(next);
    }
  }
  return peers;
}

void expand_group(const GroupAction& group, uint64_t seed, std::vector<Action>& out) {
  const auto add = [&](const std::string& from, const std::string& to) {
    Action action = group.action;
    action.from = from;
    action.to = to;
    out.push_back(settled(std::move(action), seed));
  };
  for (const auto& [node, peers] : peers_of(group.peers, seed)) {
    if (peers.empty()) continue;
    if (group.all_peers) {
      for (const std::string& peer : peers) add(node, peer);
    } else {
      Draws draws(seed, fmt::format("workload.{}.one_peer/{}", group.action.entry, node));
      add(node, peers[draws.below(peers.size())]);
    }
  }
}

FaultKind undo_of(FaultKind kind) {
  switch (kind) {
    case FaultKind::kill:
    case FaultKind::shutdown:
      return FaultKind::start;
    case FaultKind::wedge:
      return FaultKind::unwedge;
    case FaultKind::kill_client:
      return FaultKind::start_client;
    case FaultKind::freeze:
      return FaultKind::thaw;
    case FaultKind::down:
    case FaultKind::black_hole:
      return FaultKind::up;
    case FaultKind::hold:
      return FaultKind::release;
    case FaultKind::partition:
      return FaultKind::heal;
    default:
      return kind;
  }
}

}  // namespace

std::vector<Action> expand_workload(const Scenario& scenario, uint64_t seed) {
  std::vector<Action> actions;
  for (const Action& action : scenario.workload) actions.push_back(settled(action, seed));
  for (const GroupAction& group : scenario.group_workload) expand_group(group, seed, actions);
  std::stable_sort(actions.begin(), actions.end(), [](const Action& a, const Action& b) { return a.entry < b.entry; });
  return actions;
}

std::vector<FaultStep> expand_faults(const Scenario& scenario, uint64_t seed) {
  std::vector<FaultStep> steps;
  for (size_t i = 0; i < scenario.faults.size(); ++i) {
    const Fault& fault = scenario.faults[i];
    const Duration at = draw(fault.at, seed, fmt::format("faults.{}.at", fault.id));
    steps.push_back({at, i, false, fault.kind});
    if (!fault.lasts) continue;
    steps.push_back(
        {at + draw(*fault.lasts, seed, fmt::format("faults.{}.for", fault.id)), i, true, undo_of(fault.kind)});
  }
  std::stable_sort(steps.begin(), steps.end(), [](const FaultStep& a, const FaultStep& b) { return a.at < b.at; });
  return steps;
}

bool change_property(const FaultStep& step, const Fault& fault, const LinkProperties& original, LinkProperties& now) {
  const auto set = [&](auto LinkProperties::*property, auto value) {
    now.*property = step.undo ? original.*property : value;
    return true;
  };
  switch (step.kind) {
    case FaultKind::set_delay:
      return set(&LinkProperties::delay, fault.duration_value);
    case FaultKind::set_jitter:
      return set(&LinkProperties::jitter, fault.duration_value);
    case FaultKind::set_loss:
      return set(&LinkProperties::loss, fault.ratio_value);
    case FaultKind::set_rate:
      return set(&LinkProperties::rate_bps, fault.rate_value);
    case FaultKind::set_duplicate:
      return set(&LinkProperties::duplicate, fault.ratio_value);
    case FaultKind::set_reorder:
      return set(&LinkProperties::reorder, fault.ratio_value);
    default:
      return false;
  }
}

Duration start_time(const Scenario& scenario, const std::string& process, uint64_t seed) {
  const auto relay = scenario.relays.find(process);
  if (relay != scenario.relays.end()) return draw(relay->second.start, seed, fmt::format("relays.{}.start", process));
  return draw(scenario.nodes.at(process).start, seed, fmt::format("nodes.{}.start", process));
}

Duration boot_time(const Scenario& scenario, const std::string& process, uint64_t seed, uint32_t life) {
  const auto relay = scenario.relays.find(process);
  if (relay != scenario.relays.end())
    return draw(relay->second.boot, seed, fmt::format("relays.{}.boot.{}", process, life));
  return draw(scenario.nodes.at(process).boot, seed, fmt::format("nodes.{}.boot.{}", process, life));
}

}  // namespace distlab::scenario
