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

constexpr std::array<std::pair<FaultKind, std::string_view>, 17> fault_kinds{{{FaultKind::kill, "kill"},
                                                                              {FaultKind::start, "start"},
                                                                              {FaultKind::freeze, "freeze"},
                                                                              {FaultKind::thaw, "thaw"},
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

bool is_on_node(FaultKind kind) {
  return kind == FaultKind::kill || kind == FaultKind::start || kind == FaultKind::freeze || kind == FaultKind::thaw;
}

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
  if (!node.empty()) return node;
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
  if (is_on_node(fault.kind)) {
    fault_on_node(verb->value, fault);
  } else if (fault.kind == FaultKind::partition) {
    fault_partition(verb->value, fault);
  } else if (fault.kind != FaultKind::heal) {
    fault_on_link(map, verb->value, fault);
  }
  out_.faults.push_back(std::move(fault));
}

void Builder::fault_on_node(const Value& target, Fault& fault) {
  if (target.is_scalar() && known_node(target)) fault.node = target.text;
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
  } else if (out_.nodes.count(text->left) != 0) {
    link.kind = LinkKind::access;
    link.a = text->left;
  } else {
    link.a = text->left;
    std::vector<std::string> known = site_names();
    known.insert(known.end(), nodes_.begin(), nodes_.end());
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

// A site as it is; a node stands for its site if it has no neighbours there, who would suffer unnamed.
std::string Builder::site_for(const Value& at, const std::string& name) {
  if (out_.sites.count(name) != 0) return name;
  const auto node = out_.nodes.find(name);
  if (node == out_.nodes.end()) {
    std::vector<std::string> known = site_names();
    known.insert(known.end(), nodes_.begin(), nodes_.end());
    report_.add(at.mark, fmt::format("no site or node '{}'{}", name, did_you_mean(name, known)));
    return "";
  }
  for (const auto& [key, other] : out_.nodes)
    if (key != name && other.site == node->second.site) {
      report_.add(at.mark, fmt::format("'{}' is not alone on its site; name the site '{}' if you mean '{}' too", name,
                                       other.site, key));
      break;
    }
  return node->second.site;
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
  std::set<std::string> members, sites;
  for (const Value& name : names.items) members.insert(name.text);
  for (const Value& name : names.items) {
    const auto node = out_.nodes.find(name.text);
    if (node == out_.nodes.end()) {
      if (!name.text.empty()) sites.insert(site_for(name, name.text));
      continue;
    }
    for (const auto& [key, other] : out_.nodes)
      if (other.site == node->second.site && members.count(key) == 0 && members.count(other.site) == 0) {
        report_.add(name.mark, fmt::format("'{}' shares the site '{}' with '{}', which is not in this group", name.text,
                                           other.site, key));
        break;
      }
    sites.insert(node->second.site);
  }
  sites.erase("");
  return {sites.begin(), sites.end()};
}

}  // namespace distlab::scenario
