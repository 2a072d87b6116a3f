// Making and losing connections: dials, simultaneous connects, cookies, the set-up timer.
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

TEST(Simultaneous, BothAttemptsEndInOneConnection) {
  // Facts section 4: 50 ms one way, 25 of 25 both pong, statuses ok, nok and ok_simultaneous mixed.
  Lab lab(7);
  lab.set_delay(50ms);
  TestNode& a = lab.start('a');
  TestNode& b = lab.start('b');
  RandomStream random(7, "test", "offsets");
  for (int round = 0; round < 25; ++round) {
    std::shared_ptr<std::optional<bool>> from_a, from_b;
    lab.world.after(random.between(0ms, 250ms), [&] { from_a = a.connect(b.name()); });
    lab.world.after(random.between(0ms, 250ms), [&] { from_b = b.connect(a.name()); });
    lab.world.run_for(2s);
    EXPECT_EQ(*from_a, true);
    EXPECT_EQ(*from_b, true);
    EXPECT_EQ(a.kernel.state(b.name()), PeerState::up);
    EXPECT_EQ(b.kernel.state(a.name()), PeerState::up);
    a.kernel.disconnect(b.name());
    lab.world.run_for(1s);
  }
  std::vector<std::string> statuses = lab.statuses(a, "send_status");
  for (const auto& status : lab.statuses(b, "send_status")) statuses.push_back(status);
  EXPECT_THAT(statuses, Contains("ok"));
  EXPECT_THAT(statuses, Contains("nok"));
  EXPECT_THAT(statuses, Contains("ok_simultaneous"));
  EXPECT_EQ(lab.fields(a, kinds::node_up, "direction").size(), 25u);
  EXPECT_EQ(lab.fields(b, kinds::node_up, "direction").size(), 25u);
}

TEST(Simultaneous, WhatWasQueuedSurvivesTheLostAttempt) {
  // The loser's set-up process dies, but not what processes sent: it leaves with the winner's.
  Lab lab;
  lab.set_delay(50ms);
  TestNode& a = lab.start('a');
  TestNode& b = lab.start('b');
  lab.world.run_for(10ms);
  a.send_to(b.name(), "of_a");
  b.send_to(a.name(), "of_b");
  lab.world.run_for(2s);
  EXPECT_THAT(b.received, Contains("of_a from a@hosta.test"));
  EXPECT_THAT(a.received, Contains("of_b from b@hostb.test"));
  EXPECT_THAT(lab.statuses(a, "send_status"), ElementsAre("ok_simultaneous"));  // "a..." < "b..."
  EXPECT_THAT(lab.statuses(b, "send_status"), ElementsAre("nok"));
  EXPECT_THAT(a.told, ElementsAre("up b@hostb.test"));
  EXPECT_THAT(lab.fields(a, kinds::connect_failed, "reason"), IsEmpty());
}

// b believes in a connection whose other end is frozen, and another process of the same name dials.
class HalfOpen : public ::testing::Test {
 protected:
  HalfOpen() {
    EXPECT_TRUE(lab_.connect(a_, b_));
    lab_.world.run_for(10ms);
    a_.host.freeze();
  }
  TestNode& redial(const std::string& cookie) {
    NetKernelConfig config{.name = a_.name(), .cookie = cookie};
    again_ = std::make_unique<TestNode>(lab_.host('z'), config);
    return *again_;
  }

  Lab lab_;
  TestNode& a_ = lab_.start('a');
  TestNode& b_ = lab_.start('b');
  std::unique_ptr<TestNode> again_;
};

TEST_F(HalfOpen, AGoodRedialReplacesTheOldConnection) {
  // Facts section 4: status alive, `true` and a good cookie: nodedown wait_pending, then nodeup.
  TestNode& again = redial("c");
  EXPECT_TRUE(lab_.connect(again, b_, 100ms));
  lab_.world.run_for(10ms);
  EXPECT_THAT(b_.told, ElementsAre("up a@hosta.test", "down a@hosta.test wait_pending", "up a@hosta.test"));
  EXPECT_THAT(lab_.statuses(b_, "send_status"), ElementsAre("ok", "alive"));
  EXPECT_THAT(lab_.statuses(b_, "recv_status_reply"), ElementsAre("true"));
  a_.host.thaw();
  lab_.world.run_for(10ms);
  EXPECT_THAT(a_.told, ElementsAre("up b@hostb.test", "down b@hostb.test connection_closed"));
  EXPECT_EQ(b_.kernel.state(a_.name()), PeerState::up);
}

TEST_F(HalfOpen, ABadCookieLeavesTheOldConnection) {
  // Facts section 4: an impostor with a bad cookie changes nothing.
  TestNode& impostor = redial("guess");
  EXPECT_FALSE(lab_.connect(impostor, b_, 1s));
  EXPECT_THAT(b_.told, ElementsAre("up a@hosta.test"));
  EXPECT_EQ(b_.kernel.state(a_.name()), PeerState::up);
  a_.host.thaw();
  lab_.world.run_for(200s);
  EXPECT_THAT(a_.told, ElementsAre("up b@hostb.test"));
}

