// A relay and its clients over real QUIC: what a node can do through them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/mesh/testing/mesh_world.h"

namespace distlab::mesh {
namespace {

using namespace std::chrono_literals;
using testing::bytes_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::MeshWorld;
using testing::text_of;

class Mesh : public ::testing::Test, public MeshWorld {};

// A client connects in two round trips of QUIC and one of CONNECT, and both sides record it.
TEST_F(Mesh, Connects) {
  start_relay();
  add_client("a");
  ASSERT_TRUE(connect("a", 1s));
  EXPECT_EQ(relay->stats().sessions, 1u);
  EXPECT_THAT(told("berlin", kinds::session_up, "realm"), ElementsAre("a: io.macula"));
  const auto up = world.events_of("a", kinds::mesh_up);
  ASSERT_EQ(up.size(), 1u);
  EXPECT_EQ(up[0].event.subject, "berlin");
  EXPECT_EQ(world.events_of("a", kinds::client_started).size(), 1u);
}

// What one client offers another can call, with arguments and answer carried faithfully.
TEST_F(Mesh, CallsAProcedure) {
  start_relay();
  RelayClient& a = join("a");
  RelayClient& b = join("b");
  b.advertise("_dist.tunnel.b", [](const Json& args, const Client::Reply& reply) {
    reply(Json{{"echo", args}, {"blob", Json::binary({1, 2, 3})}});
  });
  world.run_for(100ms);
  const auto result = call(a, "_dist.tunnel.b", {{"from_node", "a"}, {"n", -3}});
  ASSERT_TRUE(result && *result);
  EXPECT_EQ((**result)["echo"], (Json{{"from_node", "a"}, {"n", -3}}));
  EXPECT_EQ((**result)["blob"], Json::binary({1, 2, 3}));
  EXPECT_EQ(relay->stats().calls, 0u);
}

// A published payload reaches every subscriber once, in order, and nobody else.
TEST_F(Mesh, PublishesToSubscribers) {
  start_relay();
  RelayClient& a = join("a");
  RelayClient& b = join("b");
  RelayClient& c = join("c");
  std::vector<std::string> at_b, at_c;
  b.subscribe("x", [&](Bytes payload) { at_b.push_back(text_of(payload)); });
  c.subscribe("y", [&](Bytes payload) { at_c.push_back(text_of(payload)); });
  world.run_for(100ms);
  for (int i = 0; i < 3; ++i) a.publish("x", bytes_of(std::to_string(i)));
  world.run_for(100ms);
  EXPECT_THAT(at_b, ElementsAre("0", "1", "2"));
  EXPECT_THAT(at_c, IsEmpty());
}

}  // namespace
}  // namespace distlab::mesh
