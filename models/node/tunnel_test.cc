// Nodes over the carrier `relay`: what the rows of facts relay-distribution.md section 3.2 come to when
// dist_util and net_kernel are at the ends of the tunnel. The mesh is in memory.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/etf/term.h"
#include "models/host/event_kinds.h"
#include "models/node/net_kernel.h"
#include "models/tunnel/relay_carrier.h"
#include "models/tunnel/testing/broker.h"

namespace distlab::node {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using tunnel::MessageFaultKind;
using Strings = std::vector<std::string>;

class RelayNode final : public process::DistributionListener {
 public:
  RelayNode(tunnel::testing::Broker& broker, TestHost& on, const tunnel::TunnelSettings& settings,
            NetKernelConfig config)
      : host(on),
        client(broker.connect(on)),
        carrier(
            on, settings, slot, [this](std::string_view peer) { return kernel.cookies().of(peer); }, &faults),
        kernel(on, carrier, std::move(config)) {
    slot.set(client.get());
    kernel.set_listener(this);
    kernel.start([](auto) {});
  }

  const std::string& name() const { return kernel.self(); }
  void send(const RelayNode& to, const std::string& process, size_t bytes = 0) {
    const dist::Pid from{name(), 1, 0, kernel.creation()};
    kernel.send(to.name(), {dist::RegSend{from, process}, etf::binary(std::vector<uint8_t>(bytes, 'x'))});
  }

  TestHost& host;
  mesh::ClientSlot slot;
  std::unique_ptr<tunnel::testing::TestClient> client;
  tunnel::MessageFaults faults;
  tunnel::RelayCarrier carrier;
  NetKernel kernel;
  Strings received;  // names of the processes messages were for
  std::vector<std::pair<Time, std::string>> downs;

  void on_message(const std::string&, dist::Message message) override {
    const auto* to = std::get_if<dist::RegSend>(&message.control);
    received.push_back(to ? to->to_name : "?");
  }
  void on_node_up(const std::string&, bool) override {}
  void on_node_down(const std::string&, std::string_view reason) override { downs.emplace_back(host.now(), reason); }
  void on_connect_failed(const std::string&) override {}
  void on_resume(const std::string&) override {}
};

class OverRelay : public ::testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<RelayNode> start(const std::string& letter, Duration ticktime, const std::string& cookie = "c") {
    TestHost* host = nullptr;
    for (TestHost* known : hosts_) {
      if (known->name() == letter) host = known;
    }
    if (host == nullptr) {
      hosts_.push_back(host = &world_.add_host(letter, Ipv4{0x0a000001u + uint32_t(hosts_.size())}));
    }
    NetKernelConfig config;
    config.name = letter + "@host" + letter + ".test";
    config.cookie = cookie;
    config.net_ticktime = ticktime;
    auto node = std::make_unique<RelayNode>(broker_, *host, *tunnel::preset(GetParam()), config);
    world_.run_for(10ms);
    return node;
  }
  // Whether it came about, and how long that took.
  std::pair<bool, Duration> connect(RelayNode& from, const RelayNode& to, Duration limit = 60s) {
    const Time began = world_.now();
    auto result = std::make_shared<std::optional<bool>>();
    from.kernel.connect(to.name(), [result](bool connected) { *result = connected; });
    world_.run_until([&] { return result->has_value(); }, limit);
    EXPECT_TRUE(*result);
    return {result->value_or(false), world_.now() - began};
  }
  void pair(Duration ticktime) {
    a_ = start("a", ticktime);
    b_ = start("b", ticktime);
    EXPECT_TRUE(connect(*a_, *b_).first);
    world_.run_for(ticktime);
  }
  bool both_up() const { return a_->kernel.connected(b_->name()) && b_->kernel.connected(a_->name()); }
  std::vector<std::string> values(std::string_view host, std::string_view kind, std::string_view key) const {
    std::vector<std::string> out;
    for (const auto& recorded : world_.events_of(host, kind)) {
      for (const auto& field : recorded.event.fields) {
        if (field.key == key) out.push_back(std::get<std::string>(field.value));
      }
    }
    return out;
  }

