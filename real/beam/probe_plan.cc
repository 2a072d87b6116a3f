#include "real/beam/probe_plan.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

namespace distlab::beam {
namespace {

using etf::Term;
using scenario::Duration;

Term nanoseconds(const std::optional<Duration>& value, std::string_view without) {
  return value ? Term(int64_t{value->count()}) : etf::atom(without);
}

Term action_term(const scenario::Scenario& scenario, const scenario::Action& action, size_t index) {
  etf::Pairs pairs{
      {etf::atom("index"), Term(index)},
      {etf::atom("kind"), etf::atom(to_string(action.kind))},
      {etf::atom("at"), Term(int64_t{action.at.low.count()})},
      {etf::atom("until"), Term(int64_t{action.until.value_or(scenario.duration).count()})},
      {etf::atom("period"), nanoseconds(action.period, "undefined")},
      {etf::atom("arrival"), etf::atom(action.arrival == scenario::Arrival::poisson ? "poisson" : "periodic")},
      {etf::atom("payload"), Term(action.payload)},
      {etf::atom("timeout"), nanoseconds(action.timeout, "infinity")},
      {etf::atom("group"), etf::binary(action.group)},
      {etf::atom("cookie"), etf::binary(action.cookie)},
      {etf::atom("code"), etf::binary(action.code)}};
  if (!action.to.empty()) pairs.emplace_back(etf::atom("to"), etf::binary(scenario.nodes.at(action.to).name));
  return etf::map(std::move(pairs));
}

// The argument of macula:join_mesh/1, as the documents of the system have it.
Term join_term(const scenario::Scenario& scenario, const scenario::Node& node) {
  if (node.implementation != scenario::Implementation::macula) return etf::atom("undefined");
  etf::Terms relays;
  for (const std::string& key : node.membership.relays) {
    const scenario::Relay& relay = scenario.relays.at(key);
    relays.push_back(etf::binary(fmt::format("quic://{}:{}", relay.host, relay.port)));
  }
  return etf::map(
      {{etf::atom("relays"), etf::list(std::move(relays))}, {etf::atom("realm"), etf::binary(node.membership.realm)}});
}

}  // namespace

Term probe_plan(const scenario::Scenario& scenario, const std::string& key,
                const std::vector<scenario::Action>& actions, std::chrono::nanoseconds origin,
                const std::set<std::string>& quiet_kinds) {
  const scenario::Node& node = scenario.nodes.at(key);
  etf::Terms quiet, cookies, peers, todo;
  for (const std::string& kind : quiet_kinds) quiet.push_back(etf::binary(kind));
  for (const auto& [peer, cookie] : node.cookies)
    cookies.push_back(etf::tuple(etf::binary(scenario.nodes.at(peer).name), etf::binary(cookie)));
  for (const auto& [name, peer] : scenario.nodes)
    if (name != key) peers.push_back(etf::binary(peer.name));
  for (const scenario::Action& action : actions) todo.push_back(action_term(scenario, action, todo.size()));
  return etf::map({{etf::atom("origin"), Term(int64_t{origin.count()})},
                   {etf::atom("quiet"), etf::list(std::move(quiet))},
                   {etf::atom("cookies"), etf::list(std::move(cookies))},
                   {etf::atom("join"), join_term(scenario, node)},
                   {etf::atom("peers"), etf::list(std::move(peers))},
                   {etf::atom("actions"), etf::list(std::move(todo))}});
}

}  // namespace distlab::beam
