// Relays, and how nodes reach them.
#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "scenarios/builder.h"
#include "scenarios/fields.h"
#include "scenarios/format_parts.h"
#include "scenarios/include.h"
#include "scenarios/suggest.h"

namespace distlab::scenario {
namespace {

// The kind of a value follows from its shape, as the checker has found the text to be valid for it.
std::optional<ParameterValue> parameter(const Value& value, const Shape& shape) {
  if (!shape.choices.empty()) return value.text;
  const auto as = [](const auto& parsed) {
    return parsed ? std::optional<ParameterValue>(ParameterValue(*parsed)) : std::nullopt;
  };
  if (shape.boolean) return as(parse_boolean(value.text));
  if (shape.integer) return as(parse_integer(value.text, shape.low, shape.high));
  if (shape.number) return as(parse_ratio(value.text));
  if (shape.what == size_shape().what) {
    const auto size = parse_size(value.text);
    if (!size || *size > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
    return ParameterValue(static_cast<int64_t>(*size));
  }
  if (value.text == "infinity") return ParameterValue(Duration::max());
  return as(parse_duration(value.text));
}

// What the shape cannot say: a period so short that a run would do nothing else, a buffer that holds
// nothing.
std::string out_of_bounds(const std::string& name, const ParameterValue& value) {
  constexpr Duration shortest = std::chrono::milliseconds{10};
  if (name == "keep_alive" || name == "ping_interval") {
    const Duration period = std::get<Duration>(value);
    if (period > Duration::zero() && period < shortest)
      return fmt::format("'{}' must be 0s (none) or at least {}", name, format_duration(shortest));
  }
  for (const char* buffer : {"chunk_bytes", "stream_window", "send_buffer", "loopback_send_buffer",
                             "loopback_receive_buffer", "mailbox_limit", "frame_bytes"})
    if (name == buffer && std::get<int64_t>(value) == 0) return fmt::format("'{}' must be at least 1B", name);
  return "";
}

Parameters parameters_of(const Value* map, const std::vector<Key>& keys, Report& report) {
  Parameters out;
  if (map == nullptr || !map->is_map()) return out;
  for (const Key& key : keys) {
    const Value* value = scalar_of(*map, key.name);
    if (value == nullptr) continue;
    auto parsed = parameter(*value, key.shape);
    if (!parsed) continue;
    const std::string wrong = out_of_bounds(key.name, *parsed);
    if (!wrong.empty()) report.add(value->mark, wrong);
    out.emplace(key.name, std::move(*parsed));
  }
  return out;
}

template <typename T, size_t N>
T chosen(const Value& map, std::string_view key, const std::pair<std::string_view, T> (&choices)[N]) {
  const std::string text = text_field(map, key);
  for (const auto& [name, value] : choices)
    if (name == text) return value;
  return choices[0].second;
}

constexpr std::pair<std::string_view, Preset> presets[] = {{"documented", Preset::documented},
                                                           {"macula-3.13", Preset::macula_3_13}};
constexpr std::pair<std::string_view, TlsVerify> verifications[] = {{"none", TlsVerify::none},
                                                                    {"peer", TlsVerify::peer}};
constexpr std::pair<std::string_view, Certificate> certificates[] = {{"valid", Certificate::valid},
                                                                     {"expired", Certificate::expired},
                                                                     {"wrong_name", Certificate::wrong_name},
                                                                     {"foreign", Certificate::foreign}};

}  // namespace

std::string_view to_string(Preset preset) {
  return presets[static_cast<size_t>(preset)].first;
}

void Builder::build_relays() {
  const Value* relays = root_.get("relays");
  if (relays == nullptr || !relays->is_map()) return;
  std::map<std::pair<std::string, uint16_t>, std::string> ports;
  for (const Member& member : relays->members) {
    if (out_.sites.count(member.key) != 0)
      report_.add(member.mark, fmt::format("'{}' is a site too; faults could not tell them apart", member.key));
    const Relay relay = build_relay(member);
    if (const auto [other, fresh] = ports.emplace(std::make_pair(relay.host, relay.port), member.key); !fresh)
      report_.add(member.mark, fmt::format("'{}' and '{}' would listen on the same port of '{}'", other->second,
                                           member.key, relay.host));
    out_.relays.emplace(member.key, relay);
  }
}

Relay Builder::build_relay(const Member& member) {
  const Value map = with_defaults(member.value, "relay_defaults");
  Relay relay;
  relay.site = text_field(map, "site");
  if (const Value* site = scalar_of(map, "site"))
    known_site(*site);
  else
    report_.add(member.mark, "missing key 'site', here or in 'relay_defaults'");
  relay.host = text_field(map, "host", fmt::format("{}.relay.example", member.key));
  relay.port = integer_field<uint16_t>(map, "port", 1, 65535).value_or(relay.port);
  relay.certificate = chosen(map, "certificate", certificates);
  if (const Value* realms = map.get("realms"))
    for (const Value& realm : realms->items) relay.realms.push_back(realm.text);
  relay.validate_address = boolean_field(map, "validate_address").value_or(false);
  relay.keeps_reset_key = boolean_field(map, "keeps_reset_key").value_or(false);
  relay.parameters = parameters_of(&map, table::relay_keys(), report_);
  relay.limits = parameters_of(map.get("limits"), table::relay_limit_keys(), report_);
  relay.start = time_field(map, "start").value_or(relay.start);
  relay.boot = time_field(map, "boot").value_or(relay.boot);
  relay.autostart = boolean_field(map, "autostart").value_or(relay.autostart);
  check_time(map, "start");
  return relay;
}

Membership Builder::membership(const Value& map, const Mark& mark, const Node& node) {
  Membership out;
  if (const Value* relays = map.get("relays"))
    for (const Value& relay : relays->items)
      if (known_relay(relay)) out.relays.push_back(relay.text);
  if (node.carrier == CarrierKind::relay && map.get("relays") == nullptr)
    report_.add(mark, "carrier 'relay' needs 'relays', here or in 'node_defaults'");
  out.realm = text_field(map, "realm", out.realm);
  out.identity = text_field(map, "identity", node.name);
  out.tls_verify = chosen(map, "tls_verify", verifications);
  out.preset = chosen(map, "preset", presets);
  out.tunnel = parameters_of(map.get("tunnel"), table::tunnel_keys(), report_);
  out.mesh = parameters_of(map.get("mesh"), table::mesh_keys(), report_);
  return out;
}

bool Builder::known_relay(const Value& scalar) {
  if (out_.relays.count(scalar.text) != 0) return true;
  std::vector<std::string> known;
  for (const auto& [key, relay] : out_.relays) known.push_back(key);
  report_.add(scalar.mark, fmt::format("unknown relay '{}'{}", scalar.text, did_you_mean(scalar.text, known)));
  return false;
}

const std::string& site_of(const Scenario& scenario, const std::string& process) {
  const auto relay = scenario.relays.find(process);
  return relay != scenario.relays.end() ? relay->second.site : scenario.nodes.at(process).site;
}

std::string host_of(const Scenario& scenario, const std::string& process) {
  const auto relay = scenario.relays.find(process);
  return relay != scenario.relays.end() ? relay->second.host : scenario.nodes.at(process).host();
}

}  // namespace distlab::scenario
