// What AsioHost does beyond the conformance suite.
#include "real/asio_host.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "models/host/testing/peer.h"

namespace distlab::real {
namespace {

using namespace std::chrono_literals;
using conformance::bytes_of;
using conformance::Peer;

AsioHostOptions named(const char* name) {
  AsioHostOptions options;
  options.name = name;
  return options;
}

class AsioHostTest : public testing::Test {
 protected:
  AsioLoop loop_;
  AsioHost host_{loop_, named("a")};
  Peer client_, server_;
  std::unique_ptr<TcpListener> listener_;

  void connect(AsioHost& from) {
    listener_ = *host_.listen_tcp({loopback_address, 0},
                                  [this](std::unique_ptr<ByteStream> stream) { server_.take(std::move(stream)); });
    client_.stream = from.connect_tcp(listener_->local(), client_);
    ASSERT_TRUE(loop_.run_until([&] { return client_.connected == 1 && server_.stream; }, 5s));
  }
};

TEST_F(AsioHostTest, AsksTheSystemsResolver) {
  // For names the hosts table does not know: localhost is in every /etc/hosts.
  std::optional<tl::expected<std::vector<Ipv4>, NetError>> answer;
  host_.lookup("localhost", [&](const auto& found) { answer = found; });
  EXPECT_FALSE(answer);
  ASSERT_TRUE(loop_.run_until([&] { return answer.has_value(); }, 20s));
  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ(answer->value().front(), loopback_address);
}

TEST_F(AsioHostTest, NoCallbackAfterTheHostIsGone) {
  // Lookups and timers end with their host; the loop and its other hosts go on.
  int called = 0;
  {
    AsioHost other(loop_, named("b"));
    other.lookup("127.0.0.9", [&](const auto&) { ++called; });
    other.lookup("localhost", [&](const auto&) { ++called; });
    other.start_timer(1ms, [&] { ++called; });
  }
  bool rang = false;
  host_.start_timer(50ms, [&] { rang = true; });
  EXPECT_TRUE(loop_.run_until([&] { return rang; }, 5s));
  EXPECT_EQ(called, 0);
}

TEST_F(AsioHostTest, RunReturnsAtStop) {
  // As a daemon uses it.
  int rang = 0;
  host_.start_timer(1ms, [&] { ++rang; });
  host_.start_timer(2ms, [&] { loop_.stop(); });
  host_.start_timer(3600s, [&] { rang += 100; });
  loop_.run();
  EXPECT_EQ(rang, 1);
}

TEST_F(AsioHostTest, SaysHowLateItWasWoken) {
  // From when a timer was due or the loop had done its work, whichever came last. Who was not waited for is not
  // counted.
  std::vector<std::pair<Time, Time>> wakes;
  loop_.watch_wakes([&](Time ready, Time rang) { wakes.emplace_back(ready, rang); });
  const Time began = loop_.now();
  Time worked_until{};
  host_.start_timer(20ms, [&] {
    host_.start_timer(0ms, [] {});
    host_.start_timer(30ms, [&] { loop_.stop(); });
    loop_.post([&] {
      while (loop_.now() < began + 100ms) {
      }
      worked_until = loop_.now();
    });
  });
  loop_.run();
  ASSERT_EQ(wakes.size(), 2u);
  EXPECT_GE(wakes[0].first, began + 20ms);
  EXPECT_LT(wakes[0].first, worked_until);
  EXPECT_GE(wakes[1].first, worked_until);
  for (const auto& [ready, rang] : wakes) EXPECT_LE(ready, rang);
}

TEST_F(AsioHostTest, LoopsOfOneOriginHaveOneClock) {
  // As processes of one run have; the origin may lie ahead, and what is due then runs then.
  const auto origin = std::chrono::steady_clock::now() + 20ms;
  AsioLoop loop(origin), other(origin);
  EXPECT_LT(loop.now(), run_start);
  AsioHost host(loop, named("b"));
  std::optional<Time> rang;
  host.start_timer(run_start - loop.now(), [&] { rang = loop.now(); });
  ASSERT_TRUE(loop.run_until([&] { return rang.has_value(); }, 5s));
  EXPECT_GE(*rang, run_start);
  EXPECT_LE(*rang, other.now());
}

TEST_F(AsioHostTest, PostedWorkRunsBehindTheTurn) {
  // Not from inside the callback that posts it.
  std::vector<int> order;
  host_.start_timer(0s, [&] {
    loop_.post([&] { order.push_back(2); });
    order.push_back(1);
  });
  ASSERT_TRUE(loop_.run_until([&] { return order.size() == 2; }, 5s));
  EXPECT_EQ(order, (std::vector{1, 2}));
}

TEST_F(AsioHostTest, APeerThatDoesNotReadIsResetAfterTheLinger) {
  // close() waits for it in vain; without the limit the buffered data would be kept for ever.
  AsioHostOptions options = named("b");
  options.send_buffer = 8 << 20;
  options.linger = 50ms;
  AsioHost other(loop_, options);
  connect(other);
  server_.stream->set_reading(false);
  const std::vector<uint8_t> block(1 << 20);
  client_.then = [&] {
    while (client_.stream->write(block) == block.size()) continue;
  };
  client_.then();
  loop_.run_for(300ms);  // until the kernel's buffers are full too
  client_.then = nullptr;
  client_.stream->close();
  ASSERT_TRUE(loop_.run_until([&] { return server_.closed.has_value(); }, 5s));
  EXPECT_EQ(server_.closed, NetError::reset);
}

TEST_F(AsioHostTest, WhatWasClosedStillReachesASlowReader) {
  // More than the kernel takes at once: the loop writes on after close().
  AsioHostOptions options = named("b");
  options.send_buffer = 16 << 20;
  AsioHost other(loop_, options);
  connect(other);
  server_.stream->set_reading(false);
  const auto sent = conformance::pattern(16 << 20);
  ASSERT_EQ(client_.stream->write(sent), sent.size());
  client_.stream.reset();
  loop_.run_for(20ms);
  server_.stream->set_reading(true);
  ASSERT_TRUE(loop_.run_until([&] { return server_.closed.has_value(); }, 20s));
  EXPECT_EQ(server_.closed, NetError::closed);
  EXPECT_EQ(server_.data, sent);
}

TEST_F(AsioHostTest, EventsNobodyKeepsAreNotWanted) {
  // wants() follows the options, so that models need not build them.
  EXPECT_FALSE(host_.wants("tick"));
  host_.record({"tick", "b", {}});
  AsioHostOptions options = named("b");
  options.record = [](Time, const Event&) {};
  options.wants = [](std::string_view kind) { return kind != "tick"; };
  const AsioHost other(loop_, options);
  EXPECT_FALSE(other.wants("tick"));
  EXPECT_TRUE(other.wants("node_up"));
}

TEST_F(AsioHostTest, AnAddressThisMachineDoesNotHaveIsRefused) {
  // EADDRNOTAVAIL, for listening and for dialling from it.
  conformance::Datagrams datagrams;
  const Ipv4 documentation{0xc0000207};
  EXPECT_EQ(host_.open_udp({documentation, 0}, datagrams).error(), NetError::unreachable);
  EXPECT_EQ(host_.listen_tcp({documentation, 0}, [](auto) {}).error(), NetError::unreachable);
  AsioHostOptions options = named("b");
  options.address = documentation;
  AsioHost other(loop_, options);
  client_.stream = other.connect_tcp({Ipv4{0x7f000002}, 1}, client_);
  EXPECT_FALSE(client_.closed);
  ASSERT_TRUE(loop_.run_until([&] { return client_.closed.has_value(); }, 5s));
  EXPECT_EQ(client_.closed, NetError::unreachable);
}

// Datagrams that travel together arrive as they were sent: each by itself, whole, in order, at whom they were sent to,
// whatever their sizes, also those of a socket that is closed in the same turn.
TEST_F(AsioHostTest, DatagramsThatTravelTogetherStayWhatTheyAre) {
  AsioHostOptions options = named("joined");
  options.join_datagrams = true;
  AsioHost joined(loop_, options);
  conformance::Datagrams one, other, plain, nobody;
  const auto to_one = *joined.open_udp({loopback_address, 0}, one);
  const auto to_other = *joined.open_udp({loopback_address, 0}, other);
  const auto to_plain = *host_.open_udp({loopback_address, 0}, plain);  // its kernel takes them apart again
  std::vector<std::string> sent;
  for (size_t i = 0; i < 500; ++i) {
    const size_t size = i % 100 == 99 ? 0 : i % 7 == 6 ? 100 + i : i % 90 == 0 ? 9'000 : 1'200;
    sent.push_back(std::string(size, static_cast<char>('a' + i % 26)) + std::to_string(i));
  }
  sent.push_back("");
  joined.start_timer(1ms, [&] {
    const auto from = *joined.open_udp({loopback_address, 0}, nobody);
    for (size_t i = 0; i < sent.size(); ++i) {
      EXPECT_TRUE(from->send_to(to_one->local(), bytes_of(sent[i])));
      EXPECT_TRUE(from->send_to(to_plain->local(), bytes_of(sent[i])));
      EXPECT_TRUE(i % 50 != 0 || from->send_to(to_other->local(), bytes_of(sent[i])));
    }
    for (const std::string& text : sent) EXPECT_TRUE(from->send_to(to_plain->local(), bytes_of(text)));
  });
  ASSERT_TRUE(
      loop_.run_until([&] { return one.got.size() == sent.size() && plain.got.size() == 2 * sent.size(); }, 5s));
  ASSERT_EQ(other.got.size(), 11u);
  for (size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(one.got[i].second, sent[i]);
    EXPECT_EQ(plain.got[i].second, sent[i]);
    EXPECT_EQ(plain.got[sent.size() + i].second, sent[i]);
    EXPECT_TRUE(i % 50 != 0 || other.got[i / 50].second == sent[i]);
  }
}

// Who closes his socket on a datagram gets none of those that came with it.
TEST_F(AsioHostTest, NoDatagramAfterTheSocketIsGone) {
  struct Closer : conformance::Datagrams {
    std::unique_ptr<UdpSocket> socket;
    void on_datagram(Endpoint remote, Bytes datagram) override {
      conformance::Datagrams::on_datagram(remote, datagram);
      socket.reset();
    }
  };
  AsioHostOptions options = named("joined");
  options.join_datagrams = true;
  AsioHost joined(loop_, options);
  Closer closer;
  conformance::Datagrams nobody, last;
  closer.socket = *joined.open_udp({loopback_address, 0}, closer);
  const auto from = *joined.open_udp({loopback_address, 0}, nobody);
  const auto behind = *joined.open_udp({loopback_address, 0}, last);
  joined.start_timer(1ms, [&] {
    for (int i = 0; i < 10; ++i) from->send_to(closer.socket->local(), bytes_of("all alike"));
    from->send_to(behind->local(), bytes_of("the last"));
  });
  ASSERT_TRUE(loop_.run_until([&] { return last.got.size() == 1; }, 5s));
  EXPECT_EQ(closer.got.size(), 1u);
}

}  // namespace
}  // namespace distlab::real
