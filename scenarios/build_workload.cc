#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "scenarios/builder.h"
#include "scenarios/fields.h"

namespace distlab::scenario {
namespace {

constexpr uint64_t max_payload = uint64_t{64} << 20;
constexpr uint64_t max_bulk = uint64_t{1} << 30;
constexpr Duration default_timeout = std::chrono::seconds{5};  // gen_server:call/2
constexpr Duration eval_timeout = std::chrono::minutes{1};

const std::map<std::string, ActionKind, std::less<>>& action_kinds() {
  static const std::map<std::string, ActionKind, std::less<>> kinds{{"connect", ActionKind::connect},
                                                                    {"disconnect", ActionKind::disconnect},
                                                                    {"call", ActionKind::call},
                                                                    {"rpc", ActionKind::rpc},
                                                                    {"erpc", ActionKind::erpc},
                                                                    {"send", ActionKind::send},
                                                                    {"bulk", ActionKind::bulk},
                                                                    {"pg_join", ActionKind::pg_join},
                                                                    {"pg_leave", ActionKind::pg_leave},
                                                                    {"monitor", ActionKind::monitor},
                                                                    {"link", ActionKind::link},
                                                                    {"spawn", ActionKind::spawn},
                                                                    {"global_register", ActionKind::global_register},
                                                                    {"global_sync", ActionKind::global_sync},
                                                                    {"set_cookie", ActionKind::set_cookie},
                                                                    {"eval", ActionKind::eval}};
  return kinds;
}

bool is_alone(ActionKind kind) {
  return kind == ActionKind::pg_join || kind == ActionKind::pg_leave || kind == ActionKind::global_register ||
         kind == ActionKind::global_sync || kind == ActionKind::eval;
}

}  // namespace

std::string_view to_string(ActionKind kind) {
  for (const auto& [name, one] : action_kinds())
    if (one == kind) return name;
  return "";
}

void Builder::build_action(const Value& map, size_t entry) {
  const Member* verb = nullptr;
  for (const Member& member : map.members)
    if (action_kinds().count(member.key) != 0) {
      if (verb != nullptr) return;  // the checker says so
      verb = &member;
    }
  if (verb == nullptr) return;
  Action action;
  action.kind = action_kinds().find(verb->key)->second;
  action.entry = entry;
  action.place = map.mark.place();
  schedule(map, action);
  parameters(map, action);
  const Value& target = verb->value;
  const bool pair = target.is_scalar() && target.text.find("->") != std::string::npos;
  if (is_alone(action.kind) || (action.kind == ActionKind::set_cookie && !pair))
    alone(target, action);
  else
    towards(target, action, integer_field<size_t>(map, "count", 1, 1000).value_or(1));
}

void Builder::schedule(const Value& map, Action& action) {
  const Member *at = map.find("at"), *from = map.find("from"), *to = map.find("to"), *every = map.find("every"),
               *rate = map.find("rate"), *arrival = map.find("arrival");
  const auto wrong = [&](const Member* member, std::string message) {
    if (member != nullptr) report_.add(member->mark, std::move(message));
  };
  if (at == nullptr && from == nullptr) report_.add(map.mark, "missing key 'at' (once) or 'from' (again and again)");
  if (at != nullptr) {
    for (const Member* member : {from, to, every, rate, arrival})
      wrong(member, member == nullptr
                        ? ""
                        : fmt::format("'{}' has no meaning with 'at', which is once; use 'from'", member->key));
  } else {
    if (from != nullptr && every == nullptr && rate == nullptr) wrong(from, "'from' needs 'rate' or 'every'");
    if (every != nullptr) wrong(rate, "'rate' and 'every' say the same; use one of them");
  }
  action.at = time_field(map, at != nullptr ? "at" : "from").value_or(TimeRange{});
  check_time(map, "at");
  check_time(map, "from");
  check_time(map, "to");
  if (at != nullptr) return;
  action.until = duration_field(map, "to");
  if (action.until && *action.until <= action.at.high) wrong(to, "'to' must be after 'from'");
  action.period = duration_field(map, "every");
  if (action.period && action.period->count() == 0) wrong(every, "'every' must be more than 0");
  if (!action.period) action.period = field<Duration>(map, "rate", parse_frequency);
  action.arrival = text_field(map, "arrival") == "poisson" ? Arrival::poisson : Arrival::periodic;
}

void Builder::parameters(const Value& map, Action& action) {
  const ActionKind kind = action.kind;
  const bool calls = kind == ActionKind::call || kind == ActionKind::rpc || kind == ActionKind::erpc;
  if (calls || kind == ActionKind::send) action.payload = size_field(map, "payload").value_or(64);
  if (kind == ActionKind::bulk) action.payload = size_field(map, "size").value_or(0);
  const Value* size = scalar_of(map, kind == ActionKind::bulk ? "size" : "payload");
  const uint64_t limit = kind == ActionKind::bulk ? max_bulk : max_payload;
  if (size != nullptr && action.payload > limit)
    report_.add(size->mark, fmt::format("more than {}", kind == ActionKind::bulk ? "1GiB" : "64MiB"));
  if (kind == ActionKind::bulk && size != nullptr && parse_size(size->text) && action.payload == 0)
    report_.add(size->mark, "a bulk message has 1B at least");
  if (calls || kind == ActionKind::spawn) action.timeout = default_timeout;
  if (kind == ActionKind::eval) action.timeout = eval_timeout;
  if (text_field(map, "timeout") == "infinity") action.timeout.reset();
  if (const auto timeout = duration_field(map, "timeout")) action.timeout = timeout;
  action.group = text_field(map, kind == ActionKind::global_register ? "name" : "group");
  action.cookie = text_field(map, "cookie");
  action.code = text_field(map, "code");
}

void Builder::add_action(const Value& at, Action action) {
  if (++actions_ <= max_actions) {
    out_.workload.push_back(std::move(action));
  } else if (actions_ == max_actions + 1) {
    report_.add(at.mark, fmt::format("more than {} actions; use ring, random_peers or fewer nodes", max_actions));
  }
}

void Builder::alone(const Value& target, const Action& action) {
  for (const std::string& node : nodes_of(target)) {
    Action one = action;
    one.from = node;
    if (action.kind == ActionKind::eval && out_.nodes.at(node).implementation == Implementation::native)
      report_.add(target.mark, fmt::format("'{}' is no BEAM, which alone evaluates Erlang: give it 'implementation: "
                                           "beam', or run with --nodes beam",
                                           node));
    add_action(target, std::move(one));
  }
}

// count: so many of each action at once (`count:` of bulk).
void Builder::towards(const Value& target, const Action& action, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (target.is_list()) mesh(target, action);
    if (target.is_map()) group(target, action);
    if (!target.is_scalar()) continue;
    for (const Pair& pair : pairs_of(target)) {
      Action one = action;
      one.from = pair.first;
      one.to = pair.second;
      add_action(target, std::move(one));
    }
  }
}

