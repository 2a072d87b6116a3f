#include <array>
#include <utility>

#include <fmt/format.h>

#include "scenarios/builder.h"
#include "scenarios/canonical.h"
#include "scenarios/fields.h"

namespace distlab::scenario {
namespace {

constexpr std::array<std::pair<std::string_view, double>, 5> quantiles{
    {{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"max", 1}}};
constexpr std::array<std::string_view, 7> conditions{"p50", "p90", "p95", "p99", "max", "total", "results"};
constexpr std::array<std::string_view, 5> results{"ok", "timeout", "nodedown", "pong", "pang"};

bool is_condition(std::string_view key) {
  for (const std::string_view one : conditions)
    if (one == key) return true;
  for (const std::string_view one : results)
    if (one == key) return true;
  return false;
}

// The expectation with one condition out of several: "call_latency: {between: [a, b], p99: < 150ms}".
std::string text_of(const std::string& verb, const Value& body, std::string_view condition,
                    std::string_view result = "") {
  Value map;
  map.kind = Value::Kind::map;
  for (const Member& member : body.members) {
    if (is_condition(member.key) && member.key != condition) continue;
    map.members.push_back(member);
    if (member.key == "results")
      std::erase_if(map.members.back().value.members, [&](const Member& one) { return one.key != result; });
  }
  return verb + ": " + flow_text(map);
}

}  // namespace

void Builder::build_expectation(const Value& map) {
  const Member* verb = nullptr;
  for (const Member& member : map.members) {
    if (member.key == "name") continue;
    if (verb != nullptr) return;  // the checker says so
    verb = &member;
  }
  if (verb == nullptr || !verb->value.is_map()) return;
  const std::string& kind = verb->key;
  const Value& body = verb->value;
  Expectation expectation;
  expectation.name = text_field(map, "name", kind);
  expectation.text = kind + ": " + flow_text(body);
  expectation.place = map.mark.place();
  if (kind == "connected")
    expect_connected(body, std::move(expectation));
  else if (kind == "never" || kind == "eventually")
    expect_occurrence(body, kind == "never", std::move(expectation));
  else if (kind == "detection")
    expect_detection(body, expectation);
  else if (kind == "lost_messages")
    expect_ledger(body, Metric::lost_messages, expectation);
  else if (kind == "duplicated_messages")
    expect_ledger(body, Metric::duplicated_messages, expectation);
  else if (kind == "reordered_messages")
    expect_ledger(body, Metric::reordered_messages, expectation);
  else if (kind == "wedged")
    expect_ledger(body, Metric::wedged, expectation);
  else if (kind == "call_latency")
    expect_latency(body, Metric::call_latency, expectation);
  else if (kind == "message_latency")
    expect_latency(body, Metric::message_latency, expectation);
  else if (kind == "setup_time")
    expect_latency(body, Metric::setup_time, expectation);
  else if (kind == "calls")
    expect_results(body, Metric::calls, expectation);
  else if (kind == "pings")
    expect_results(body, Metric::pings, expectation);
  else if (kind == "event")
    expect_event(body, std::move(expectation));
}

Window Builder::window_of(const Value& body) {
  Window window;
  window.after = duration_field(body, "after");
  window.before = duration_field(body, "before");
  window.since = text_field(body, "since");
  window.outside_faults = text_field(body, "outside") == "faults";
  check_since(body);
  if (window.since.empty()) {
    check_time(body, "after");
    check_time(body, "before");
  }
  if (window.after && window.before && *window.before <= *window.after)
    report_.add(body.get("before")->mark, "'before' must be later than 'after'");
  return window;
}

void Builder::between(const Value& body, ExpectMetric& metric) {
  const Value* value = body.get("between");
  if (value == nullptr) return;
  if (value->is_list()) {
    metric.between = some_nodes(*value);
    return;
  }
  const auto arrow = value->is_scalar() ? parse_arrow(value->text) : std::nullopt;
  if (!arrow) return;
  if (value->text.find('*') != std::string::npos) {
    report_.add(value->mark, "a direction is between two nodes; for more use a list");
    return;
  }
  metric.one_way = !arrow->both;
  for (const Pair& pair : pairs_of(*value)) {
    metric.between = {pair.first, pair.second};
    break;
  }
}

void Builder::expect_connected(const Value& body, Expectation expectation) {
  ExpectConnected what;
  if (const Value* between = body.get("between")) what.between = some_nodes(*between);
  what.by = duration_field(body, "by").value_or(Duration{0});
  what.since = text_field(body, "since");
  check_since(body);
  if (what.since.empty()) check_time(body, "by");
  expectation.what = std::move(what);
  out_.expect.push_back(std::move(expectation));
}

void Builder::expect_occurrence(const Value& body, bool never, Expectation expectation) {
  ExpectNodeEvent what;
  what.never = never;
  what.window = window_of(body);
  const Value* event = body.get("node_up");
  what.event.up = event != nullptr;
  if (event == nullptr) event = body.get("node_down");
  if (event == nullptr) return;
  if (event->is_list()) {
    what.event.between = some_nodes(*event);
  } else {
    if (const Value* between = event->get("between")) what.event.between = some_nodes(*between);
    for (const auto& [key, field] : {std::pair{"at", &what.event.at}, std::pair{"peer", &what.event.peer}}) {
      const Member* member = event->find(key);
      if (member == nullptr || !member->value.is_scalar()) continue;
      if (known_node(member->value)) *field = member->value.text;
      if (event->get("between") != nullptr)
        report_.add(member->mark, fmt::format("'{}' has no meaning with 'between'", key));
    }
    what.event.reason = text_field(*event, "reason");
  }
  expectation.what = std::move(what);
  out_.expect.push_back(std::move(expectation));
}

// Who should notice whom.
std::vector<Builder::Pair> Builder::observers(const Value& body) {
  const Value *between = body.get("between"), *at = scalar_of(body, "at"), *peer = scalar_of(body, "peer");
  if (between == nullptr) {
    if (body.get("at") == nullptr || body.get("peer") == nullptr)
      report_.add(body.mark, "missing keys 'at' and 'peer', or 'between'");
    const bool known_at = at == nullptr || known_node(*at), known_peer = peer == nullptr || known_node(*peer);
    if (at == nullptr || peer == nullptr || !known_at || !known_peer) return {};
    return {{at->text, peer->text}};
  }
  for (const char* key : {"at", "peer"})
    if (const Member* member = body.find(key))
      report_.add(member->mark, fmt::format("'{}' has no meaning with 'between'", key));
  if (between->is_scalar()) return pairs_of(*between);
  std::vector<Pair> pairs;
  const std::vector<std::string> nodes = some_nodes(*between);
  if (nodes.size() * nodes.size() > max_variants) {
    report_.add(between->mark, "too many pairs");
    return {};
  }
  for (const std::string& one : nodes)
    for (const std::string& other : nodes)
      if (one != other) pairs.emplace_back(one, other);
  return pairs;
}

void Builder::expect_detection(const Value& body, const Expectation& expectation) {
  ExpectDetection what;
  what.reason = text_field(body, "reason", "net_tick_timeout");
  what.since = text_field(body, "since", out_.faults.empty() ? "" : out_.faults.front().id);
  check_since(body);
  if (out_.faults.empty()) report_.add(body.mark, "there is no fault to detect");
  const Value* within = body.get("within");
  if (within != nullptr && within->items.size() == 2) {
    const auto low = parse_duration(within->items[0].text), high = parse_duration(within->items[1].text);
    if (low && high) {
      what.low = *low;
      what.high = *high;
      if (*high < *low) report_.add(within->mark, "the earliest time is later than the latest");
    }
  }
  const std::vector<Pair> pairs = observers(body);
  for (const auto& [at, peer] : pairs) {
    Expectation one = expectation;
    what.at = at;
    what.peer = peer;
    if (pairs.size() > 1)
      one.text = fmt::format("detection: {{at: {}, peer: {}, within: [{}, {}], since: {}}}", at, peer,
                             format_duration(what.low), format_duration(what.high), what.since);
    one.what = what;
    out_.expect.push_back(std::move(one));
  }
}

void Builder::add_condition(const Value& condition, ExpectMetric metric, Quantity quantity, Expectation expectation) {
  const auto parsed = parse_condition(condition.text, quantity);
  if (!condition.is_scalar() || !parsed) return;
  metric.condition = *parsed;
  metric.share = is_share(*parsed);
  expectation.what = std::move(metric);
  out_.expect.push_back(std::move(expectation));
}

void Builder::add_metric(const Value& body, std::string_view key, ExpectMetric metric, Quantity quantity,
                         Expectation expectation) {
  const Value* condition = body.get(key);
  if (condition == nullptr) return;
  expectation.text = text_of(expectation.text.substr(0, expectation.text.find(':')), body, key);
  add_condition(*condition, std::move(metric), quantity, std::move(expectation));
}

void Builder::expect_ledger(const Value& body, Metric metric, const Expectation& expectation) {
  ExpectMetric what;
  what.metric = metric;
  between(body, what);
  what.window = window_of(body);
  if (metric == Metric::wedged) return add_metric(body, "total", what, Quantity::duration, expectation);
  const Member *equals = body.find("equals"), *count = body.find("count");
  if (equals != nullptr && count != nullptr)
    report_.add(count->mark, "'equals' and 'count' say the same; use one of them");
  if (equals == nullptr && count == nullptr) report_.add(body.mark, "missing key 'equals' or 'count'");
  add_metric(body, equals != nullptr ? "equals" : "count", what, Quantity::count, expectation);
}

void Builder::expect_latency(const Value& body, Metric metric, const Expectation& expectation) {
  ExpectMetric what;
  what.metric = metric;
  between(body, what);
  what.window = window_of(body);
  bool any = false;
  for (const auto& [key, quantile] : quantiles) {
    if (body.get(key) == nullptr) continue;
    any = true;
    what.quantile = quantile;
    add_metric(body, key, what, Quantity::duration, expectation);
  }
  if (!any) report_.add(body.mark, "missing one of the keys p50, p90, p95, p99, max");
}

void Builder::expect_results(const Value& body, Metric metric, const Expectation& expectation) {
  ExpectMetric what;
  what.metric = metric;
  between(body, what);
  what.window = window_of(body);
  const size_t before = out_.expect.size();
  bool any = body.get("total") != nullptr;
  add_metric(body, "total", what, Quantity::count, expectation);
  for (const std::string_view result : results) {
    any = any || body.get(result) != nullptr;
    what.result = result;
    add_metric(body, result, what, Quantity::count_or_share, expectation);
  }
  if (const Value* named = body.get("results")) {
    const std::string verb = expectation.text.substr(0, expectation.text.find(':'));
    for (const Member& member : named->members) {
      any = true;
      what.result = member.key;
      Expectation one = expectation;
      one.text = text_of(verb, body, "results", member.key);
      add_condition(member.value, what, Quantity::count_or_share, std::move(one));
    }
  }
  if (!any && out_.expect.size() == before) report_.add(body.mark, "missing a condition, as in 'ok: \">= 99%\"'");
}

void Builder::expect_event(const Value& body, Expectation expectation) {
  ExpectEvent what;
  what.kind = text_field(body, "kind");
  what.subject = text_field(body, "subject");
  what.window = window_of(body);
  what.count.op = Compare::greater_equal;
  what.count.value = 1;
  what.count.text = ">= 1";
  what.count.operand = "1";
  if (const Value* at = scalar_of(body, "at"); at != nullptr && known_process(*at)) what.at = at->text;
  if (const Value* count = scalar_of(body, "count"))
    if (const auto parsed = parse_condition(count->text, Quantity::count)) what.count = *parsed;
  if (const Value* fields = body.get("fields"))
    for (const Member& member : fields->members) {
      const auto parsed = parse_condition(member.value.text, Quantity::field);
      if (!parsed) continue;
      const bool ordered = parsed->op != Compare::equal && parsed->op != Compare::not_equal;
      const std::string& operand = parsed->operand;
      if (ordered && !parse_duration(operand) && !parse_integer(operand, 0, std::numeric_limits<int64_t>::max()))
        report_.add(member.value.mark, fmt::format("expected a number or duration to compare with, not '{}'", operand));
      what.fields.emplace_back(member.key, *parsed);
    }
  expectation.what = std::move(what);
  out_.expect.push_back(std::move(expectation));
}

}  // namespace distlab::scenario
