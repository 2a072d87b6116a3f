#include "models/mesh/membership.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/mesh/testing/mesh_world.h"

namespace distlab::mesh {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::MeshWorld;

class MembershipTest : public ::testing::Test, public MeshWorld {
 protected:
  // What the slot is told: '+' a client, '-' none.
  void start(const MembershipSettings& settings) {
    TestHost& host = add_host("a");
    hosts["a"] = &host;
    membership = std::make_unique<Membership>(host, settings);
    membership->slot().watch([this](Client* client) { changes += client != nullptr ? '+' : '-'; });
  }
  bool connected() { return membership->slot().current() != nullptr && membership->slot().current()->connected(); }

  std::unique_ptr<Membership> membership;
  std::string changes;
};

// The client is in the slot from the start, before it is connected, as join_mesh registers it.
TEST_F(MembershipTest, RegistersItsClient) {
  start_relay();
  start(documented(settings_for("a")));
  ASSERT_NE(membership->slot().current(), nullptr);
  EXPECT_FALSE(membership->slot().current()->connected());
  EXPECT_TRUE(world.run_until([&] { return connected(); }, 1s));
  EXPECT_EQ(changes, "");
}

// Documented: the client dies with its connection, and a new one takes its place after a second.
TEST_F(MembershipTest, RestartsADeadClient) {
  start_relay();
  start(documented(settings_for("a")));
  world.run_for(1s);
  membership->kill_client("test");
  EXPECT_EQ(changes, "");  // from the loop
  world.run_for(999ms);
  EXPECT_EQ(changes, "-");
  EXPECT_EQ(membership->client(), nullptr);
  EXPECT_EQ(membership->slot().current(), nullptr);
  membership->kill_client("again");
  world.run_for(1ms);
  EXPECT_EQ(changes, "-+");
  EXPECT_TRUE(world.run_until([&] { return connected(); }, 1s));
  EXPECT_EQ(membership->stats().started, 2u);
  EXPECT_EQ(membership->total().connects, 2u);
  EXPECT_THAT(told("a", kinds::client_died, "reason"), ElementsAre(": test"));
}

// 3.13: nothing re-creates a dead client but an explicit order (facts section 1.4).
TEST_F(MembershipTest, NobodyRestartsIn313) {
  start_relay();
  start(macula_3_13(settings_for("a")));
  world.run_for(1s);
  membership->kill_client("test");
  world.run_for(600s);
  EXPECT_EQ(changes, "-");
  membership->register_client();
  EXPECT_EQ(changes, "-+");
  EXPECT_TRUE(world.run_until([&] { return connected(); }, 1s));
  EXPECT_EQ(world.events_of("a", kinds::client_started).size(), 2u);
}

// Registering a client while one lives replaces that; asked twice it does so once.
TEST_F(MembershipTest, ReplacesALivingClient) {
  start_relay();
  start(macula_3_13(settings_for("a")));
  world.run_for(1s);
  membership->register_client();
  membership->register_client();
  world.run_for(1s);
  EXPECT_EQ(changes, "-+");
  EXPECT_TRUE(connected());
  EXPECT_EQ(relay->stats().sessions, 1u);
  EXPECT_EQ(membership->stats().died, 1u);
}

// A relay that restarts: under the documented policies the slot changes, under those of 3.13 it does not.
TEST_F(MembershipTest, RelayRestart) {
  for (const bool is_documented : {true, false}) {
    MeshWorld mesh;
    mesh.start_relay();
    TestHost& host = mesh.add_host("a");
    const ClientSettings settings = mesh.settings_for("a");
    Membership member(host, is_documented ? documented(settings) : macula_3_13(settings));
    std::string seen;
    member.slot().watch([&](Client* client) { seen += client != nullptr ? '+' : '-'; });
    mesh.world.run_for(1s);
    mesh.relay->shutdown("restart", nullptr);
    mesh.world.run_for(100ms);
    mesh.relay.reset();
    mesh.start_relay();
    mesh.world.run_for(5s);
    EXPECT_EQ(seen, is_documented ? "-+" : "");
    ASSERT_NE(member.client(), nullptr);
    EXPECT_TRUE(member.client()->connected());
  }
}

// A node that is killed takes its membership with it, at any time.
TEST_F(MembershipTest, EndsWithItsNode) {
  start_relay();
  start(documented(settings_for("a")));
  world.run_for(1s);
  membership->kill_client("test");
  hosts["a"]->kill();
  membership.reset();
  world.run_for(100s);
  EXPECT_EQ(relay->stats().sessions, 0u);
  EXPECT_THAT(world.events_of("a", kinds::mesh_failed), IsEmpty());
}

}  // namespace
}  // namespace distlab::mesh