// Connections have no direction once they are there, so one side dials; other actions go both ways.
void Builder::mesh(const Value& target, const Action& action) {
  const std::vector<std::string> nodes = some_nodes(target);
  const bool once = action.kind == ActionKind::connect || action.kind == ActionKind::disconnect;
  for (size_t i = 0; i < nodes.size(); ++i)
    for (size_t j = once ? i + 1 : 0; j < nodes.size(); ++j) {
      if (i == j) continue;
      Action one = action;
      one.from = nodes[i];
      one.to = nodes[j];
      add_action(target, std::move(one));
      if (actions_ > max_actions) return;
    }
}

std::optional<PeerGroup> Builder::peer_group(const Value& map) {
  PeerGroup group;
  if (const Value* ring = map.get("ring")) {
    group.nodes = some_nodes(*ring);
    return group.nodes.size() >= 2 ? std::optional(group) : std::nullopt;
  }
  const Value* random = map.get("random_peers");
  const Value* nodes = random == nullptr ? nullptr : random->get("nodes");
  if (nodes == nullptr) return std::nullopt;
  group.shape = PeerGroup::Shape::random_peers;
  group.nodes = nodes_of(*nodes);
  group.count = integer_field<uint32_t>(*random, "count", 1, 10'000).value_or(1);
  if (group.nodes.empty()) return std::nullopt;
  if (group.count < group.nodes.size()) return group;
  report_.add(
      random->get("count") != nullptr ? random->get("count")->mark : random->mark,
      fmt::format("each of {} nodes has {} others, not {}", group.nodes.size(), group.nodes.size() - 1, group.count));
  return std::nullopt;
}

void Builder::group(const Value& target, const Action& action) {
  GroupAction made;
  made.action = action;
  const Value *all = target.get("all_peers"), *one = target.get("one_peer");
  made.all_peers = one == nullptr;
  const Value* list = all != nullptr ? all : one;
  const auto add = [&](const Value& map) {
    if (auto group = peer_group(map)) made.peers.push_back(std::move(*group));
  };
  if (list == nullptr)
    add(target);
  else
    for (const Value& map : list->items) add(map);
  size_t actions = 0;
  for (const PeerGroup& group : made.peers) actions += group.nodes.size() * group.count;
  actions_ += actions;
  if (actions_ > max_actions) {
    report_.add(target.mark, fmt::format("more than {} actions", max_actions));
    return;
  }
  if (!made.peers.empty()) out_.group_workload.push_back(std::move(made));
}

}  // namespace distlab::scenario
