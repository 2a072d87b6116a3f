// Ns3Host against the contract every Host must keep, and the life of simulated processes.
#include "sim/ns3_host.h"

#include <gtest/gtest.h>
#include <ns3/simulator.h>

#include "models/host/testing/conformance.h"
#include "sim/ns3_time.h"
#include "sim/simulator.h"

namespace distlab::sim {
namespace {

using namespace std::chrono_literals;

class SimGround final : public conformance::Ground {
 public:
  explicit SimGround(uint64_t seed) : simulator_(seed), network_(seed) {
    network_.add_site("here", {.delay = 1ms}, {});
    network_.add_site("there", {.delay = 1ms}, {});
    network_.add_machine("a.test", "here");
    network_.add_machine("b.test", "there");
    network_.set_default_path({.delay = 5ms});
    a_ = std::make_unique<Ns3Host>(
        network_, "a", "a.test", Ns3Host::Options{.seed = seed, .quiet_kinds = {}},
        [this](Time at, const std::string&, const Event& e) { recorded_.emplace_back(at, e); });
    b_ = std::make_unique<Ns3Host>(network_, "b", "b.test", Ns3Host::Options{.seed = seed, .quiet_kinds = {}}, nullptr);
  }
  Host& a() override { return *a_; }
  Host& b() override { return *b_; }
  Ns3Host& process_b() { return *b_; }
  Network& network() { return network_; }
  Ipv4 a_address() const override { return *network_.address("a.test"); }
  Ipv4 b_address() const override { return *network_.address("b.test"); }
  bool run_until(const std::function<bool()>& done, Duration limit) override {
    const Time end = ns3_now() + limit;
    while (!done()) {
      if (ns3_now() >= end) return false;
      simulator_.run_until(std::min(end, ns3_now() + 1ms));
    }
    return true;
  }
  std::vector<std::pair<Time, Event>> recorded_by_a() override { return recorded_; }