  TestWorld world_;
  tunnel::testing::Broker broker_{world_};
  std::vector<TestHost*> hosts_;
  std::unique_ptr<RelayNode> a_, b_;
};
INSTANTIATE_TEST_SUITE_P(Presets, OverRelay, ::testing::Values("documented", "macula-3.13"),
                         [](const auto& preset) { return preset.param == "documented" ? "documented" : "macula"; });

TEST_P(OverRelay, NodesConnectAndTalk) {
  // The handshake, ticks for a while, and messages both ways; nothing readable at the relay.
  pair(8s);
  world_.run_for(5min);
  EXPECT_TRUE(both_up());
  a_->send(*b_, "echo_server", 100);
  b_->send(*a_, "rex", 300'000);
  world_.run_for(1s);
  EXPECT_EQ(b_->received, Strings{"echo_server"});
  EXPECT_EQ(a_->received, Strings{"rex"});
  EXPECT_GT(broker_.carried.size(), 200u);
  for (const auto& message : broker_.carried) {
    const std::string text(message.payload.begin(), message.payload.end());
    for (const char* word : {"hosta", "echo_server", "xxxx"}) EXPECT_EQ(text.find(word), std::string::npos);
  }
}

TEST_P(OverRelay, F1_AMessageLostInsideAFrameIsABlackHoleUntilTheTicktime) {
  // Measured 8.4 s at ticktime 8 and 73.6 s at 60: no whole frame is read any more, so the receiver finds
  // its peer dead; all that was sent meanwhile is gone, and the sender knows nothing.
  for (const Duration ticktime : {Duration{8s}, Duration{60s}}) {
    pair(ticktime);
    a_->faults.add(b_->name(), {MessageFaultKind::drop, 100, 1, 1000});
    a_->send(*b_, "bulk", 300'000);
    const Time lost = world_.now();
    while (b_->downs.empty() && world_.now() - lost < 2 * ticktime) {
      a_->send(*b_, "later");
      world_.run_for(100ms);
    }
    ASSERT_THAT(b_->downs, SizeIs(1));
    EXPECT_EQ(b_->downs[0].second, "net_tick_timeout");
    EXPECT_GE(b_->downs[0].first - lost, ticktime * 3 / 4);
    EXPECT_LE(b_->downs[0].first - lost, ticktime * 5 / 4);
    EXPECT_THAT(b_->received, IsEmpty());
    EXPECT_THAT(a_->downs, IsEmpty());
    EXPECT_TRUE(a_->kernel.connected(b_->name()));

    // As the next message of B's would do; A's side of the old connection dies of it.
    EXPECT_TRUE(connect(*b_, *a_).first);
    ASSERT_THAT(a_->downs, SizeIs(1));
    EXPECT_EQ(a_->downs[0].second, "wait_pending");
    EXPECT_TRUE(both_up());
  }
}

TEST_P(OverRelay, F2_ASmallMessageIsLostAndTheNodesStayUp) {
  // It was a frame by itself.
  pair(8s);
  a_->faults.add(b_->name(), {MessageFaultKind::drop, 1});
  for (const char* process : {"first", "second"}) {
    a_->send(*b_, process);
    world_.run_for(100ms);
  }
  world_.run_for(1min);
  EXPECT_EQ(b_->received, Strings{"second"});
  EXPECT_TRUE(both_up());
}

TEST_P(OverRelay, F3_AnOutageOfThreeSecondsLosesMessagesAndNobodyNotices) {
  // One message of 3 kB each 100 ms, and the relay silent for 3 s between two of them.
  pair(8s);
  world_.after(1050ms, [&] { broker_.silent = true; });
  world_.after(4050ms, [&] { broker_.silent = false; });
  for (int i = 0; i < 100; ++i) {
    a_->send(*b_, "n" + std::to_string(i), 3000);
    world_.run_for(100ms);
  }
  EXPECT_THAT(b_->received, SizeIs(70));
  EXPECT_EQ(b_->received[11], "n41");
  EXPECT_TRUE(both_up());
  EXPECT_THAT(a_->downs, IsEmpty());
  EXPECT_THAT(b_->downs, IsEmpty());
}

TEST_P(OverRelay, F4_AnIdlePairSurvivesAnOutage) {
  // 5 s at a ticktime of 8: ticks are lost, and that is all.
  pair(8s);
  broker_.silent = true;
  world_.run_for(5s);
  broker_.silent = false;
  world_.run_for(1min);
  EXPECT_TRUE(both_up());
  EXPECT_THAT(a_->downs, IsEmpty());
}

TEST_P(OverRelay, F5_AMessageTwiceIsAMessageTwice) {
  // A process gets it twice, which Erlang promises it never will.
  pair(8s);
  a_->faults.add(b_->name(), {MessageFaultKind::duplicate, 1});
  a_->send(*b_, "account");
  world_.run_for(1min);
  EXPECT_EQ(b_->received, (Strings{"account", "account"}));
  EXPECT_TRUE(both_up());
}

TEST_P(OverRelay, F6_AKilledNodeIsFoundByItsSilence) {
  // Measured 7.7 s at ticktime 8: within 3/4 and 5/4 of it; nothing says goodbye.
  pair(8s);
  const Time killed = world_.now();
  a_.reset();
  world_.run_for(1min);
  ASSERT_THAT(b_->downs, SizeIs(1));
  EXPECT_EQ(b_->downs[0].second, "net_tick_timeout");
  EXPECT_GE(b_->downs[0].first - killed, 6s);
  EXPECT_LE(b_->downs[0].first - killed, 10s);
  EXPECT_EQ(b_->carrier.tunnels(), 0u);
}

TEST_P(OverRelay, F7_AfterADisconnectTheNextConnectEndsTheOld) {
  // A hangs up, B is not told. When A connects again at once, B's status is `alive`, and its old side dies
  // with wait_pending; without that it would find out by the ticktime.
  pair(8s);
  a_->kernel.disconnect(b_->name());
  world_.run_for(1s);
  EXPECT_FALSE(a_->kernel.connected(b_->name()));
  EXPECT_TRUE(b_->kernel.connected(a_->name()));
  const auto [connected, elapsed] = connect(*a_, *b_);
  EXPECT_TRUE(connected);
  EXPECT_LT(elapsed, 100ms);
  world_.run_for(1min);
  EXPECT_TRUE(both_up());
  ASSERT_THAT(b_->downs, SizeIs(1));
  EXPECT_EQ(b_->downs[0].second, "wait_pending");
  EXPECT_EQ(a_->carrier.tunnels(), 1u);
  EXPECT_EQ(b_->carrier.tunnels(), 1u);
}

TEST_P(OverRelay, F8_AWrongCookieIsAPangAfterTheSetupTime) {
  // Measured 7.01 s; one failed decryption at B, and neither side names the cookie.
  a_ = start("a", 8s, "another");
  b_ = start("b", 8s);
  const auto [connected, elapsed] = connect(*a_, *b_);
  EXPECT_FALSE(connected);
  EXPECT_GE(elapsed, 7s);
  EXPECT_LE(elapsed, 7020ms);
  world_.run_for(1min);
  EXPECT_THAT(values("a", kinds::connect_failed, "reason"), ElementsAre("setup_timer_timeout"));
  EXPECT_THAT(world_.events_of("b", kinds::decrypt_failed), SizeIs(1));
  EXPECT_THAT(world_.events_of("b", kinds::log), IsEmpty());
  EXPECT_THAT(world_.events_of("a", kinds::log), IsEmpty());
  EXPECT_EQ(a_->carrier.tunnels() + b_->carrier.tunnels(), 0u) << "the set-up timers close both ends";
}

TEST_P(OverRelay, F9_ALateSubscriptionIsAPang) {
  // dist_util's first word comes before the accepting side listens, and is not repeated.
  a_ = start("a", 8s);
  b_ = start("b", 8s);
  broker_.subscribe_lag = 200ms;
  const auto [connected, elapsed] = connect(*a_, *b_);
  EXPECT_FALSE(connected);
  EXPECT_GE(elapsed, 7s);
  broker_.subscribe_lag = 0s;
  EXPECT_TRUE(connect(*a_, *b_).first);
}

TEST_P(OverRelay, SetUpEndsAfterSevenSecondsWhateverDistTimeoutSays) {
  // Nothing resets the timer while the request has no answer (facts section 0).
  a_ = start("a", 8s);
  b_ = start("b", 8s);
  broker_.mute = true;
  const auto [connected, elapsed] = connect(*a_, *b_);
  EXPECT_FALSE(connected);
  EXPECT_EQ(elapsed, 7s);
  world_.run_for(1min);
  EXPECT_THAT(world_.events_of("a", kinds::tunnel_failed), IsEmpty());
}

TEST_P(OverRelay, F13_ASimultaneousConnectEndsWithOneConnection) {
  // Two tunnels are built; net_kernel lets one of the attempts win, and the other's tunnel goes.
  a_ = start("a", 8s);
  b_ = start("b", 8s);
  std::vector<bool> results;
  a_->kernel.connect(b_->name(), [&](bool connected) { results.push_back(connected); });
  b_->kernel.connect(a_->name(), [&](bool connected) { results.push_back(connected); });
  world_.run_for(1min);
  EXPECT_THAT(results, ElementsAre(true, true));
  EXPECT_TRUE(both_up());
  EXPECT_THAT(a_->downs, IsEmpty());
  EXPECT_THAT(b_->downs, IsEmpty());
  EXPECT_EQ(a_->carrier.tunnels(), 1u);
  EXPECT_EQ(b_->carrier.tunnels(), 1u);
}

TEST_P(OverRelay, F11_AReplacedClientIsNoticedByItsBridge) {
  // A's client is killed and another registered after 5 s, at ticktime 120 with nothing to send. By the
  // documentation's words nobody notices. In the code the bridge dies of it (tunnel::recv_outlives_reader),
  // A is told by its socket, and B finds out by the ticktime.
  pair(120s);
  const Time died = world_.now();
  const auto old = std::move(a_->client);
  a_->slot.set(nullptr);
  old->kill();
  world_.run_for(5s);
  a_->client = broker_.connect(a_->host);
  a_->slot.set(a_->client.get());
  world_.run_for(10s);
  if (GetParam() == "documented") {
    world_.run_for(10min);
    EXPECT_TRUE(both_up());
    a_->send(*b_, "still");
    world_.run_for(1s);
    EXPECT_EQ(b_->received, Strings{"still"});
    return;
  }
  ASSERT_THAT(a_->downs, SizeIs(1));
  EXPECT_EQ(a_->downs[0].second, "connection_closed");
  EXPECT_EQ(a_->downs[0].first - died, 6s);
  EXPECT_TRUE(b_->kernel.connected(a_->name()));
  world_.run_for(10min);
  ASSERT_THAT(b_->downs, SizeIs(1));
  EXPECT_EQ(b_->downs[0].second, "net_tick_timeout");
}

TEST_P(OverRelay, F12_ADeadClientEndsOneSideOnly) {
  // A's bridge gives up after 30 s, and A is told by its socket; B learns nothing before the ticktime.
  pair(120s);
  const Time died = world_.now();
  a_->slot.set(nullptr);
  a_->client->kill();
  world_.run_for(29s);
  EXPECT_TRUE(both_up());
  world_.run_for(2s);
  ASSERT_THAT(a_->downs, SizeIs(1));
  EXPECT_EQ(a_->downs[0].second, "connection_closed");
  EXPECT_EQ(a_->downs[0].first - died, 30s);
  EXPECT_THAT(b_->downs, IsEmpty());
  world_.run_for(3min);
  ASSERT_THAT(b_->downs, SizeIs(1));
  EXPECT_EQ(b_->downs[0].second, "net_tick_timeout");
}

}  // namespace
}  // namespace distlab::node
