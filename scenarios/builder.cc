#include "scenarios/builder.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "scenarios/edit.h"
#include "scenarios/fields.h"
#include "scenarios/include.h"
#include "scenarios/suggest.h"

namespace distlab::scenario {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The digits at the front, without leading zeros; empty when there are none.
std::string_view digits_of(std::string_view text) {
  size_t end = 0;
  while (end < text.size() && is_digit(text[end])) ++end;
  return text.substr(0, end);
}

}  // namespace

bool natural_less(std::string_view a, std::string_view b) {
  const std::string_view whole_a = a, whole_b = b;
  while (!a.empty() && !b.empty()) {
    if (is_digit(a.front()) && is_digit(b.front())) {
      std::string_view x = digits_of(a), y = digits_of(b);
      a.remove_prefix(x.size());
      b.remove_prefix(y.size());
      while (x.size() > 1 && x.front() == '0') x.remove_prefix(1);
      while (y.size() > 1 && y.front() == '0') y.remove_prefix(1);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
      continue;
    }
    if (a.front() != b.front()) return a.front() < b.front();
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  if (a.empty() != b.empty()) return a.empty();
  return whole_a < whole_b;  // n01 and n1
}

Scenario Builder::build() {
  out_.name = text_field(root_, "name");
  out_.summary = text_field(root_, "summary");
  out_.duration = duration_field(root_, "duration").value_or(Duration{0});
  const Value* duration = scalar_of(root_, "duration");
  if (duration != nullptr && parse_duration(duration->text) && out_.duration < std::chrono::milliseconds{1})
    report_.add(duration->mark, "a run lasts 1ms at least");
  build_sites();
  build_paths();
  build_relays();
  build_nodes();
  build_pcap();
  const auto each = [&](std::string_view key, auto build_one) {
    const Value* list = root_.get(key);
    if (list == nullptr) return;
    for (size_t i = 0; i < list->items.size() && !report_.full(); ++i)
      if (list->items[i].is_map()) build_one(list->items[i], i);
  };
  each("workload", [&](const Value& map, size_t i) { build_action(map, i); });
  each("faults", [&](const Value& map, size_t i) { build_fault(map, i); });
  each("expect", [&](const Value& map, size_t /*i*/) { build_expectation(map); });
  build_compare();
  return std::move(out_);
}

std::vector<std::string> Builder::site_names() const {
  std::vector<std::string> names;
  for (const auto& [name, site] : out_.sites) names.push_back(name);
  return names;
}

bool Builder::known_node(const Value& scalar) {
  if (out_.nodes.count(scalar.text) != 0) return true;
  report_.add(scalar.mark, fmt::format("unknown node '{}'{}", scalar.text, did_you_mean(scalar.text, nodes_)));
  return false;
}

bool Builder::known_process(const Value& scalar) {
  if (out_.nodes.count(scalar.text) != 0 || out_.relays.count(scalar.text) != 0) return true;
  std::vector<std::string> known = nodes_;
  for (const auto& [key, relay] : out_.relays) known.push_back(key);
  report_.add(scalar.mark, fmt::format("unknown {} '{}'{}", out_.relays.empty() ? "node" : "node or relay", scalar.text,
                                       did_you_mean(scalar.text, known)));
  return false;
}

Value Builder::with_defaults(const Value& own, std::string_view defaults) const {
  Value map;
  map.kind = Value::Kind::map;
  map.mark = own.mark;
  const Value* base = root_.get(defaults);
  if (base != nullptr && base->is_map()) merge(map, *base);
  if (own.is_map()) merge(map, own);
  return map;
}

bool Builder::known_site(const Value& scalar) {
  if (out_.sites.count(scalar.text) != 0) return true;
  report_.add(scalar.mark, fmt::format("unknown site '{}'{}", scalar.text, did_you_mean(scalar.text, site_names())));
  return false;
}

std::vector<std::string> Builder::matching_nodes(const Value& at, const std::string& pattern) {
  std::vector<std::string> found;
  if (pattern.find('*') == std::string::npos) {
    if (known_node(make_scalar(pattern, at.mark))) found.push_back(pattern);
    return found;
  }
  for (const std::string& node : nodes_)
    if (matches(node, pattern)) found.push_back(node);
  if (found.empty()) report_.add(at.mark, fmt::format("no node matches '{}'", pattern));
  return found;
}

std::vector<std::string> Builder::nodes_of(const Value& patterns) {
  if (patterns.is_scalar()) return matching_nodes(patterns, patterns.text);
  std::vector<std::string> found;
  std::set<std::string> seen;
  for (const Value& pattern : patterns.items) {
    if (!pattern.is_scalar()) continue;
    for (std::string& node : matching_nodes(pattern, pattern.text))
      if (seen.insert(node).second) found.push_back(std::move(node));
  }
  return found;
}

std::vector<std::string> Builder::some_nodes(const Value& patterns) {
  std::vector<std::string> found = nodes_of(patterns);
  if (found.size() == 1) report_.add(patterns.mark, "at least two nodes are needed");
  return found;
}

std::vector<Builder::Pair> Builder::pairs_of(const Value& scalar) {
  const auto arrow = parse_arrow(scalar.text);
  if (!arrow) return {};
  const std::vector<std::string> left = matching_nodes(scalar, arrow->left);
  const std::vector<std::string> right = matching_nodes(scalar, arrow->right);
  if (left.empty() || right.empty()) return {};
  if (left.size() * right.size() > max_actions) {
    report_.add(scalar.mark, fmt::format("more than {} pairs", max_actions));
    return {};
  }
  std::vector<Pair> pairs;
  std::set<Pair> seen;
  const auto add = [&](const std::string& from, const std::string& to) {
    if (from != to && seen.emplace(from, to).second) pairs.emplace_back(from, to);
  };
  for (const std::string& from : left)
    for (const std::string& to : right) {
      add(from, to);
      if (arrow->both) add(to, from);
    }
  if (pairs.empty()) report_.add(scalar.mark, fmt::format("'{}' names one node only", scalar.text));
  return pairs;
}

void Builder::check_time(const Value& map, std::string_view key) {
  const auto time = time_field(map, key);
  if (!time || out_.duration.count() == 0 || time->high <= out_.duration) return;
  report_.add(map.get(key)->mark, fmt::format("'{}: {}' is after the end of the run ({})", key, map.get(key)->text,
                                              format_duration(out_.duration)));
}

void Builder::check_since(const Value& map) {
  const Value* since = scalar_of(map, "since");
  if (since == nullptr || fault_ids_.count(since->text) != 0) return;
  const std::vector<std::string> ids(fault_ids_.begin(), fault_ids_.end());
  report_.add(since->mark, fmt::format("no fault has the id '{}'{}", since->text, did_you_mean(since->text, ids)));
}

}  // namespace distlab::scenario