// A peer made of a bare handshake engine, for what our own net_kernel never says.
class RawDialler {
 public:
  RawDialler(TestHost& host, TestHost& to, dist::InitiatorConfig config) : engine_(std::move(config)) {
    socket_.stream = host.connect_tcp({to.address(), testing::dist_port}, socket_);
  }
  // Moves bytes until the engine asks or ends.
  void run(TestWorld& world, Duration time) {
    for (Duration spent{0}; spent < time; spent += 1ms) {
      const auto out = engine_.take_output();
      socket_.stream->write(out);
      world.run_for(1ms);
      if (!socket_.data.empty()) engine_.on_bytes(std::exchange(socket_.data, {}));
    }
  }
  dist::Initiator& engine() { return engine_; }
  conformance::Peer& socket() { return socket_; }

 private:
  dist::Initiator engine_;
  conformance::Peer socket_;
};

TEST_F(HalfOpen, AnAttemptThatIsNoLongerPendingLeavesTheOldConnection) {
  // Facts section 4: `alive` answered with false: closed, the old link stays.
  RawDialler raw(
      lab_.host('z'), b_.host,
      {.self = a_.name(), .peer = b_.name(), .flags = dist::default_flags(true), .cookie = [](auto) { return "c"; }});
  raw.run(lab_.world, 20ms);
  ASSERT_EQ(raw.engine().state(), dist::HandshakeState::asks_pending);
  EXPECT_EQ(b_.kernel.state(a_.name()), PeerState::up_pending);
  raw.engine().answer_pending(false);
  raw.run(lab_.world, 20ms);
  EXPECT_EQ(b_.kernel.state(a_.name()), PeerState::up);
  EXPECT_THAT(b_.told, ElementsAre("up a@hosta.test"));
  EXPECT_TRUE(raw.socket().closed.has_value());
}

TEST_F(HalfOpen, AThirdAttemptIsClosedWhileOneWaits) {
  // State up_pending: already_pending, closed without a status.
  const dist::InitiatorConfig config{
      .self = a_.name(), .peer = b_.name(), .flags = dist::default_flags(true), .cookie = [](auto) { return "c"; }};
  RawDialler first(lab_.host('z'), b_.host, config);
  first.run(lab_.world, 20ms);
  RawDialler second(lab_.host('y'), b_.host, config);
  second.run(lab_.world, 20ms);
  EXPECT_TRUE(second.socket().closed.has_value());
  EXPECT_FALSE(first.socket().closed.has_value());
  EXPECT_EQ(b_.kernel.state(a_.name()), PeerState::up_pending);
}

TEST_F(HalfOpen, TheOldConnectionMayDieOnItsOwnMeanwhile) {
  // up_pending_nodedown/6: the waiting acceptor becomes the owner, and its {Kernel, pending} is
  // there before it asks.
  RawDialler raw(
      lab_.host('z'), b_.host,
      {.self = a_.name(), .peer = b_.name(), .flags = dist::default_flags(true), .cookie = [](auto) { return "c"; }});
  raw.run(lab_.world, 20ms);
  a_.host.kill();
  lab_.world.run_for(10ms);
  EXPECT_EQ(b_.kernel.state(a_.name()), PeerState::pending);
  raw.engine().answer_pending(true);
  raw.run(lab_.world, 20ms);
  EXPECT_EQ(raw.engine().state(), dist::HandshakeState::done);
  EXPECT_THAT(b_.told, ElementsAre("up a@hosta.test", "down a@hosta.test connection_closed", "up a@hosta.test"));
}

TEST(Names, ANodeWithoutANameIsGivenOne) {
  // NAME_ME: status named:, a name at the peer's host, and the same name again after it went.
  Lab lab;
  TestNode& b = lab.start('b');
  const dist::InitiatorConfig config{.self = "hostz.test",
                                     .peer = b.name(),
                                     .flags = (dist::default_flags(false) | dist::flag::name_me),
                                     .cookie = [](auto) { return "c"; }};
  std::string given;
  {
    RawDialler raw(lab.host('z'), b.host, config);
    raw.run(lab.world, 20ms);
    ASSERT_EQ(raw.engine().state(), dist::HandshakeState::done);
    given = raw.engine().result().given_name;
    EXPECT_EQ(b.kernel.hidden_nodes(), std::vector<std::string>{given});
  }
  lab.world.run_for(20ms);
  EXPECT_THAT(b.kernel.hidden_nodes(), IsEmpty());
  RawDialler raw(lab.host('z'), b.host, config);
  raw.run(lab.world, 20ms);
  EXPECT_EQ(raw.engine().result().given_name, given);
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