 private:
  Simulator simulator_;
  Network network_;
  std::unique_ptr<Ns3Host> a_, b_;
  std::vector<std::pair<Time, Event>> recorded_;
};

std::unique_ptr<conformance::Ground> make_sim_ground(uint64_t seed) {
  return std::make_unique<SimGround>(seed);
}

// A frozen process hears nothing, its timers wait, and everything comes at thaw.
TEST(Ns3HostLife, FrozenProcessHearsNothingUntilThaw) {
  SimGround ground(1);
  conformance::Peer client, server;
  auto listener = ground.b().listen_tcp({ground.b_address(), 4000},
                                        [&](std::unique_ptr<ByteStream> stream) { server.take(std::move(stream)); });
  ASSERT_TRUE(listener);
  ground.process_b().freeze();
  bool fired = false;
  ground.b().start_timer(10ms, [&] { fired = true; });
  client.stream = ground.a().connect_tcp({ground.b_address(), 4000}, client);
  // The kernel of the frozen process's machine completes the connection on its own.
  ASSERT_TRUE(ground.run_until([&] { return client.connected == 1; }, 1s));
  ground.run_until([] { return false; }, 1s);
  EXPECT_FALSE(server.stream);
  EXPECT_FALSE(fired);
  ground.process_b().thaw();
  ground.run_until([] { return false; }, 1ms);
  EXPECT_TRUE(server.stream);
  EXPECT_TRUE(fired);
}

// A process stopped again by what it hears first on waking still hears the rest when it wakes for good.
TEST(Ns3HostLife, StoppedAgainWhileWakingLosesNothing) {
  SimGround ground(1);
  struct Ear : UdpHandler {
    void on_datagram(Endpoint, Bytes) override {
      ++heard;
      if (process != nullptr) process->freeze();
    }
    int heard = 0;
    Ns3Host* process = nullptr;
  };
  Ear first, second, sender;
  const auto one = ground.b().open_udp({ground.b_address(), 4001}, first);
  const auto two = ground.b().open_udp({ground.b_address(), 4002}, second);
  const auto from = ground.a().open_udp({ground.a_address(), 4000}, sender);
  ASSERT_TRUE(one && two && from);
  first.process = &ground.process_b();
  ground.process_b().freeze();
  const std::vector<uint8_t> datagram{1};
  (*from)->send_to({ground.b_address(), 4001}, datagram);
  (*from)->send_to({ground.b_address(), 4002}, datagram);
  ground.run_until([] { return false; }, 1s);
  ground.process_b().thaw();
  EXPECT_EQ(first.heard, 1);
  EXPECT_EQ(second.heard, 0);
  ground.process_b().thaw();
  EXPECT_EQ(second.heard, 1);
}

// The peer of a killed process sees its connection end, and a new dial is refused.
TEST(Ns3HostLife, KilledProcessClosesItsStreams) {
  SimGround ground(1);
  conformance::Peer client, server;
  auto listener = ground.b().listen_tcp({ground.b_address(), 4000},
                                        [&](std::unique_ptr<ByteStream> stream) { server.take(std::move(stream)); });
  client.stream = ground.a().connect_tcp({ground.b_address(), 4000}, client);
  ASSERT_TRUE(ground.run_until([&] { return server.stream != nullptr; }, 1s));
  server.stream.reset();
  listener->reset();
  ground.process_b().kill();
  EXPECT_TRUE(ground.run_until([&] { return client.closed.has_value(); }, 1s));
  conformance::Peer again;
  again.stream = ground.a().connect_tcp({ground.b_address(), 4000}, again);
  ASSERT_TRUE(ground.run_until([&] { return again.closed.has_value(); }, 1s));
  EXPECT_EQ(*again.closed, NetError::refused);
}

// While one packet is not acknowledged after a timeout, a kernel keeps back what is written later, and the end
// as well; once it is, all of it comes.
TEST(Ns3HostLife, AnUnacknowledgedPacketHoldsBackTheNextAndTheEnd) {
  SimGround ground(1);
  conformance::Peer client, server;
  const auto listener = ground.b().listen_tcp(
      {ground.b_address(), 4000}, [&](std::unique_ptr<ByteStream> stream) { server.take(std::move(stream)); });
  ASSERT_TRUE(listener);
  client.stream = ground.a().connect_tcp({ground.b_address(), 4000}, client);
  ASSERT_TRUE(ground.run_until([&] { return server.stream != nullptr; }, 1s));
  ground.run_until([] { return false; }, 1s);
  ground.network().cut("here", "there", true);  // the way of the acknowledgements
  const std::vector<uint8_t> one{1}, two{2};
  EXPECT_EQ(server.stream->write(one), 1u);
  ground.run_until([] { return false; }, 1s);
  EXPECT_EQ(server.stream->write(two), 1u);
  server.stream->close();
  ground.run_until([] { return false; }, 5s);
  EXPECT_EQ(client.data, one);
  EXPECT_FALSE(client.closed);
  ground.network().cut("here", "there", false);
  ASSERT_TRUE(ground.run_until([&] { return client.closed.has_value(); }, 20s));
  EXPECT_EQ(client.data, (std::vector<uint8_t>{1, 2}));
  EXPECT_EQ(*client.closed, NetError::closed);
}

// A dial into a cut path is given up after 127 s, as Linux does with six SYN retries.
TEST(Ns3HostLife, DialIntoNothingTimesOutAsOnLinux) {
  SimGround ground(1);
  ground.network().cut("here", "there", true);
  conformance::Peer client;
  const Time start = ground.a().now();
  client.stream = ground.a().connect_tcp({ground.b_address(), 4000}, client);
  ASSERT_TRUE(ground.run_until([&] { return client.closed.has_value(); }, 300s));
  EXPECT_EQ(*client.closed, NetError::timed_out);
  EXPECT_NEAR(to_seconds(ground.a().now() - start), 127, 1);
}

}  // namespace
}  // namespace distlab::sim

namespace distlab {
INSTANTIATE_TEST_SUITE_P(Ns3Host, HostConformance, testing::Values(&sim::make_sim_ground));
}
