// The daemon and its clients, over an in-memory network.
#include <memory>
#include <optional>

#include <gtest/gtest.h>

#include "models/epmd/client.h"
#include "models/epmd/server.h"
#include "models/host/test_host.h"
#include "models/host/testing/peer.h"

namespace distlab::epmd {
namespace {

using namespace std::chrono_literals;

class Epmd : public testing::Test {
 protected:
  using Registered = std::optional<tl::expected<uint32_t, NetError>>;
  using Found = std::optional<tl::expected<Alive2Request, NetError>>;

  std::unique_ptr<Registration> join(TestHost& host, const std::string& name, Registered& result,
                                     uint16_t port = 4000) {
    auto registration = std::make_unique<Registration>(host, Registration::Options{},
                                                       Alive2Request{.port = port, .name = name, .extra = ""},
                                                       [&result](auto outcome) { result = outcome; });
    EXPECT_TRUE(world_.run_until([&] { return result.has_value(); }, 30s));
    return registration;
  }
  Found find(const std::string& name) {
    Found result;
    const PortPlease ask(other_, {machine, default_port}, name, [&](auto outcome) { result = outcome; });
    EXPECT_TRUE(world_.run_until([&] { return result.has_value(); }, 30s));
    return result;
  }

  static constexpr Ipv4 machine{0x0a000001};
  TestWorld world_{1};
  TestHost& daemon_ = world_.add_host("epmd", machine);
  TestHost& node_ = world_.add_host("a", machine);
  TestHost& other_ = world_.add_host("b", Ipv4{0x0a000002});
  Server server_{daemon_};
};

// A registered node is found by its name and its port, also from another machine.
TEST_F(Epmd, FindsWhatIsRegistered) {
  Registered joined;
  const auto registration = join(node_, "a", joined);
  ASSERT_TRUE(joined->has_value());
  EXPECT_GT(**joined, 3u);
  const Found found = find("a");
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->port, 4000);
  EXPECT_EQ((*found)->highest, 6);
  EXPECT_EQ(find("nobody")->error(), NetError::not_found);
}

// One name, one node: the second is refused, and the first is not disturbed.
TEST_F(Epmd, ANameIsTakenOnce) {
  Registered first, second;
  const auto holder = join(node_, "a", first);
  const auto rival = join(other_, "x", second);  // no EPMD on that machine
  EXPECT_EQ(second->error(), NetError::refused);
  Registered third;
  const auto clash = join(node_, "a", third, 4001);
  EXPECT_EQ(third->error(), NetError::address_in_use);
  EXPECT_EQ((*find("a"))->port, 4000);
}

// A name is free again when its node's connection ends, and the next holder has another creation.
TEST_F(Epmd, ANameLivesAsLongAsItsConnection) {
  Registered first, second;
  auto registration = join(node_, "a", first);
  registration.reset();
  world_.run_for(100ms);
  EXPECT_EQ(server_.registered(), 0u);
  registration = join(node_, "a", second);
  ASSERT_TRUE(second->has_value());
  EXPECT_NE(**first, **second);
}

// A node registers again 2 s after EPMD went away, as erl_epmd does.
TEST_F(Epmd, RegistersAgainWhenEpmdComesBack) {
  TestHost& shaky_host = world_.add_host("epmd2", Ipv4{0x0a000003});
  TestHost& shaky_node = world_.add_host("c", Ipv4{0x0a000003});
  auto shaky = std::make_unique<Server>(shaky_host);
  Registered joined;
  const auto registration = join(shaky_node, "c", joined);
  ASSERT_TRUE(joined->has_value());
  shaky.reset();
  world_.run_for(500ms);
  Server back(shaky_host);
  world_.run_for(1s);
  EXPECT_EQ(back.registered(), 0u);
  world_.run_for(1s);
  EXPECT_EQ(back.registered(), 1u);
}

// NAMES lists all nodes, as `epmd -names` shows them.
TEST_F(Epmd, ListsNames) {
  Registered a, b;
  const auto first = join(node_, "a", a), second = join(node_, "b", b, 4001);
  std::optional<tl::expected<NamesResponse, NetError>> result;
  const Names names(other_, {machine, default_port}, [&](auto outcome) { result = outcome; });
  ASSERT_TRUE(world_.run_until([&] { return result.has_value(); }, 30s));
  ASSERT_TRUE(result->has_value());
  EXPECT_EQ((*result)->epmd_port, default_port);
  EXPECT_EQ((*result)->nodes, (std::vector<std::pair<std::string, uint16_t>>{{"a", 4000}, {"b", 4001}}));
}

// A peer that says nothing, or nonsense, loses its connection; the daemon goes on.
TEST_F(Epmd, DropsTheIdleAndTheMalformed) {
  conformance::Peer silent, rude;
  silent.stream = other_.connect_tcp({machine, default_port}, silent);
  rude.stream = other_.connect_tcp({machine, default_port}, rude);
  ASSERT_TRUE(world_.run_until([&] { return rude.connected == 1; }, 1s));
  rude.stream->write(std::vector<uint8_t>{0, 1, 99});
  EXPECT_TRUE(world_.run_until([&] { return rude.closed.has_value(); }, 1s));
  world_.run_for(58s);
  EXPECT_FALSE(silent.closed);
  world_.run_for(3s);
  EXPECT_TRUE(silent.closed);
  EXPECT_EQ(find("nobody")->error(), NetError::not_found);
}

// Connections beyond the limit are turned away at once; those inside it are served.
TEST_F(Epmd, LimitsConnections) {
  TestHost& small_host = world_.add_host("small", Ipv4{0x0a000004});
  Server small(small_host, {.max_connections = 2});
  std::vector<std::unique_ptr<conformance::Peer>> peers;
  for (int i = 0; i < 3; ++i) {
    peers.push_back(std::make_unique<conformance::Peer>());
    peers.back()->stream = other_.connect_tcp({Ipv4{0x0a000004}, default_port}, *peers.back());
  }
  world_.run_for(1s);
  EXPECT_FALSE(peers[0]->closed);
  EXPECT_FALSE(peers[1]->closed);
  EXPECT_TRUE(peers[2]->closed);
}

}  // namespace
}  // namespace distlab::epmd
