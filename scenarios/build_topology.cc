#include <map>
#include <utility>

#include <fmt/format.h>

#include "scenarios/builder.h"
#include "scenarios/fields.h"

namespace distlab::scenario {
namespace {

constexpr Duration lan_delay = std::chrono::microseconds{50};  // a switched office network

}  // namespace

LinkProperties Builder::link_properties(const Value* map, LinkProperties defaults) {
  if (map == nullptr || !map->is_map()) return defaults;
  LinkProperties link = defaults;
  link.delay = duration_field(*map, "delay").value_or(defaults.delay);
  link.jitter = duration_field(*map, "jitter").value_or(defaults.jitter);
  link.loss = ratio_field(*map, "loss").value_or(defaults.loss);
  link.rate_bps = field<uint64_t>(*map, "rate", parse_rate).value_or(defaults.rate_bps);
  link.queue = integer_field<uint32_t>(*map, "queue", 1, 1'000'000).value_or(defaults.queue);
  link.duplicate = ratio_field(*map, "duplicate").value_or(defaults.duplicate);
  link.reorder = ratio_field(*map, "reorder").value_or(defaults.reorder);
  if (link.jitter > link.delay) {
    const Value* jitter = map->get("jitter");
    report_.add(jitter != nullptr ? jitter->mark : map->mark,
                fmt::format("jitter {} is more than the delay {}: packets would arrive before they are sent",
                            format_duration(link.jitter), format_duration(link.delay)));
  }
  return link;
}

void Builder::build_sites() {
  const Value* sites = root_.get("sites");
  if (sites == nullptr || !sites->is_map()) return;
  if (sites->members.empty()) report_.add(sites->mark, "at least one site is needed");
  if (sites->members.size() > max_sites)
    report_.add(sites->mark, fmt::format("{} sites, and at most {} can be", sites->members.size(), max_sites));
  for (const Member& member : sites->members) {
    Site site;
    LinkProperties lan;
    lan.delay = lan_delay;
    site.uplink = link_properties(member.value.get("uplink"), {});
    site.lan = link_properties(member.value.get("lan"), lan);
    out_.sites.emplace(member.key, site);
  }
}

void Builder::build_paths() {
  out_.default_path = link_properties(root_.get("default_path"), {});
  const Value* paths = root_.get("paths");
  if (paths == nullptr) return;
  // Those for one direction come last, as they win over those for both.
  std::map<Pair, bool> seen;
  for (const bool one_way : {false, true})
    for (const Member& member : paths->members) {
      const auto text = parse_link(member.key);
      if (text && text->one_way == one_way) build_path(member, seen);
    }
}

// seen: the directions that have a path by now, and whether it is for that direction alone.
void Builder::build_path(const Member& member, std::map<Pair, bool>& seen) {
  const LinkText text = *parse_link(member.key);
  if (text.right.empty() || !check_site_or_node(text.left).empty() || !check_site_or_node(text.right).empty()) return;
  const bool known_left = known_site(make_scalar(text.left, member.mark));
  const bool known_right = known_site(make_scalar(text.right, member.mark));
  if (!known_left || !known_right) return;
  if (text.left == text.right) {
    report_.add(member.mark, fmt::format("a path joins two sites, not '{}' with itself", text.left));
    return;
  }
  const LinkProperties properties = link_properties(&member.value, out_.default_path);
  std::vector<Pair> directions{{text.left, text.right}};
  if (!text.one_way) directions.emplace_back(text.right, text.left);
  for (const Pair& direction : directions) {
    const auto earlier = seen.find(direction);
    if (earlier != seen.end() && earlier->second == text.one_way) {
      report_.add(member.mark, fmt::format("this path is given twice: '{}'", member.key));
      return;
    }
    if (earlier != seen.end())
      std::erase_if(out_.paths, [&](const Path& p) { return p.from == direction.first && p.to == direction.second; });
    seen[direction] = text.one_way;
    out_.paths.push_back({direction.first, direction.second, properties});
  }
}

void Builder::build_nodes() {
  const Value* nodes = root_.get("nodes");
  if (nodes == nullptr || !nodes->is_map()) return;
  if (nodes->members.empty()) report_.add(nodes->mark, "at least one node is needed");
  for (const Member& member : nodes->members) {
    if (out_.sites.count(member.key) != 0)
      report_.add(member.mark, fmt::format("'{}' is a site too; faults could not tell them apart", member.key));
    if (out_.relays.count(member.key) != 0)
      report_.add(member.mark, fmt::format("'{}' is a relay too; faults could not tell them apart", member.key));
    const Value map = with_defaults(member.value, "node_defaults");
    out_.nodes.emplace(member.key, build_node(member.key, map, member.mark));
    nodes_.push_back(member.key);
  }
  std::sort(nodes_.begin(), nodes_.end(), natural_less);
  for (const Member& member : nodes->members) {
    const Value* cookies = member.value.get("cookies");
    if (cookies == nullptr) continue;
    for (const Member& peer : cookies->members) known_node(make_scalar(peer.key, peer.mark));
  }
  check_machines();
}

Node Builder::build_node(const std::string& key, const Value& map, const Mark& mark) {
  Node node;
  node.site = text_field(map, "site");
  node.name = text_field(map, "name", fmt::format("{}@{}.example", key, key));
  node.cookie = text_field(map, "cookie", "distlab");
  if (const Value* cookies = map.get("cookies"))
    for (const Member& peer : cookies->members) node.cookies[peer.key] = peer.value.text;
  if (text_field(map, "carrier") == "relay") node.carrier = CarrierKind::relay;
  if (text_field(map, "implementation") == "beam") node.implementation = Implementation::beam;
  if (text_field(map, "implementation") == "macula") node.implementation = Implementation::macula;
  node.membership = membership(map, mark, node);
  node.epmd_port = integer_field<uint16_t>(map, "epmd_port", 1, 65535).value_or(node.epmd_port);
  node.listen_port = integer_field<uint16_t>(map, "listen_port", 0, 65535).value_or(node.listen_port);
  node.net_ticktime = duration_field(map, "net_ticktime").value_or(node.net_ticktime);
  node.net_tickintensity = integer_field<uint32_t>(map, "net_tickintensity", 4, 1000).value_or(node.net_tickintensity);
  node.net_setuptime = duration_field(map, "net_setuptime").value_or(node.net_setuptime);
  node.connect_all = boolean_field(map, "connect_all").value_or(node.connect_all);
  node.prevent_overlapping_partitions =
      boolean_field(map, "prevent_overlapping_partitions").value_or(node.prevent_overlapping_partitions);
  node.dist_buf_busy_limit = size_field(map, "dist_buf_busy_limit").value_or(node.dist_buf_busy_limit);
  node.hidden = boolean_field(map, "hidden").value_or(node.hidden);
  if (const Value* flags = map.get("flags"))
    if (const Value* removed = flags->get("remove"))
      for (const Value& flag : removed->items) node.removed_flags.push_back(flag.text);
  node.start = time_field(map, "start").value_or(node.start);
  node.boot = time_field(map, "boot").value_or(node.boot);
  node.autostart = boolean_field(map, "autostart").value_or(node.autostart);
  check_node(map, mark, node);
  return node;
}

void Builder::check_node(const Value& map, const Mark& mark, const Node& node) {
  if (const Value* site = scalar_of(map, "site"))
    known_site(*site);
  else if (map.get("site") == nullptr)
    report_.add(mark, "missing key 'site', here or in 'node_defaults'");
  const auto between = [&](std::string_view key, Duration value, Duration low, Duration high) {
    const Value* given = scalar_of(map, key);
    if (given != nullptr && (value < low || value > high))
      report_.add(given->mark,
                  fmt::format("'{}' must be between {} and {}", key, format_duration(low), format_duration(high)));
  };
  using std::chrono::seconds;
  between("net_ticktime", node.net_ticktime, seconds{1}, seconds{100'000});
  between("net_setuptime", node.net_setuptime, std::chrono::milliseconds{1}, seconds{120});
  if (node.dist_buf_busy_limit == 0 || node.dist_buf_busy_limit > uint64_t{2} << 30)
    report_.add(map.get("dist_buf_busy_limit")->mark, "'dist_buf_busy_limit' must be between 1B and 2GiB");
  check_time(map, "start");
  check_implementation(map, mark, node);
}

void Builder::check_implementation(const Value& map, const Mark& mark, const Node& node) {
  if (node.implementation == Implementation::native) return;
  const Value* given = scalar_of(map, "implementation");
  const Mark& where = given != nullptr ? given->mark : mark;
  if (node.implementation == Implementation::macula && node.carrier != CarrierKind::relay)
    report_.add(where, "implementation 'macula' has the carrier 'relay' only; 'beam' has both");
  if (!node.removed_flags.empty())
    report_.add(where, "a BEAM announces all its distribution flags; 'flags' is for native nodes");
}

std::string_view to_string(Implementation implementation) {
  switch (implementation) {
    case Implementation::native:
      return "native";
    case Implementation::beam:
      return "beam";
    case Implementation::macula:
      return "macula";
  }
  return "";
}

// By host; relays of one machine are on one site.
std::map<std::string, std::string> Builder::relay_hosts() {
  std::map<std::string, std::string> hosts;
  const Value* relays = root_.get("relays");
  if (relays == nullptr || !relays->is_map()) return hosts;
  for (const Member& member : relays->members) {
    const Relay& relay = out_.relays.at(member.key);
    const auto [other, fresh] = hosts.emplace(relay.host, member.key);
    if (!fresh && out_.relays.at(other->second).site != relay.site)
      report_.add(member.mark, fmt::format("'{}' and '{}' share the machine '{}', so they must be on one site",
                                           other->second, member.key, relay.host));
  }
  return hosts;
}

// Nodes with the same host in their names share a machine, perhaps with a relay: it stands in one site,
// and its ports and names are used once.
void Builder::check_machines() {
  // Erlang name and host -> key of the first that has it, a relay first.
  std::map<std::string, std::string> names, hosts = relay_hosts();
  std::map<std::pair<std::string, uint16_t>, std::string> ports;
  for (const Member& member : root_.get("nodes")->members) {
    const Node& node = out_.nodes.at(member.key);
    const Value* name = scalar_of(member.value, "name");
    const Mark mark = name != nullptr ? name->mark : member.mark;
    if (const auto [other, fresh] = names.emplace(node.name, member.key); !fresh) {
      report_.add(mark, fmt::format("'{}' is the name of '{}' already", node.name, other->second));
      continue;
    }
    const auto [other, fresh] = hosts.emplace(node.host(), member.key);
    if (!fresh && site_of(out_, other->second) != node.site)
      report_.add(mark, fmt::format("'{}' and '{}' share the machine '{}', so they must be on one site", other->second,
                                    member.key, node.host()));
    if (node.listen_port == 0) continue;
    if (const auto [user, unused] = ports.emplace(std::make_pair(node.host(), node.listen_port), member.key); !unused)
      report_.add(mark, fmt::format("'{}' and '{}' would listen on the same port of '{}'", user->second, member.key,
                                    node.host()));
  }
  std::map<std::string, size_t> machines;
  for (const auto& [host, key] : hosts) ++machines[site_of(out_, key)];
  const Value* const sites = root_.get("sites");
  if (sites == nullptr) return;
  for (const Member& site : sites->members)
    if (machines[site.key] > max_machines_per_site)
      report_.add(site.mark,
                  fmt::format("site '{}' has {} machines, and at most {} can be in one; spread them over more",
                              site.key, machines[site.key], max_machines_per_site));
}

void Builder::build_pcap() {
  const Value* pcap = root_.get("pcap");
  if (pcap == nullptr) return;
  if (pcap->is_list()) {
    Value nodes = *pcap;
    std::erase_if(nodes.items, [&](const Value& name) {
      const bool relay = out_.relays.count(name.text) != 0;
      if (relay) out_.pcap.push_back(name.text);
      return relay;
    });
    for (std::string& node : nodes_of(nodes)) out_.pcap.push_back(std::move(node));
  } else if (boolean_field(root_, "pcap").value_or(false)) {
    for (const auto& [key, relay] : out_.relays) out_.pcap.push_back(key);
    out_.pcap.insert(out_.pcap.end(), nodes_.begin(), nodes_.end());
  }
}

}  // namespace distlab::scenario
