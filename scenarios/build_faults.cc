#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "scenarios/builder.h"
#include "scenarios/fields.h"
#include "scenarios/suggest.h"

namespace distlab::scenario {
namespace {

constexpr std::array<std::pair<FaultKind, std::string_view>, 23> fault_kinds{
    {{FaultKind::kill, "kill"},
     {FaultKind::start, "start"},
     {FaultKind::freeze, "freeze"},
     {FaultKind::thaw, "thaw"},
     {FaultKind::shutdown, "shutdown"},
     {FaultKind::wedge, "wedge"},
     {FaultKind::unwedge, "unwedge"},
     {FaultKind::kill_client, "kill_client"},
     {FaultKind::start_client, "start_client"},
     {FaultKind::tunnel_message, "tunnel_message"},
     {FaultKind::down, "down"},
     {FaultKind::black_hole, "black_hole"},
     {FaultKind::up, "up"},
     {FaultKind::hold, "hold"},
     {FaultKind::release, "release"},
     {FaultKind::set_delay, "delay"},
     {FaultKind::set_jitter, "jitter"},
     {FaultKind::set_loss, "loss"},
     {FaultKind::set_rate, "rate"},
     {FaultKind::set_duplicate, "duplicate"},
     {FaultKind::set_reorder, "reorder"},
     {FaultKind::partition, "partition"},
     {FaultKind::heal, "heal"}}};

std::optional<FaultKind> fault_kind(std::string_view name) {
  if (name == "one_way") return FaultKind::black_hole;
  for (const auto& [kind, spelling] : fault_kinds)
    if (spelling == name) return kind;
  return std::nullopt;
}

bool is_on_process(FaultKind kind) {
  return kind < FaultKind::tunnel_message;
}
bool is_on_relay(FaultKind kind) {
  return kind == FaultKind::shutdown || kind == FaultKind::wedge || kind == FaultKind::unwedge;
}
bool is_on_client(FaultKind kind) {
  return kind == FaultKind::kill_client || kind == FaultKind::start_client;
}

constexpr std::array<std::string_view, 5> harms{"drop", "duplicate", "swap", "replay", "corrupt"};

std::string join(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : std::string(separator)) + word;
  return text;
}

}  // namespace

std::string_view to_string(FaultKind kind) {
  for (const auto& [one, name] : fault_kinds)
    if (one == kind) return name;
  return "";
}

std::string_view to_string(MessageHarm harm) {
  return harms[static_cast<size_t>(harm)];
}

std::string LinkTarget::text() const {
  if (kind == LinkKind::path) {
    if (outwards && inwards) return a + "-" + b;
    return outwards ? a + " -> " + b : b + " -> " + a;
  }
  if (outwards && inwards) return a;
  return a + (outwards ? " (out)" : " (in)");
}

std::string Fault::subject() const {
  if (link) return link->text();
  if (!process.empty()) return process;
  if (message) return message->from + " -> " + message->to;
  std::vector<std::string> sides;
  for (const auto& group : groups) sides.push_back(join(group, " "));
  return join(sides, "|");
}

void Builder::build_fault(const Value& map, size_t entry) {
  const Member* verb = nullptr;
  for (const Member& member : map.members)
    if (fault_kind(member.key)) {
      if (verb != nullptr) return;  // the checker says so
      verb = &member;
    }
  if (verb == nullptr) return;
  Fault fault;
  fault.kind = *fault_kind(verb->key);
  fault.place = map.mark.place();
  fault.id = text_field(map, "id", fmt::format("{}-{}", verb->key, entry + 1));
  if (!fault_ids_.insert(fault.id).second)
    report_.add((map.get("id") != nullptr ? *map.get("id") : map).mark,
                fmt::format("two faults have the id '{}'", fault.id));
  fault.at = time_field(map, "at").value_or(TimeRange{});
  check_time(map, "at");
  fault.lasts = time_field(map, "for");
  if (fault.lasts && fault.lasts->low.count() == 0) report_.add(map.get("for")->mark, "'for' must be more than 0");
  if (is_on_process(fault.kind)) {
    fault_on_process(verb->value, fault);
  } else if (fault.kind == FaultKind::tunnel_message) {
    fault_on_message(map, verb->value, fault);
  } else if (fault.kind == FaultKind::partition) {
    fault_partition(verb->value, fault);
  } else if (fault.kind != FaultKind::heal) {
    fault_on_link(map, verb->value, fault);
  }
  out_.faults.push_back(std::move(fault));
}

void Builder::fault_on_process(const Value& target, Fault& fault) {
  if (!target.is_scalar()) return;
  if (is_on_relay(fault.kind)) {
    if (!known_relay(target)) return;
  } else if (is_on_client(fault.kind)) {
    if (!known_node(target)) return;
    if (out_.nodes.at(target.text).carrier != CarrierKind::relay)
      report_.add(target.mark, fmt::format("'{}' has no mesh client: its carrier is not 'relay'", target.text));
  } else if (!known_process(target)) {
    return;
  }
  fault.process = target.text;
}

