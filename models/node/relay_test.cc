// Nodes whose distribution travels through a relay: net_kernel, tunnel, mesh and QUIC together.
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/mesh/testing/mesh_world.h"
#include "models/node/node.h"
#include "models/process/call.h"
#include "models/tunnel/relay_carrier.h"

namespace distlab::node {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A relay, and nodes a@a.test, b@b.test, ... that reach each other through it.
class RelayedCluster {
 public:
  RelayedCluster() { mesh.start_relay(); }

  struct Member {
    std::unique_ptr<mesh::Membership> membership;
    std::unique_ptr<Node> node;
  };

  Node& start(const std::string& letter, const std::string& cookie = "c", const std::string& realm = "r") {
    TestHost& host = mesh.add_host(letter);
    const std::string name = letter + "@" + letter + ".test";
    mesh::ClientSettings client = mesh.settings_for(name);
    client.realm = realm;
    Member& member = members.emplace_back();
    member.membership = std::make_unique<mesh::Membership>(host, mesh::documented(client));
    NodeConfig config;
    config.net_kernel.name = name;
    config.net_kernel.cookie = cookie;
    config.net_kernel.net_ticktime = 8s;
    config.carrier = [&member](Host& on) {
      return std::make_unique<tunnel::RelayCarrier>(
          on, tunnel::documented(), member.membership->slot(),
          [&member](std::string_view peer) { return member.node->net_kernel().cookies().of(peer); });
    };
    member.node = std::make_unique<Node>(host, std::move(config));
    mesh.world.run_for(1s);
    return *member.node;
  }

  std::optional<std::pair<Node::Ping, Duration>> ping(Node& from, const std::string& to) {
    std::optional<std::pair<Node::Ping, Duration>> result;
    from.ping(to, [&result](Node::Ping what, Duration elapsed) { result = {what, elapsed}; });
    mesh.world.run_until([&] { return result.has_value(); }, 60s);
    return result;
  }

  // gen_server:call({echo, To}, Request); the result as CallOutcome names it.
  std::string call(Node& from, const std::string& to, etf::Term request) {
    std::string result;
    from.runtime().spawn<process::CallClient>(process::RemoteName{"echo", to}, std::move(request), Duration{5s},
                                              [&](const process::CallOutcome& out) { result = out.result; });
    mesh.world.run_until([&] { return !result.empty(); }, 60s);
    return result;
  }

  mesh::testing::MeshWorld mesh;
  std::list<Member> members;  // after the world, before which they must be gone
};

TEST(RelayedNodes, TalkThroughTheRelay) {
  // The seed's promise: ping and gen_server:call work between nodes that only dial out.
  RelayedCluster cluster;
  Node& a = cluster.start("a");
  Node& b = cluster.start("b");
  ASSERT_EQ(cluster.ping(a, b.name())->first, Node::Ping::pong);
  EXPECT_EQ(cluster.call(a, b.name(), etf::atom("hello")), "ok");
  EXPECT_EQ(cluster.call(b, a.name(), etf::atom("hello")), "ok");
  EXPECT_THAT(b.nodes(), ElementsAre(a.name()));
}

TEST(RelayedNodes, SayNothingReadableToTheRelay) {
  // No payload and no atom of distribution is in any byte that the relay reads or writes; only the names of
  // nodes are, which it needs to know.
  RelayedCluster cluster;
  std::string seen;
  cluster.mesh.relay_settings.tap = [&seen](Bytes bytes) { seen.append(bytes.begin(), bytes.end()); };
  cluster.mesh.relay.reset();
  cluster.mesh.start_relay();
  Node& a = cluster.start("a");
  Node& b = cluster.start("b");
  ASSERT_EQ(cluster.ping(a, b.name())->first, Node::Ping::pong);
  const std::string payload = "the quick brown fox jumps over the lazy dog";
  for (int i = 0; i < 20; ++i)
    ASSERT_EQ(cluster.call(a, b.name(), etf::binary(std::vector<uint8_t>(payload.begin(), payload.end()))), "ok");
  cluster.mesh.world.run_for(10s);  // ticks

  EXPECT_GT(seen.size(), 20 * payload.size());
  EXPECT_NE(seen.find("_dist.tunnel." + b.name()), std::string::npos);  // the tap is where it should be
  for (const char* readable : {"the quick", "brown fox", "lazy dog", "echo", "$gen_call", "rex", "net_kernel",
                               "is_auth", "global_name_server", "pg", "ok_simultaneous"}) {
    EXPECT_EQ(seen.find(readable), std::string::npos) << readable;
  }
}

TEST(RelayedNodes, WithAnotherCookieTimeOut) {
  // Facts F8: the tunnel is granted, one message does not decrypt, and net_setuptime ends it after 7 s.
  RelayedCluster cluster;
  Node& a = cluster.start("a", "tea");
  Node& b = cluster.start("b", "coffee");
  const auto result = cluster.ping(a, b.name());
  ASSERT_TRUE(result);
  EXPECT_EQ(result->first, Node::Ping::pang);
  EXPECT_GE(result->second, 7s);
  EXPECT_LT(result->second, 7100ms);
  EXPECT_EQ(cluster.mesh.world.events_of("b", kinds::decrypt_failed).size(), 1u);
  EXPECT_THAT(b.nodes(), IsEmpty());
}

TEST(RelayedNodes, OfAnotherRealmAreUnknown) {
  // The relay answers at once that it knows no such procedure.
  RelayedCluster cluster;
  Node& a = cluster.start("a", "c", "blue");
  cluster.start("b", "c", "green");
  const auto result = cluster.ping(a, "b@b.test");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->first, Node::Ping::pang);
  EXPECT_LT(result->second, 100ms);
  EXPECT_THAT(cluster.mesh.told("a", kinds::tunnel_failed, "reason"),
              ElementsAre("b@b.test: request: unknown_procedure"));
}

TEST(RelayedNodes, SurviveTheLossOfAClient) {
  // The client of a dies and is replaced: the tunnel goes on, and the nodes stay up.
  RelayedCluster cluster;
  Node& a = cluster.start("a");
  Node& b = cluster.start("b");
  ASSERT_EQ(cluster.ping(a, b.name())->first, Node::Ping::pong);
  cluster.mesh.world.run_for(2s);
  cluster.members.front().membership->kill_client("test");
  cluster.mesh.world.run_for(10s);
  EXPECT_EQ(cluster.call(a, b.name(), etf::atom("still_there")), "ok");
  EXPECT_THAT(cluster.mesh.world.events_of("a", kinds::node_down), IsEmpty());
  EXPECT_THAT(cluster.mesh.world.events_of("b", kinds::node_down), IsEmpty());
}

}  // namespace
}  // namespace distlab::node
