#include "scenarios/cast/relay_actor.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scenarios/cast/complain.h"
#include "scenarios/cast/protocol_settings.h"

namespace distlab::cast {
namespace {

// The same in every life of a relay that keeps it.
std::vector<uint8_t> reset_key(uint64_t seed, const std::string& relay) {
  std::vector<uint8_t> key(32);
  RandomStream(seed, relay, "reset_key").fill(key);
  return key;
}

mesh::RelaySettings settings_of(const Host& host, const Script& script) {
  const std::string& key = host.name();
  const scenario::Relay& relay = script.scenario.relays.at(key);
  mesh::RelaySettings settings = relay_settings(relay);
  settings.name = key;
  settings.credentials = script.certificates.of_relay(key);
  if (script.qlog) settings.qlog = [&script, key](std::string_view) { return script.qlog(key, "session"); };
  if (relay.keeps_reset_key) settings.reset_key = reset_key(script.seed, key);
  return settings;
}

}  // namespace

RelayActor::RelayActor(Host& host, const Script& script) : relay_(host, settings_of(host, script)) {
  if (!relay_.listening()) complain(host, "relay cannot start: its UDP port is taken");
}

void RelayActor::shut_down(std::function<void()> done) {
  relay_.shutdown("shutdown", std::move(done));
}

void RelayActor::wedge(bool on) {
  relay_.wedge(on);
}

}  // namespace distlab::cast