void Builder::fault_on_message(const Value& map, const Value& target, Fault& fault) {
  if (!target.is_scalar()) return;
  const std::vector<Pair> pairs = pairs_of(target);
  if (pairs.empty()) return;
  if (pairs.size() > 1) {
    report_.add(target.mark, "one message has one sender and one receiver, 'a -> b'");
    return;
  }
  TunnelMessage message{pairs[0].first, pairs[0].second, MessageHarm::drop, 1};
  if (out_.nodes.at(message.from).carrier != CarrierKind::relay)
    report_.add(target.mark, fmt::format("'{}' has no tunnels: its carrier is not 'relay'", message.from));
  const auto harm = std::find(harms.begin(), harms.end(), text_field(map, "harm"));
  if (harm != harms.end()) message.harm = static_cast<MessageHarm>(harm - harms.begin());
  message.nth = integer_field<uint64_t>(map, "nth", 1, 1'000'000'000).value_or(1);
  fault.message = message;
}

void Builder::fault_on_link(const Value& map, const Value& target, Fault& fault) {
  fault.duration_value = duration_field(map, "to").value_or(Duration{0});
  fault.ratio_value = ratio_field(map, "to").value_or(0);
  fault.rate_value = field<uint64_t>(map, "to", parse_rate).value_or(0);
  const auto text = target.is_scalar() ? parse_link(target.text) : std::nullopt;
  if (!text) return;
  LinkTarget link;
  if (!text->right.empty()) {
    link = path_target(target, *text);
  } else if (out_.nodes.count(text->left) != 0 || out_.relays.count(text->left) != 0) {
    link.kind = LinkKind::access;
    link.a = text->left;
  } else {
    link.a = text->left;
    std::vector<std::string> known = site_names();
    for (const auto& [key, site] : process_sites()) known.push_back(key);
    if (out_.sites.count(text->left) == 0)
      report_.add(target.mark, fmt::format("no site or node '{}'{}", text->left, did_you_mean(text->left, known)));
  }
  const Value* direction = scalar_of(map, "direction");
  if (direction != nullptr && text->one_way)
    report_.add(direction->mark, fmt::format("'{}' has a direction already", target.text));
  if (direction != nullptr && direction->text == "out") link.inwards = false;
  if (direction != nullptr && direction->text == "in") link.outwards = false;
  fault.link = link;
}

LinkTarget Builder::path_target(const Value& at, const LinkText& text) {
  LinkTarget link;
  link.kind = LinkKind::path;
  link.a = site_for(at, text.left);
  link.b = site_for(at, text.right);
  link.inwards = !text.one_way;
  if (!link.a.empty() && link.a == link.b)
    report_.add(at.mark, fmt::format("there is no path inside the site '{}'", link.a));
  return link;
}

std::map<std::string, std::string> Builder::process_sites() const {
  std::map<std::string, std::string> sites;
  for (const auto& [key, relay] : out_.relays) sites.emplace(key, relay.site);
  for (const auto& [key, node] : out_.nodes) sites.emplace(key, node.site);
  return sites;
}

// A site as it is; a node or relay stands for its site if it has no neighbours there, who would
// suffer unnamed.
std::string Builder::site_for(const Value& at, const std::string& name) {
  if (out_.sites.count(name) != 0) return name;
  const auto sites = process_sites();
  const auto process = sites.find(name);
  if (process == sites.end()) {
    std::vector<std::string> known = site_names();
    for (const auto& [key, site] : sites) known.push_back(key);
    report_.add(at.mark, fmt::format("no site or node '{}'{}", name, did_you_mean(name, known)));
    return "";
  }
  for (const auto& [key, site] : sites)
    if (key != name && site == process->second) {
      report_.add(at.mark, fmt::format("'{}' is not alone on its site; name the site '{}' if you mean '{}' too", name,
                                       site, key));
      break;
    }
  return process->second;
}

void Builder::fault_partition(const Value& groups, Fault& fault) {
  std::set<std::string> seen;
  for (const Value& names : groups.items) {
    if (!names.is_list()) continue;
    std::vector<std::string> sites = partition_group(names);
    for (const std::string& site : sites)
      if (!seen.insert(site).second) report_.add(names.mark, fmt::format("site '{}' is in two groups", site));
    fault.groups.push_back(std::move(sites));
  }
}

// The sites of a group. A site named by its nodes must have all of them in the group.
std::vector<std::string> Builder::partition_group(const Value& names) {
  const auto all = process_sites();
  std::set<std::string> members, sites;
  for (const Value& name : names.items) members.insert(name.text);
  for (const Value& name : names.items) {
    const auto process = all.find(name.text);
    if (process == all.end()) {
      if (!name.text.empty()) sites.insert(site_for(name, name.text));
      continue;
    }
    for (const auto& [key, site] : all)
      if (site == process->second && members.count(key) == 0 && members.count(site) == 0) {
        report_.add(name.mark, fmt::format("'{}' shares the site '{}' with '{}', which is not in this group", name.text,
                                           site, key));
        break;
      }
    sites.insert(process->second);
  }
  sites.erase("");
  return {sites.begin(), sites.end()};
}

}  // namespace distlab::scenario
