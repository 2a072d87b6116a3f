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
using Raw = std::vector<uint8_t>;

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
  EXPECT_EQ((*result)->nodes, (std::vector<std::pair<std::string, uint16_t>>{{"b", 4001}, {"a", 4000}}));
}

// Only nodes of the daemon's own machine may register; others are hung up on.
TEST_F(Epmd, RegistersItsOwnMachineOnly) {
  conformance::Peer stranger, local;
  stranger.stream = other_.connect_tcp({machine, default_port}, stranger);
  local.stream = node_.connect_tcp({machine, default_port}, local);
  ASSERT_TRUE(world_.run_until([&] { return stranger.connected == 1 && local.connected == 1; }, 1s));
  for (conformance::Peer* peer : {&stranger, &local}) {
    peer->stream->write(encode(Request(Alive2Request{.port = 1, .name = "n", .extra = ""})));
  }
  world_.run_for(1s);
  EXPECT_TRUE(stranger.closed);
  EXPECT_TRUE(stranger.data.empty());
  EXPECT_FALSE(local.closed);
  EXPECT_EQ(local.data.size(), 6u);
}

// Whatever arrives keeps a request alive; a registered node is never idle.
TEST_F(Epmd, CountsIdlenessFromTheLastByte) {
  Registered joined;
  const auto registration = join(node_, "a", joined);
  conformance::Peer slow;
  slow.stream = other_.connect_tcp({machine, default_port}, slow);
  world_.run_for(50s);
  slow.stream->write(std::vector<uint8_t>{0});
  world_.run_for(50s);
  EXPECT_FALSE(slow.closed);
  world_.run_for(11s);
  EXPECT_TRUE(slow.closed);
  EXPECT_EQ(server_.registered(), 1u);
}

// An EPMD that answers and holds the connection open, or goes on talking: the port is reported
// once, when the connection ends, and a refusal after 10 s at the latest.
TEST_F(Epmd, AsksAnEpmdThatDoesNotHangUp) {
  TestHost& odd = world_.add_host("odd", Ipv4{0x0a000005});
  const Raw found = encode(Port2Response{0, {.port = 4000, .name = "n", .extra = ""}});
  for (const Raw& answer : {found, encode(Port2Response{1, {}}), Raw{1, 2, 3}}) {
    conformance::Peer epmd;
    const auto listener =
        odd.listen_tcp({any_address, default_port}, [&](auto stream) { epmd.take(std::move(stream)); });
    int outcomes = 0;
    Found outcome;
    const PortPlease ask(other_, {odd.address(), default_port}, "n", [&](auto result) {
      ++outcomes;
      outcome = std::move(result);
    });
    ASSERT_TRUE(world_.run_until([&] { return !epmd.data.empty(); }, 1s));
    epmd.stream->write(answer);
    world_.run_for(9s);
    EXPECT_EQ(outcomes, 0);
    epmd.stream->write(answer);
    world_.run_for(20s);
    EXPECT_EQ(outcomes, answer == found ? 0 : 1);
    epmd.stream->close();
    world_.run_for(20s);
    ASSERT_EQ(outcomes, 1);
    EXPECT_EQ(outcome->has_value(), answer == found);
  }
}

// A list of names without end is given up, once.
TEST_F(Epmd, GivesUpOnEndlessNames) {
  TestHost& odd = world_.add_host("odd", Ipv4{0x0a000005});
  conformance::Peer epmd;
  const auto listener = odd.listen_tcp({any_address, default_port}, [&](auto stream) { epmd.take(std::move(stream)); });
  std::vector<NetError> errors;
  const Names names(other_, {odd.address(), default_port}, [&](auto result) { errors.push_back(result.error()); });
  ASSERT_TRUE(world_.run_until([&] { return !epmd.data.empty(); }, 1s));
  for (int i = 0; i < 100 && !epmd.closed; ++i) {
    epmd.stream->write(Raw(100'000, 'x'));
    world_.run_for(50ms);
  }
  EXPECT_EQ(errors, std::vector<NetError>{NetError::limit});
  EXPECT_TRUE(epmd.closed);
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
