#include "scenarios/cast/protocol_settings.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/format_parts.h"
#include "scenarios/loader.h"

namespace distlab::cast {
namespace {

using namespace std::chrono_literals;
using testing::UnorderedElementsAreArray;

std::vector<std::string> names_of(const std::vector<scenario::Key>& keys) {
  std::vector<std::string> names;
  for (const scenario::Key& key : keys) names.push_back(key.name);
  return names;
}

// Every constant that the format offers reaches a model, and no other is known here.
TEST(ProtocolSettings, KnowsAllOfTheFormat) {
  EXPECT_THAT(known_tunnel_parameters(), UnorderedElementsAreArray(names_of(scenario::table::tunnel_keys())));
  EXPECT_THAT(known_mesh_parameters(), UnorderedElementsAreArray(names_of(scenario::table::mesh_keys())));
  EXPECT_THAT(known_relay_parameters(), UnorderedElementsAreArray(names_of(scenario::table::relay_keys())));
  EXPECT_THAT(known_relay_limits(), UnorderedElementsAreArray(names_of(scenario::table::relay_limit_keys())));
}

scenario::Scenario load(const std::string& node) {
  const auto loaded = scenario::load_text(
      "name: x\nduration: 9s\nsites: { s: {} }\nrelays: { r: { site: s, limits: { sessions: 3 } } }\n"
      "nodes: { a: { site: s, carrier: relay, relays: [r], " +
          node + " } }\n",
      "x.yaml");
  EXPECT_TRUE(loaded.has_value());
  return loaded.value().at(0).scenario;
}

// Presets are the base; what the file says wins; what nobody says is the models' default.
TEST(ProtocolSettings, FileOverPresetOverDefault) {
  const auto scenario =
      load("preset: macula-3.13, tunnel: { chunk_bytes: 99B }, mesh: { restart_after: 3s, keep_alive: 1s }");
  const scenario::Node& node = scenario.nodes.at("a");
  const tunnel::TunnelSettings tunnel = tunnel_settings(node.membership);
  EXPECT_EQ(tunnel.chunk_bytes, 99u);
  EXPECT_EQ(tunnel.dist_timeout, 10s);
  EXPECT_EQ(tunnel.controller_timeout, 30s);
  const mesh::MembershipSettings mesh = membership_settings(scenario, node);
  EXPECT_EQ(mesh.restart_after, Duration{3s});
  EXPECT_EQ(mesh.client.transport.keep_alive, 1s);
  EXPECT_EQ(mesh.client.on_connection_end, mesh::OnLoss::ignore);
  EXPECT_EQ(mesh.client.relays.at(0).host_name, "r.relay.example");
  EXPECT_EQ(relay_settings(scenario.relays.at("r")).limits.sessions, 3u);
}

// Words of the file find their meanings: infinity, reactions, ways to verify.
TEST(ProtocolSettings, TranslatesWords) {
  const auto scenario = load("tls_verify: peer, mesh: { restart_after: infinity, on_farewell: reconnect }");
  const mesh::MembershipSettings mesh = membership_settings(scenario, scenario.nodes.at("a"));
  EXPECT_EQ(mesh.restart_after, std::nullopt);
  EXPECT_EQ(mesh.client.on_farewell, mesh::OnLoss::reconnect);
  EXPECT_EQ(mesh.client.tls_verify, quic::TlsVerify::peer);
  EXPECT_EQ(tunnel_settings(scenario.nodes.at("a").membership).dist_timeout, 25s);
}

}  // namespace
}  // namespace distlab::cast
