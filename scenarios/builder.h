// Makes a Scenario of a tree: fills in defaults, resolves references, and reports what the shape of
// the tree cannot show (unknown nodes, times after the end, ...).
//
// Build files: builder.cc (names and references), build_topology.cc, build_workload.cc,
// build_faults.cc, build_expect.cc.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scenarios/check.h"
#include "scenarios/document.h"
#include "scenarios/scalars.h"
#include "scenarios/scenario.h"

namespace distlab::scenario {

inline constexpr size_t max_actions = 1'000'000;  // of all variants of a file together
// A site is the network 10.s.s.0/24, with .254 for its router (cast/machines.h).
inline constexpr size_t max_sites = 65'535, max_machines_per_site = 253;

class Builder {
 public:
  // The tree has its templates expanded. `actions` counts the actions made so far.
  Builder(const Value& root, Report& report, size_t& actions) : root_(root), report_(report), actions_(actions) {}

  Scenario build();

 private:
  using Pair = std::pair<std::string, std::string>;

  // builder.cc
  bool known_node(const Value& scalar);  // reports it when not
  bool known_site(const Value& scalar);
  bool known_process(const Value& scalar);  // a node or a relay
  // The map of a site, relay or node, merged over its defaults.
  Value with_defaults(const Value& own, std::string_view defaults) const;
  // The nodes a pattern or a list of patterns stands for, in natural order and without duplicates.
  std::vector<std::string> nodes_of(const Value& patterns);
  std::vector<std::string> some_nodes(const Value& patterns);  // the same, and at least two
  std::vector<std::string> matching_nodes(const Value& at, const std::string& pattern);
  std::vector<Pair> pairs_of(const Value& scalar);          // "a -> b", "n* <-> hub"
  void check_time(const Value& map, std::string_view key);  // not after the end
  void check_since(const Value& map);                       // a fault of this id
  std::vector<std::string> site_names() const;

  // build_topology.cc
  void build_sites();
  void build_paths();
  void build_path(const Member& member, std::map<Pair, bool>& seen);
  LinkProperties link_properties(const Value* map, LinkProperties defaults);
  void build_nodes();
  Node build_node(const std::string& key, const Value& map, const Mark& mark);
  void check_node(const Value& map, const Mark& mark, const Node& node);
  void check_implementation(const Value& map, const Mark& mark, const Node& node);
  void check_machines();
  std::map<std::string, std::string> relay_hosts();
  void build_pcap();

  // build_relays.cc
  void build_relays();
  Relay build_relay(const Member& member);
  Membership membership(const Value& map, const Mark& mark, const Node& node);
  bool known_relay(const Value& scalar);

  // build_workload.cc
  void build_action(const Value& map, size_t entry);
  void schedule(const Value& map, Action& action);
  void parameters(const Value& map, Action& action);
  void towards(const Value& target, const Action& action, size_t count);
  void mesh(const Value& target, const Action& action);
  void group(const Value& target, const Action& action);
  std::optional<PeerGroup> peer_group(const Value& map);
  void add_action(const Value& at, Action action);
  void alone(const Value& target, const Action& action);

  // build_faults.cc
  void build_fault(const Value& map, size_t entry);
  void fault_on_process(const Value& target, Fault& fault);
  void fault_on_message(const Value& map, const Value& target, Fault& fault);
  void fault_on_link(const Value& map, const Value& target, Fault& fault);
  LinkTarget path_target(const Value& at, const LinkText& text);
  std::map<std::string, std::string> process_sites() const;  // of every node and relay
  std::string site_for(const Value& at, const std::string& name);
  void fault_partition(const Value& groups, Fault& fault);
  std::vector<std::string> partition_group(const Value& names);

  // build_compare.cc
  void build_compare();

  // build_expect.cc
  void build_expectation(const Value& map);
  void expect_connected(const Value& body, Expectation expectation);
  void expect_occurrence(const Value& body, bool never, Expectation expectation);
  void expect_detection(const Value& body, const Expectation& expectation);
  std::vector<Pair> observers(const Value& body);
  void expect_ledger(const Value& body, Metric metric, const Expectation& expectation);
  void expect_latency(const Value& body, Metric metric, const Expectation& expectation);
  void expect_results(const Value& body, Metric metric, const Expectation& expectation);
  void expect_event(const Value& body, Expectation expectation);
  void add_metric(const Value& body, std::string_view key, ExpectMetric metric, Quantity quantity,
                  Expectation expectation);
  void add_condition(const Value& condition, ExpectMetric metric, Quantity quantity, Expectation expectation);
  Window window_of(const Value& body);
  void between(const Value& body, ExpectMetric& metric);

  const Value& root_;
  Report& report_;
  size_t& actions_;
  Scenario out_;
  std::vector<std::string> nodes_;  // keys in natural order: n2 before n10
  std::set<std::string, std::less<>> fault_ids_;
};

// Is a before b when numbers in them count as numbers?
bool natural_less(std::string_view a, std::string_view b);

}  // namespace distlab::scenario
