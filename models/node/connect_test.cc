// Making and losing connections: dials, cookies, the set-up timer, limits. Two attempts at once are
// in duplicate_test.cc.
// Rows are those of the facts page otp-distribution.md.
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/host/testing/peer.h"
#include "models/node/testing/test_node.h"

namespace distlab::node {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Lab;
using testing::TestNode;

std::vector<std::string> names(std::initializer_list<char> letters) {
  std::vector<std::string> out;
  for (const char letter : letters) out.push_back(Lab::name_of(letter));
  return out;
}

TEST(Connect, BothSidesKnowEachOther) {
  // connect_node/1 makes both sides visible to each other, with the flags both announced.
  Lab lab;
  TestNode& a = lab.start('a');
  TestNode& b = lab.start('b');
  EXPECT_TRUE(lab.connect(a, b));
  lab.world.run_for(100ms);
  EXPECT_EQ(a.kernel.visible_nodes(), names({'b'}));
  EXPECT_EQ(b.kernel.visible_nodes(), names({'a'}));
  EXPECT_EQ(a.kernel.flags(b.name()), dist::default_flags(true));
  EXPECT_THAT(a.told, ElementsAre("up b@hostb.test"));
  EXPECT_THAT(b.told, ElementsAre("up a@hosta.test"));
  EXPECT_THAT(lab.fields(a, kinds::node_up, "direction"), ElementsAre("out"));
  EXPECT_THAT(lab.fields(b, kinds::node_up, "direction"), ElementsAre("in"));
}

TEST(Connect, SendingConnectsOnDemandAndKeepsTheOrder) {
  // What is sent before the connection is up waits for it, in order, and goes before any greeting.
  Lab lab;
  TestNode& a = lab.start('a');
  TestNode& b = lab.start('b');
  lab.world.run_for(10ms);
  a.send_to(b.name(), "first");
  a.send_to(b.name(), "second");
  EXPECT_EQ(a.kernel.state(b.name()), PeerState::pending);
  lab.world.run_for(1s);
  EXPECT_THAT(b.received, ElementsAre("first from a@hosta.test", "second from a@hosta.test",
                                      "global_name_server from a@hosta.test"));
}

TEST(Connect, BytesMayComeOneByOne) {
  // Facts section 1: 1-byte chunking also works, in the handshake and after it.
  Lab lab;
  lab.world.tcp().chunk = 1;
  TestNode& a = lab.start('a');
  TestNode& b = lab.start('b');
  EXPECT_TRUE(lab.connect(a, b));
  b.echo = true;
  a.send_to(b.name(), "echo", 1000);
  lab.world.run_for(1s);
  EXPECT_THAT(a.received, Contains("answer from b@hostb.test"));
}

TEST(Connect, ThreeNodesMeshIndependently) {
  // Connections are per pair: dropping one leaves the others alone.
  Lab lab;
  TestNode& a = lab.start('a');
  TestNode& b = lab.start('b');
  TestNode& c = lab.start('c');
  EXPECT_TRUE(lab.connect(a, b));
  EXPECT_TRUE(lab.connect(b, c));
  EXPECT_TRUE(lab.connect(c, a));
  a.kernel.disconnect(b.name());
  lab.world.run_for(1s);
  EXPECT_EQ(a.kernel.visible_nodes(), names({'c'}));
  EXPECT_EQ(b.kernel.visible_nodes(), names({'c'}));
  EXPECT_EQ(c.kernel.visible_nodes(), names({'a', 'b'}));
}

TEST(Connect, DisconnectIsCalledSoHereAndConnectionClosedThere) {
  // erlang:disconnect_node/1: reason disconnect at the asking side.
  Lab lab;
  TestNode& a = lab.start('a');
  TestNode& b = lab.start('b');
  EXPECT_TRUE(lab.connect(a, b));
  lab.world.run_for(10ms);
  a.kernel.disconnect(b.name());
  lab.world.run_for(1s);
  EXPECT_THAT(a.told, ElementsAre("up b@hostb.test", "down b@hostb.test disconnect"));
  EXPECT_THAT(b.told, ElementsAre("up a@hosta.test", "down a@hosta.test connection_closed"));
}

TEST(Connect, AKilledPeerIsConnectionClosed) {
  // kill -9 of b: its kernel closes the socket, and a knows one way later.
  Lab lab;
  TestNode& a = lab.start('a');
  TestNode& b = lab.start('b');
  EXPECT_TRUE(lab.connect(a, b));
  lab.world.run_for(10ms);
  const Time killed = lab.world.now();
  b.host.kill();
  lab.world.run_for(1s);
  ASSERT_EQ(a.downs.size(), 1u);
  EXPECT_EQ(a.downs[0].second, "connection_closed");
  EXPECT_EQ(a.downs[0].first - killed, 1ms);
}

TEST(Connect, HiddenNodesAreConnectedButNotVisible) {
  // Facts section 3: without PUBLISHED a node is hidden, from both sides.
  Lab lab;
  TestNode& a = lab.start('a');
  TestNode& b = lab.start('b', {.hidden = true});
  EXPECT_TRUE(lab.connect(a, b));
  lab.world.run_for(10ms);
  for (TestNode* node : {&a, &b}) {
    EXPECT_THAT(node->kernel.visible_nodes(), IsEmpty());
    EXPECT_EQ(node->kernel.hidden_nodes().size(), 1u);
  }
  EXPECT_THAT(a.told, ElementsAre("hidden-up b@hostb.test"));
}

TEST(Connect, OurselvesWeAreConnectedTo) {
  // net_kernel:connect_node(node()) is true; nothing is dialled.
  Lab lab;
  TestNode& a = lab.start('a');
  const auto result = a.connect(a.name());
  EXPECT_FALSE(result->has_value());
  lab.world.run_for(1ms);
  EXPECT_EQ(*result, true);
  EXPECT_THAT(lab.fields(a, kinds::connect_started, "reason"), IsEmpty());
}

TEST(CookieCheck, AMismatchIsLoggedAtTheAcceptorAndCuredLive) {
  // Facts section 4: a pang without a log, b's log line, and set_cookie/2 cures it.
  Lab lab;
  TestNode& a = lab.start('a', {.cookie = "other"});
  TestNode& b = lab.start('b');
  EXPECT_FALSE(lab.connect(a, b));
  EXPECT_THAT(lab.logs(a), IsEmpty());
  EXPECT_THAT(lab.logs(b), ElementsAre("** Connection attempt from node 'a@hosta.test' rejected. Invalid challenge "
                                       "reply. **"));
  EXPECT_THAT(a.told, ElementsAre("failed b@hostb.test"));
  EXPECT_THAT(b.told, ElementsAre("failed a@hosta.test"));
  b.kernel.cookies().set(a.name(), "other");
  EXPECT_TRUE(lab.connect(a, b));
}

TEST(CookieCheck, CookiesArePerPeer) {
  // Two peers with cookies of their own, side by side.
  Lab lab;
  TestNode& a = lab.start('a', {.cookie = "ca"});
  TestNode& b = lab.start('b', {.peer_cookies = {{Lab::name_of('a'), "ca"}}});
  TestNode& c = lab.start('c');
  EXPECT_TRUE(lab.connect(a, b));
  EXPECT_TRUE(lab.connect(c, b));
  EXPECT_FALSE(lab.connect(a, c));
}

TEST(CookieCheck, ALiveConnectionOutlivesAChange) {
  // auth.erl: cookies are looked at in the handshake only.
  Lab lab;
  TestNode& a = lab.start('a');
  TestNode& b = lab.start('b');
  EXPECT_TRUE(lab.connect(a, b));
  a.kernel.cookies().set_own("new");
  lab.world.run_for(200s);
  EXPECT_TRUE(a.kernel.connected(b.name()));
  a.kernel.disconnect(b.name());
  lab.world.run_for(1s);
  EXPECT_FALSE(lab.connect(a, b));
}

TEST(Refusals, NodesThatAreNotAllowed) {
  // net_kernel:allow/1, at the dialling and at the accepting side, with OTP's lines.
  Lab lab;
  TestNode& a = lab.start('a');
  TestNode& b = lab.start('b', {.allowed = {"hostc.test"}});
  TestNode& c = lab.start('c');
  EXPECT_FALSE(lab.connect(a, b));
  EXPECT_THAT(lab.logs(b), ElementsAre("** Connection attempt from disallowed node a@hosta.test ** "));
  EXPECT_FALSE(lab.connect(b, a));
  EXPECT_THAT(lab.logs(b), Contains("** Connection attempt with disallowed node 'a@hosta.test' ** "));
  EXPECT_TRUE(lab.connect(c, b));
}

TEST(Refusals, MissingFlagsAreNamed) {
  // Facts section 3: missing any mandatory flag without the digest: refused, with OTP's line.
  Lab lab;
  TestNode& a = lab.start('a');
  TestNode& b = lab.start('b', {.dropped_flags = dist::flag::utf8_atoms | dist::flag::mandatory_25_digest});
  EXPECT_FALSE(lab.connect(a, b));
  ASSERT_EQ(lab.logs(a).size(), 1u);
  EXPECT_THAT(lab.logs(a)[0],
              ::testing::HasSubstr("Connection attempt to node 'b@hostb.test' aborted since it cannot"));
}

TEST(Refusals, NobodyThereAndNoSuchHost) {
  // Facts section 4: refused and unknown host: pang at once.
  Lab lab;
  lab.set_delay(200us);
  TestNode& a = lab.start('a');
  lab.host('b');
  lab.world.run_for(1ms);
  for (const char* peer : {"b@hostb.test", "x@nowhere.test"}) {
    const Time asked = lab.world.now();
    const auto result = a.connect(peer);
    ASSERT_TRUE(lab.world.run_until([&] { return result->has_value(); }, 1s));
    EXPECT_FALSE(**result);
    EXPECT_LE(lab.world.now() - asked, 1600us);
  }
  EXPECT_THAT(lab.fields(a, kinds::connect_failed, "reason"),
              ElementsAre("connect: econnrefused", "address: nxdomain"));
  EXPECT_THAT(a.told, ElementsAre("failed b@hostb.test", "failed x@nowhere.test"));
}

TEST(Refusals, IllegalNodeNames) {
  // Without exactly one '@' nothing is dialled.
  Lab lab;
  TestNode& a = lab.start('a');
  for (const char* peer : {"", "b", "@hostb.test", "b@", "b@c@hostb.test"}) {
    const auto result = a.connect(peer);
    lab.world.run_for(1ms);
    EXPECT_EQ(*result, false) << peer;
  }
  EXPECT_THAT(a.told, IsEmpty());
}

TEST(AutoConnecting, NeverAndOnce) {
  // dist_auto_connect: `never` drops what is sent; `once` bars a peer after its first nodedown until
  // somebody connects explicitly.
  Lab lab;
  TestNode& a = lab.start('a', {.auto_connect = AutoConnect::never});
  TestNode& b = lab.start('b', {.auto_connect = AutoConnect::once});
  lab.world.run_for(1ms);
  a.send_to(b.name(), "dropped");
  EXPECT_EQ(a.kernel.state(b.name()), PeerState::none);
  b.send_to(a.name(), "first");
  lab.world.run_for(10ms);
  EXPECT_TRUE(b.kernel.connected(a.name()));
  a.kernel.disconnect(b.name());
  lab.world.run_for(10ms);
  b.send_to(a.name(), "barred");
  EXPECT_EQ(b.kernel.state(a.name()), PeerState::none);
  EXPECT_TRUE(lab.connect(b, a));
}

class SetupTimer : public ::testing::TestWithParam<Duration> {};

TEST_P(SetupTimer, ASilentPeerIsGivenUpAfterIt) {
  // Facts section 4: silent pipe: pang at 7.00 s, or at net_setuptime.
  Lab lab;
  lab.set_delay(0s);
  TestNode& a = lab.start('a', {.net_setuptime = GetParam()});
  conformance::Peer silent;
  const auto listener = *lab.host('b').listen_tcp({any_address, testing::dist_port},
                                                  [&](auto stream) { silent.take(std::move(stream)); });
  lab.world.run_for(1ms);
  const Time asked = lab.world.now();
  const auto result = a.connect("b@hostb.test");
  ASSERT_TRUE(lab.world.run_until([&] { return result->has_value(); }, 200s));
  EXPECT_FALSE(**result);
  EXPECT_EQ(lab.world.now() - asked, GetParam());
  EXPECT_THAT(lab.fields(a, kinds::connect_failed, "reason"), ElementsAre("setup_timer_timeout"));
}

TEST_P(SetupTimer, ASilentDiallerIsClosedAfterIt) {
  // Facts section 4: silent inbound TCP is closed after the same time, without a log.
  Lab lab;
  TestNode& b = lab.start('b', {.net_setuptime = GetParam()});
  conformance::Peer silent;
  silent.stream = lab.host('a').connect_tcp({b.host.address(), testing::dist_port}, silent);
  ASSERT_TRUE(lab.world.run_until([&] { return silent.connected == 1; }, 1s));
  EXPECT_FALSE(lab.world.run_until([&] { return silent.closed.has_value(); }, GetParam() - 10ms));
  EXPECT_TRUE(lab.world.run_until([&] { return silent.closed.has_value(); }, 20ms));
  EXPECT_THAT(lab.logs(b), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Times, SetupTimer, ::testing::Values(2s, 7s, 25s));

TEST(SetupTimerSteps, EveryStepHasTheWholeTime) {
  // Facts section 4: RTT 6.4 s connects after four one-way delays (12.8 s); RTT 7.2 s fails.
  for (const auto& [one_way, connects] : {std::pair{3200ms, true}, {3600ms, false}}) {
    Lab lab;
    lab.world.tcp().instant_connect = true;
    lab.set_delay(one_way);
    TestNode& a = lab.start('a');
    TestNode& b = lab.start('b');
    lab.world.run_for(1ms);
    const Time asked = lab.world.now();
    EXPECT_EQ(lab.connect(a, b), connects);
    const double elapsed = to_seconds(lab.world.now() - asked);
    EXPECT_NEAR(elapsed, connects ? 12.8 : 7.0, 0.01);
  }
}

TEST(Garbage, IsClosedAtOnceWithoutALog) {
  // Facts section 4: garbage instead of a name: closed in a millisecond, no log.
  for (const std::string& garbage :
       {std::string("\0\x05hello", 7), std::string("GET / HTTP/1.0\r\n\r\n") + std::string(0x4800, 'x'),
        std::string("\0\0", 2)}) {
    Lab lab;
    TestNode& b = lab.start('b');
    conformance::Peer rude;
    rude.stream = lab.host('a').connect_tcp({b.host.address(), testing::dist_port}, rude);
    rude.stream->write(Bytes(reinterpret_cast<const uint8_t*>(garbage.data()), garbage.size()));
    EXPECT_TRUE(lab.world.run_until([&] { return rude.closed.has_value(); }, 10ms));
    EXPECT_THAT(lab.logs(b), IsEmpty());
    EXPECT_THAT(b.told, IsEmpty());
  }
}

TEST(Limits, ConnectionsAreCounted) {
  // At the limit further streams are turned away; room comes back when the silent ones time out.
  Lab lab;
  TestNode& b = lab.start('b', {.max_connections = 10});
  TestNode& a = lab.start('a');
  std::vector<std::unique_ptr<conformance::Peer>> idle;
  for (int i = 0; i < 30; ++i) {
    idle.push_back(std::make_unique<conformance::Peer>());
    idle.back()->stream = lab.host('z').connect_tcp({b.host.address(), testing::dist_port}, *idle.back());
  }
  lab.world.run_for(100ms);
  EXPECT_EQ(std::count_if(idle.begin(), idle.end(), [](const auto& peer) { return peer->closed.has_value(); }), 20);
  EXPECT_FALSE(lab.connect(a, b, 1s));
  lab.world.run_for(7s);
  EXPECT_TRUE(lab.connect(a, b, 1s));
}

TEST(Busy, SendersAreToldAndResumed) {
  // busy_dist_port: beyond the limit send() says busy; once the peer reads again, on_resume. Facts
  // section 4, unread a->b.
  Lab lab;
  TestNode& a = lab.start('a', {.dist_buf_busy_limit = 64 * 1024});
  TestNode& b = lab.start('b');
  EXPECT_TRUE(lab.connect(a, b));
  lab.world.run_for(10ms);
  b.host.freeze();
  const dist::Pid from{a.name(), 1, 0, a.kernel.creation()};
  const dist::Message message{dist::RegSend{from, "sink"}, etf::binary(std::vector<uint8_t>(10'000, 'x'))};
  auto result = process::SendResult::sent;
  int sent = 0;
  for (; result == process::SendResult::sent && sent < 1000; ++sent) {
    result = a.kernel.send(b.name(), message);
    lab.world.run_for(100us);
  }
  EXPECT_EQ(result, process::SendResult::busy);
  EXPECT_GT(sent * 10'000, 512 * 1024);  // both socket buffers, then the limit
  EXPECT_EQ(lab.fields(a, kinds::busy_dist_port, "queued").size(), 1u);
  b.host.thaw();
  lab.world.run_for(100ms);
  EXPECT_THAT(a.told, ElementsAre("up b@hostb.test", "resume b@hostb.test"));
  EXPECT_EQ(std::count(b.received.begin(), b.received.end(), "sink from a@hosta.test"), sent);
}

TEST(Busy, APendingConnectionHasTheSameLimit) {
  // dist.c: what waits for a connection is held against the busy limit, too.
  Lab lab;
  TestNode& a = lab.start('a', {.dist_buf_busy_limit = 64 * 1024});
  TestNode& b = lab.start('b');
  lab.world.run_for(1ms);
  const dist::Pid from{a.name(), 1, 0, a.kernel.creation()};
  const dist::Message message{dist::RegSend{from, "sink"}, etf::binary(std::vector<uint8_t>(40'000, 'x'))};
  EXPECT_EQ(a.kernel.send(b.name(), message), process::SendResult::sent);
  EXPECT_EQ(a.kernel.send(b.name(), message), process::SendResult::busy);
  lab.world.run_for(1s);
  EXPECT_THAT(a.told, ElementsAre("up b@hostb.test", "resume b@hostb.test"));
}

}  // namespace
}  // namespace distlab::node
