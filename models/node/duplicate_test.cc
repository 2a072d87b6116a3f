// Two connections to one node name: simultaneous connects, half-open links and redials, impostors;
// and names given to peers that have none. Rows are those of the facts page otp-distribution.md.
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

}  // namespace
}  // namespace distlab::node
