// TestWorld and TestHost beyond the conformance suite: clock, lookups, record, life of a process.
#include "models/host/test_host.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "models/host/testing/peer.h"

namespace distlab {
namespace {

using namespace std::chrono_literals;
using conformance::bytes_of;
using conformance::Datagrams;
using conformance::Peer;

class TestHostTest : public testing::Test {
 protected:
  TestWorld world_{5};
  TestHost& a_ = world_.add_host("a", Ipv4{0x0a000001}, {"a.test"});
  TestHost& b_ = world_.add_host("b", Ipv4{0x0a000002}, {"b.test"});
  Peer client_, server_;
  std::unique_ptr<TcpListener> listener_;

  void connect() {
    listener_ = *b_.listen_tcp({any_address, 9100},
                               [this](std::unique_ptr<ByteStream> stream) { server_.take(std::move(stream)); });
    client_.stream = a_.connect_tcp({b_.address(), 9100}, client_);
    ASSERT_TRUE(world_.run_until([&] { return client_.connected == 1 && server_.stream; }, 1s));
  }
};

TEST_F(TestHostTest, TimePassesOnlyWhenRun) {
  // run_for ends exactly there; run_until stops with the event that made its condition true.
  EXPECT_EQ(world_.now(), run_start);
  world_.run_for(3s);
  EXPECT_EQ(a_.now(), run_start + 3s);
  bool rang = false;
  world_.after(2s, [&] { rang = true; });
  EXPECT_TRUE(world_.run_until([&] { return rang; }, 10s));
  EXPECT_EQ(world_.now(), run_start + 5s);
  EXPECT_FALSE(world_.run_until([] { return false; }, 1s));
  EXPECT_EQ(world_.now(), run_start + 6s);
}

TEST_F(TestHostTest, TiesAcrossHostsRunAsAskedFor) {
  // One order for the whole world, not one per host.
  std::string order;
  b_.start_timer(1ms, [&] { order += 'b'; });
  a_.start_timer(1ms, [&] { order += 'a'; });
  world_.after(1ms, [&] { order += 'w'; });
  b_.start_timer(1ms, [&] { order += 'B'; });
  world_.run_for(1ms);
  EXPECT_EQ(order, "bawB");
}

TEST_F(TestHostTest, ARunawayLoopIsStopped) {
  // Events without end at one instant would hang a test; the guard throws instead.
  world_.set_max_events(1000);
  Timer timer(a_);
  std::function<void()> again = [&] { timer.start(0s, again); };
  again();
  EXPECT_THROW(world_.run_for(1s), std::runtime_error);
  timer.cancel();
  EXPECT_NO_THROW(world_.run_for(1s));
}

TEST_F(TestHostTest, LookupsTakeTheirTimeAndFail) {
  // Delay, failure as asked, healing, and all addresses of a name in the order added.
  std::vector<std::pair<Duration, std::string>> answers;
  const auto ask = [&](const char* name) {
    a_.lookup(name, [&](const tl::expected<std::vector<Ipv4>, NetError>& answer) {
      std::string text;
      if (!answer) {
        text = to_string(answer.error());
      } else {
        for (const Ipv4 address : *answer) text += address.to_string() + " ";
      }
      answers.emplace_back(a_.now() - run_start, text);
    });
    world_.run_for(1s);
  };
  world_.set_lookup_delay(300ms);
  world_.add_name("b.test", Ipv4{0x0a000009});
  ask("b.test");
  world_.fail_lookup("b.test", NetError::lookup_failed);
  ask("b.test");
  world_.heal_lookup("b.test");
  ask("b.test");
  EXPECT_EQ(answers, (std::vector<std::pair<Duration, std::string>>{
                         {300ms, "10.0.0.2 10.0.0.9 "}, {1300ms, "timeout"}, {2300ms, "10.0.0.2 10.0.0.9 "}}));
}

TEST_F(TestHostTest, RecordedEventsCanBeAskedFor) {
  // By host and kind, in order.
  a_.record({"tick", "b", {}});
  world_.run_for(1s);
  b_.record({"tick", "a", {}});
  b_.record({"log", "x", {}});
  EXPECT_EQ(world_.events().size(), 3u);
  ASSERT_EQ(world_.events_of("", "tick").size(), 2u);
  EXPECT_EQ(world_.events_of("", "tick")[1].time, run_start + 1s);
  EXPECT_EQ(world_.events_of("b", "tick").size(), 1u);
  EXPECT_EQ(world_.events_of("b", "tick")[0].event.subject, "a");
}

TEST_F(TestHostTest, ProcessesOfAMachineShareItsPorts) {
  // A second process cannot listen on the same port, and both are reached at the same address.
  TestHost& epmd = world_.add_host("epmd", b_.address());
  const auto ignore = [](std::unique_ptr<ByteStream>) {};
  const auto first = b_.listen_tcp({any_address, 4369}, ignore);
  EXPECT_EQ(epmd.listen_tcp({loopback_address, 4369}, ignore).error(), NetError::address_in_use);
  std::string remote;
  const auto second = epmd.listen_tcp(
      {any_address, 4370}, [&](std::unique_ptr<ByteStream> stream) { remote = stream->remote().address.to_string(); });
  Peer local;
  local.stream = b_.connect_tcp({loopback_address, 4370}, local);
  ASSERT_TRUE(world_.run_until([&] { return !remote.empty(); }, 1s));
  EXPECT_EQ(remote, "127.0.0.1");
}

TEST_F(TestHostTest, AnAddressOfAnotherMachineCannotBeBound) {
  // As the kernel answers EADDRNOTAVAIL.
  Datagrams datagrams;
  EXPECT_EQ(a_.open_udp({b_.address(), 1}, datagrams).error(), NetError::unreachable);
  EXPECT_EQ(a_.listen_tcp({b_.address(), 1}, [](auto) {}).error(), NetError::unreachable);
}

// --- Freeze and thaw --------------------------------------------------------------------------

TEST_F(TestHostTest, FrozenTimersRunAtThawInDueOrder) {
  // Including those not yet due at freeze, excluding those cancelled meanwhile.
  std::vector<int> order;
  a_.start_timer(3s, [&] { order.push_back(3); });
  a_.start_timer(1s, [&] { order.push_back(1); });
  const TimerId dead = a_.start_timer(2s, [&] { order.push_back(2); });
  a_.start_timer(9s, [&] { order.push_back(9); });
  a_.freeze();
  world_.run_for(5s);
  EXPECT_TRUE(order.empty());
  a_.cancel_timer(dead);
  a_.thaw();
  EXPECT_TRUE(order.empty()) << "only from the event loop";
  world_.run_for(0s);
  EXPECT_EQ(order, (std::vector{1, 3}));
  world_.run_for(4s);
  EXPECT_EQ(order, (std::vector{1, 3, 9}));
}

TEST_F(TestHostTest, DataWaitsForAFrozenProcess) {
  // In its kernel's receive buffer, no further: the sender meets back-pressure.
  world_.tcp().send_buffer = world_.tcp().receive_buffer = 1000;
  connect();
  b_.freeze();
  const auto sent = conformance::pattern(5000);
  size_t written = client_.stream->write(sent);
  client_.then = [&] { written += client_.stream->write(Bytes(sent).subspan(written)); };
  world_.run_for(10s);
  EXPECT_EQ(written, 2000u);
  EXPECT_TRUE(server_.data.empty());
  b_.thaw();
  world_.run_for(1s);
  EXPECT_EQ(server_.data, sent);
}

TEST_F(TestHostTest, ConnectionsToAFrozenListenerComplete) {
  // The kernel answers; the process accepts at thaw and finds the data. Its backlog is bounded.
  connect();
  b_.freeze();
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 130; ++i) {
    peers.push_back(std::make_unique<Peer>());
    peers.back()->stream = a_.connect_tcp({b_.address(), 9100}, *peers.back());
  }
  world_.run_for(500ms);
  EXPECT_EQ(peers[127]->connected, 1);
  EXPECT_EQ(peers[128]->connected, 0) << "a full backlog drops SYNs";
  peers[127]->stream->write(bytes_of("early"));
  world_.run_for(100ms);
  b_.thaw();
  world_.run_for(10ms);
  EXPECT_EQ(server_.text(), "early");
  world_.run_for(1s);
  EXPECT_EQ(peers[128]->connected, 1) << "the repeated SYN finds room";
}

TEST_F(TestHostTest, DatagramsWaitForAFrozenProcessUpToItsBuffer) {
  // 212,992 bytes as Linux; the rest is lost.
  Datagrams datagrams, none;
  const auto socket = b_.open_udp({any_address, 9}, datagrams);
  const auto sender = a_.open_udp({any_address, 0}, none);
  b_.freeze();
  const std::vector<uint8_t> kilobyte(1000);
  for (int i = 0; i < 300; ++i) EXPECT_TRUE((*sender)->send_to({b_.address(), 9}, kilobyte));
  world_.run_for(1s);
  EXPECT_TRUE(datagrams.got.empty());
  b_.thaw();
  world_.run_for(0s);
  EXPECT_EQ(datagrams.got.size(), 212u);
}

// --- Kill and restart -------------------------------------------------------------------------

TEST_F(TestHostTest, KillClosesAsTheKernelDoes) {
  // FIN to the peer of an idle stream; no callback reaches the dead, not even a due timer.
  connect();
  int callbacks = 0;
  b_.start_timer(1s, [&] { ++callbacks; });
  b_.lookup("a.test", [&](const auto&) { ++callbacks; });
  server_.then = [&] { ++callbacks; };
  client_.stream->write(bytes_of("on its way"));
  b_.kill();
  world_.run_for(10s);
  EXPECT_EQ(client_.closed, NetError::closed);
  EXPECT_EQ(callbacks, 0);
  EXPECT_FALSE(server_.closed);
  EXPECT_EQ(server_.stream->write(bytes_of("x")), 0u);
}

TEST_F(TestHostTest, KillWithUnreadDataResets) {
  // The kernel tells the peer that its data was never read.
  connect();
  b_.freeze();
  client_.stream->write(bytes_of("unread"));
  world_.run_for(1s);
  b_.kill();
  world_.run_for(1s);
  EXPECT_EQ(client_.closed, NetError::reset);
}

TEST_F(TestHostTest, WritingToTheDeadResets) {
  // The FIN comes first; who has written since gets the RST. Here data is in flight at the kill.
  connect();
  b_.kill();
  client_.stream->write(bytes_of("more"));  // before the FIN arrives
  world_.run_for(1s);
  EXPECT_TRUE(client_.closed == NetError::closed || client_.closed == NetError::reset);
  Peer again;
  again.stream = a_.connect_tcp({b_.address(), 9100}, again);
  world_.run_for(1s);
  EXPECT_EQ(again.closed, NetError::refused);
}

TEST_F(TestHostTest, ARestartedProcessStartsAfresh) {
  // Old timers stay dead, ports are free again, random streams go on where they were.
  connect();
  int rang = 0;
  b_.start_timer(1s, [&] { ++rang; });
  b_.random("x").next();
  b_.kill();
  EXPECT_FALSE(b_.alive());
  server_.stream.reset();
  listener_.reset();
  b_.restart();
  world_.run_for(5s);
  EXPECT_EQ(rang, 0);
  RandomStream expected(world_.seed(), "b", "x");
  expected.next();
  EXPECT_EQ(b_.random("x").next(), expected.next());
  client_.stream.reset();
  client_.connected = 0;
  connect();
}

TEST_F(TestHostTest, RestartInsistsThatTheModelsAreGone) {
  // They would otherwise act on sockets of a dead process.
  connect();
  b_.kill();
  EXPECT_DEATH(b_.restart(), "models of the killed process");
}

TEST_F(TestHostTest, KillWhileFrozenDropsWhatWaited) {
  // SIGKILL ends a stopped process too.
  int rang = 0;
  a_.start_timer(1s, [&] { ++rang; });
  a_.freeze();
  world_.run_for(2s);
  a_.kill();
  a_.restart();
  world_.run_for(2s);
  EXPECT_EQ(rang, 0);
  EXPECT_FALSE(a_.frozen());
}

}  // namespace
}  // namespace distlab
