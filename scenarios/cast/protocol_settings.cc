#include "scenarios/cast/protocol_settings.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <map>
#include <optional>
#include <type_traits>

namespace distlab::cast {
namespace {

using scenario::Parameters;
using scenario::ParameterValue;

template <typename Settings>
using Setters = std::map<std::string, std::function<void(Settings&, const ParameterValue&)>>;

// The loader has given each value the type that its name has in the format.
template <typename Field>
void assign(Field& field, const ParameterValue& value) {
  if constexpr (std::is_same_v<Field, bool> || std::is_same_v<Field, double> || std::is_same_v<Field, Duration>) {
    field = std::get<Field>(value);
  } else {
    field = static_cast<Field>(std::get<int64_t>(value));
  }
}

template <typename Settings, typename Field>
auto to(Field Settings::*field) {
  return [field](Settings& settings, const ParameterValue& value) { assign(settings.*field, value); };
}

template <typename Settings, typename Field>
auto to_transport(Field quic::TransportSettings::*field) {
  return [field](Settings& settings, const ParameterValue& value) { assign(settings.transport.*field, value); };
}

template <typename Settings>
void apply(const Parameters& parameters, const Setters<Settings>& setters, Settings& settings) {
  for (const auto& [name, value] : parameters) setters.at(name)(settings, value);
}

template <typename Settings>
std::vector<std::string> names_of(const Setters<Settings>& setters) {
  std::vector<std::string> names;
  for (const auto& [name, setter] : setters) names.push_back(name);
  return names;
}

auto reaction(mesh::OnLoss mesh::ClientSettings::*field) {
  return [field](mesh::MembershipSettings& settings, const ParameterValue& value) {
    const auto& text = std::get<std::string>(value);
    settings.client.*field = text == "die"         ? mesh::OnLoss::die
                             : text == "reconnect" ? mesh::OnLoss::reconnect
                                                   : mesh::OnLoss::ignore;
  };
}

template <typename Field>
auto to_client(Field mesh::ClientSettings::*field) {
  return [field](mesh::MembershipSettings& s, const ParameterValue& value) { assign(s.client.*field, value); };
}

template <typename Field>
auto to_client_transport(Field quic::TransportSettings::*field) {
  return
      [field](mesh::MembershipSettings& s, const ParameterValue& value) { assign(s.client.transport.*field, value); };
}

void set_restart(mesh::MembershipSettings& settings, const ParameterValue& value) {
  const Duration after = std::get<Duration>(value);
  settings.restart_after = after == Duration::max() ? std::nullopt : std::optional(after);
}

const Setters<mesh::MembershipSettings>& mesh_setters() {
  using C = mesh::ClientSettings;
  using Q = quic::TransportSettings;
  static const Setters<mesh::MembershipSettings> setters{
      {"connect_timeout", to_client(&C::connect_timeout)},
      {"call_timeout", to_client(&C::call_timeout)},
      {"ping_interval", to_client(&C::ping_interval)},
      {"ping_timeout", to_client(&C::ping_timeout)},
      {"backoff_min", to_client(&C::backoff_min)},
      {"backoff_max", to_client(&C::backoff_max)},
      {"backoff_jitter", to_client(&C::backoff_jitter)},
      {"subscribe_delay", to_client(&C::subscribe_delay)},
      {"blocking_connect", to_client(&C::blocking_connect)},
      {"mailbox_limit", to_client(&C::mailbox_limit)},
      {"on_farewell", reaction(&C::on_farewell)},
      {"on_connection_end", reaction(&C::on_connection_end)},
      {"on_ping_timeout", reaction(&C::on_ping_timeout)},
      {"restart_after", set_restart},
      {"idle_timeout", to_client_transport(&Q::idle_timeout)},
      {"keep_alive", to_client_transport(&Q::keep_alive)},
      {"stream_window", to_client_transport(&Q::stream_window)},
      {"send_buffer", to_client_transport(&Q::send_buffer)},
  };
  return setters;
}

const Setters<mesh::RelaySettings>& relay_setters() {
  using R = mesh::RelaySettings;
  using Q = quic::TransportSettings;
  static const Setters<R> setters{
      {"service_time", to(&R::service_time)},
      {"control_first", to(&R::control_first)},
      {"close_linger", to(&R::close_linger)},
      {"idle_timeout", to_transport<R>(&Q::idle_timeout)},
      {"keep_alive", to_transport<R>(&Q::keep_alive)},
      {"stream_window", to_transport<R>(&Q::stream_window)},
      {"send_buffer", to_transport<R>(&Q::send_buffer)},
  };
  return setters;
}

const Setters<mesh::RelayLimits>& limit_setters() {
  using L = mesh::RelayLimits;
  static const Setters<L> setters{
      {"sessions", to(&L::sessions)},
      {"sessions_per_address", to(&L::sessions_per_address)},
      {"pending_sessions", to(&L::pending_sessions)},
      {"connect_timeout", to(&L::connect_timeout)},
      {"subscriptions", to(&L::subscriptions)},
      {"procedures", to(&L::procedures)},
      {"calls", to(&L::calls)},
      {"calls_to_one", to(&L::calls_to_one)},
      {"call_lifetime", to(&L::call_lifetime)},
      {"frame_bytes", to(&L::frame_bytes)},
      {"queued_bytes", to(&L::queued_bytes)},
      {"inbound_bytes", to(&L::inbound_bytes)},
      {"frames_per_second", to(&L::frames_per_second)},
      {"bytes_per_second", to(&L::bytes_per_second)},
  };
  return setters;
}

tunnel::Parameter::Value tunnel_value(const ParameterValue& value) {
  if (const auto* time = std::get_if<Duration>(&value)) return *time;
  if (const auto* on = std::get_if<bool>(&value)) return *on;
  return static_cast<uint64_t>(std::get<int64_t>(value));
}

}  // namespace

mesh::RelaySettings relay_settings(const scenario::Relay& relay) {
  mesh::RelaySettings settings;
  settings.port = relay.port;
  settings.validate_address = relay.validate_address;
  settings.realms = {relay.realms.begin(), relay.realms.end()};
  apply(relay.parameters, relay_setters(), settings);
  apply(relay.limits, limit_setters(), settings.limits);
  return settings;
}

mesh::MembershipSettings membership_settings(const scenario::Scenario& scenario, const scenario::Node& node) {
  const scenario::Membership& from = node.membership;
  mesh::ClientSettings client;
  for (const std::string& key : from.relays) {
    const scenario::Relay& relay = scenario.relays.at(key);
    client.relays.push_back({key, relay.host, relay.port});
  }
  client.realm = from.realm;
  client.identity = from.identity;
  client.tls_verify = from.tls_verify == scenario::TlsVerify::peer ? quic::TlsVerify::peer : quic::TlsVerify::none;
  mesh::MembershipSettings settings = from.preset == scenario::Preset::documented
                                          ? mesh::documented(std::move(client))
                                          : mesh::macula_3_13(std::move(client));
  apply(from.mesh, mesh_setters(), settings);
  return settings;
}

tunnel::TunnelSettings tunnel_settings(const scenario::Membership& membership) {
  tunnel::TunnelSettings settings = *tunnel::preset(scenario::to_string(membership.preset));
  for (const auto& [name, value] : membership.tunnel) {
    const tunnel::Parameter* const parameter = tunnel::find_parameter(name);
    assert(parameter != nullptr);
    const bool done = parameter->set(settings, tunnel_value(value));
    assert(done);
    (void)done;
  }
  return settings;
}

std::vector<std::string> known_tunnel_parameters() {
  std::vector<std::string> names;
  for (const tunnel::Parameter& parameter : tunnel::parameters()) names.emplace_back(parameter.name);
  return names;
}
std::vector<std::string> known_mesh_parameters() {
  return names_of(mesh_setters());
}
std::vector<std::string> known_relay_parameters() {
  return names_of(relay_setters());
}
std::vector<std::string> known_relay_limits() {
  return names_of(limit_setters());
}

}  // namespace distlab::cast
