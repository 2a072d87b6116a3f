// A relay and mesh clients on a TestWorld, each on a machine of its own, with real QUIC between them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/host/event_kinds.h"
#include "models/host/test_host.h"
#include "models/mesh/membership.h"
#include "models/mesh/relay.h"
#include "models/mesh/relay_client.h"

namespace distlab::mesh::testing {

inline quic::Secret secret(uint8_t seed) {
  quic::Secret out;
  out.fill(seed);
  return out;
}

inline const quic::Authority& authority() {
  static const quic::Authority made("mesh test CA", secret(1));
  return made;
}

inline std::shared_ptr<const quic::ServerCredentials> server_credentials(const std::string& name) {
  return quic::ServerCredentials::load(authority().issue({name, {name}, false}, secret(2))).value();
}

inline std::shared_ptr<const quic::ClientCredentials> trust(const quic::Authority& anchor = authority()) {
  return quic::ClientCredentials::load(anchor.certificate()).value();
}

inline Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string text_of(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

class MeshWorld {
 public:
  explicit MeshWorld(uint64_t seed = 1) : world(seed) {
    relay_settings.name = "berlin";
    relay_settings.credentials = server_credentials("berlin.test");
    client_settings.credentials = trust();
    world.set_default_delay(std::chrono::milliseconds{10});
  }

  static constexpr Ipv4 relay_address{0x0a000001};

  TestHost& add_host(const std::string& name) {
    const Ipv4 address{relay_address.bits + ++machines_};
    return world.add_host(name, address, {name + ".test"});
  }
  Relay& start_relay() {
    relay = std::make_unique<Relay>(relay_host, relay_settings);
    return *relay;
  }
  // The relay's process is killed, and its machine says nothing to anybody.
  void crash_relay() {
    relay_host.kill();
    relay.reset();
  }
  Relay& restart_relay() {
    relay_host.restart();
    return start_relay();
  }

  ClientSettings settings_for(const std::string& identity) const {
    ClientSettings out = client_settings;
    out.identity = identity;
    if (out.relays.empty()) out.relays = {{"berlin", "berlin.test"}};
    return out;
  }
  // With the settings as they are now; the identity is the host's name.
  RelayClient& add_client(const std::string& name, ClientListener listener = {}) {
    TestHost& host = add_host(name);
    hosts[name] = &host;
    auto& client = clients[name];
    client = std::make_unique<RelayClient>(host, settings_for(name), std::move(listener));
    return *client;
  }
  // Both connected.
  bool connect(const std::string& name, Duration limit = std::chrono::seconds{5}) {
    return world.run_until([&] { return clients.at(name)->connected(); }, limit);
  }
  // A client that is connected, for tests that are about something else.
  RelayClient& join(const std::string& name) {
    RelayClient& client = add_client(name);
    connect(name);
    return client;
  }

  // Calls and waits for the answer, 60 s at the most.
  std::optional<CallResult> call(RelayClient& client, const std::string& procedure, const Json& args = nullptr,
                                 Duration timeout = Duration::zero()) {
    std::optional<CallResult> out;
    client.call(procedure, args, timeout, [&out](CallResult result) { out = std::move(result); });
    world.run_until([&] { return out.has_value(); }, std::chrono::seconds{60});
    return out;
  }
  // The error's code, "ok", or "none" if there was no answer.
  std::string outcome(RelayClient& client, const std::string& procedure, Duration timeout = Duration::zero()) {
    const auto result = call(client, procedure, nullptr, timeout);
    return !result ? "none" : *result ? "ok" : result->error().code;
  }

  // The text field of each event of a kind, as "subject: field".
  std::vector<std::string> told(std::string_view host, std::string_view kind, std::string_view field) const {
    std::vector<std::string> out;
    for (const RecordedEvent& event : world.events_of(host, kind)) {
      std::string value;
      for (const Field& f : event.event.fields) {
        if (f.key == field) value = std::get<std::string>(f.value);
      }
      out.push_back(event.event.subject + ": " + value);
    }
    return out;
  }
  std::optional<Time> first(std::string_view host, std::string_view kind) const {
    const auto events = world.events_of(host, kind);
    if (events.empty()) return {};
    return events.front().time;
  }

  TestWorld world;
  TestHost& relay_host = world.add_host("berlin", relay_address, {"berlin.test"});
  RelaySettings relay_settings;
  ClientSettings client_settings;
  std::map<std::string, TestHost*> hosts;
  std::unique_ptr<Relay> relay;
  std::map<std::string, std::unique_ptr<RelayClient>> clients;

 private:
  uint32_t machines_ = 0;
};

}  // namespace distlab::mesh::testing
