// Hostile peers against `distlab relay` as a process: it stays up, within its limits, and says why.
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "models/mesh/message.h"
#include "models/mesh/relay_settings.h"
#include "real/asio_host.h"
#include "real/daemon/testing/peer.h"
#include "real/daemon/testing/process.h"

namespace distlab::daemon {
namespace {

using namespace std::chrono_literals;
using testing::DaemonProcess;
using testing::Machine;
using testing::Peer;

// AddressSanitizer keeps freed memory for a while, so that resident memory says nothing.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
constexpr bool sanitized = __has_feature(address_sanitizer);
#else
constexpr bool sanitized = false;
#endif

// Not 127.0.0.1, so that peers can have addresses of their own.
constexpr const char* listen_address = "127.0.0.5";

class Hostile : public ::testing::Test {
 protected:
  void start(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"relay", "--self-signed", "--listen", std::string(listen_address) + ":0"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    relay = std::make_unique<DaemonProcess>(DISTLAB_DAEMON, arguments);
    ASSERT_TRUE(relay->wait_for("info started")) << relay->log();
    at = relay->udp();
  }
  bool until(const std::function<bool()>& done, Duration limit = 10s) { return loop.run_until(done, limit); }

  // Somebody who behaves is served.
  void expect_service(const std::string& realm = "io.macula", const std::string& identity = "good@peer.test") {
    Machine good(loop, Ipv4{0x7f000063});
    Peer& peer = good.dial(at);
    ASSERT_TRUE(until([&] { return peer.up; })) << relay->log();
    ASSERT_TRUE(peer.say(mesh::Connect{realm, identity}));
    EXPECT_TRUE(until([&] { return peer.heard > 0; })) << relay->log();
    EXPECT_FALSE(peer.ended);
    peer.connection->close(0, "bye");
    loop.run_for(20ms);
  }
  void expect_clean_end() {
    EXPECT_TRUE(relay->alive());
    EXPECT_EQ(relay->stop(), 0) << relay->log();
  }

  real::AsioLoop loop;
  std::unique_ptr<DaemonProcess> relay;
  Endpoint at;
  Machine bad{loop, Ipv4{0x7f000042}};
};

class Nobody final : public UdpHandler {
  void on_datagram(Endpoint, Bytes) override {}
};

// 30,000 datagrams of anything: a few lines in the log, no descriptor more, and others are served.
TEST_F(Hostile, Garbage) {
  start();
  const size_t files = relay->open_files();
  Nobody nobody;
  auto socket = bad.host.open_udp({any_address, 0}, nobody);
  ASSERT_TRUE(socket);
  RandomStream chance(1, "hostile", "garbage");
  std::vector<uint8_t> datagram;
  for (int i = 0; i < 30'000; ++i) {
    datagram.resize(chance.below(1500));
    chance.fill(datagram);
    if (i % 3 == 0 && datagram.size() > 5) {  // as if of version 1
      datagram[0] |= 0xc0;
      datagram[1] = datagram[2] = datagram[3] = 0;
      datagram[4] = 1;
    }
    (*socket)->send_to(at, datagram);
    if (i % 100 == 0) loop.run_for(1ms);
  }
  expect_service();
  EXPECT_GT(relay->lines("datagram_refused"), 0u);
  EXPECT_LT(relay->lines(""), 200u);
  EXPECT_EQ(relay->open_files(), files);
  expect_clean_end();
  EXPECT_GT(relay->lines("suppressed"), 0u);
}

// First packets and then nothing: only so many handshakes wait, and others are served meanwhile.
TEST_F(Hostile, HalfOpenHandshakes) {
  start();
  for (int i = 0; i < 1'500; ++i) {
    bad.dial(at);
    loop.run_for(100us);
    bad.vanish();
  }
  expect_service();
  EXPECT_TRUE(relay->wait_for("quic_refused reason=\"limit: handshakes_per_address\" remote=127.0.0.66:"))
      << relay->log();
  EXPECT_TRUE(relay->wait_for("quic_failed reason=\"handshake timeout", 15)) << relay->log();
  expect_clean_end();
  EXPECT_LT(relay->lines(""), 100u);
}

// Clients of another protocol, and some that leave before they say who they are.
TEST_F(Hostile, NeverSessions) {
  start();
  Peer& other = bad.dial(at, "other");
  EXPECT_TRUE(until([&] { return other.ended.has_value(); }));
  EXPECT_TRUE(relay->wait_for("quic_failed reason=\"tls: no_application_protocol (alert 120)")) << relay->log();
  for (int i = 0; i < 30; ++i) bad.dial(at).when_up = [](Peer& peer) { peer.connection->close(7, "\x1b[31mbye"); };
  loop.run_for(200ms);
  EXPECT_TRUE(relay->wait_for("session_abandoned reason=\"application 7: ?[31mbye\" remote=127.0.0.66:"))
      << relay->log();
  expect_clean_end();
}

// Connections that never say who they are are ended, and the log says so.
TEST_F(Hostile, SilentSessions) {
  start({"--set", "limits.connect_timeout=1s", "--set", "limits.pending_sessions=50"});
  for (int i = 0; i < 100; ++i) bad.dial(at);
  const auto ended = [this] {
    return std::count_if(bad.peers.begin(), bad.peers.end(), [](const auto& peer) { return peer->ended.has_value(); });
  };
  EXPECT_TRUE(until([&] { return ended() == 100; }));
  EXPECT_TRUE(relay->wait_for("reason=\"limit: pending_sessions\"")) << relay->log();
  EXPECT_TRUE(relay->wait_for("reason=\"limit: connect_timeout\"")) << relay->log();
  expect_service();
  expect_clean_end();
}

// 10,000 sessions come and go, some with a word and some without: memory is that of those that come within a second,
// and descriptors stay flat.
TEST_F(Hostile, TenThousandAttempts) {
  start({"--set", "limits.connect_timeout=1s"});
  const size_t files = relay->open_files();
  size_t served = 0, limited = 0;
  for (int round = 0; round < 100; ++round) {
    const Time next = loop.now() + 80ms;
    for (int i = 0; i < 100; ++i) bad.dial(at, i % 10 == 9 ? "other" : "macula");
    const auto settled = [this] {
      return std::all_of(bad.peers.begin(), bad.peers.end(), [](const auto& peer) { return peer->up || peer->ended; });
    };
    ASSERT_TRUE(until(settled)) << "round " << round;
    for (const auto& peer : bad.peers) {
      const bool told = peer->ended && peer->ended->kind == quic::EndKind::application;
      limited += told && peer->ended->code == uint64_t(mesh::CloseCode::limit) ? 1 : 0;
      served += peer->say(mesh::Connect{"io.macula", "bad" + std::to_string(round % 7)}) ? 1 : 0;
    }
    loop.run_for(std::max<Duration>(5ms, next - loop.now()));
    if (round % 2 == 0) {
      for (const auto& peer : bad.peers) peer->connection->close(0, "bye");
    }
    bad.vanish();
  }
  // Who vanishes before its CONNECT is read is pending for a second; when many do, others wait their turn.
  EXPECT_EQ(served + limited, 9'000u) << served << " served";
  EXPECT_GT(served, 4'000u);
  expect_service();
  // A session takes some 80 KiB: all would take 800 MiB. It is 130 MiB from the 5,000th attempt to the 40,000th.
  if (!sanitized) {
    EXPECT_LT(relay->resident_kib(), 256u << 10);
  }
  RecordProperty("rss_kib", static_cast<int>(relay->resident_kib()));
  EXPECT_EQ(relay->open_files(), files);
  EXPECT_LT(relay->lines(""), 500u);
  expect_clean_end();
}

// A session that subscribes and then reads nothing: what is published to it is dropped, not kept.
TEST_F(Hostile, SlowReader) {
  start({"--set", "limits.queued_bytes=1MiB", "--set", "send_buffer=256KiB", "--set", "stream_window=256KiB"});
  Peer& slow = bad.dial(at);
  Peer& loud = bad.dial(at);
  ASSERT_TRUE(until([&] { return slow.up && loud.up; }));
  ASSERT_TRUE(slow.say(mesh::Connect{"io.macula", "slow@peer.test"}));
  ASSERT_TRUE(slow.say(mesh::Subscribe{"flood"}));
  ASSERT_TRUE(loud.say(mesh::Connect{"io.macula", "loud@peer.test"}));
  ASSERT_TRUE(until([&] { return slow.heard > 0 && loud.heard > 0; }));
  slow.connection->set_reading(*slow.stream, false);
  const size_t before = relay->resident_kib();
  const std::vector<uint8_t> payload(16'000);
  const mesh::Frame frame = mesh::encode(mesh::Publish{"flood", payload, {}});
  size_t sent = 0;
  ASSERT_TRUE(until(
      [&] {
        while (sent < 4'000 && loud.connection->buffered(*loud.stream) < 1'000'000 && loud.say(frame.bytes())) ++sent;
        return sent == 4'000 && loud.connection->buffered(*loud.stream) == 0;
      },
      60s));
  EXPECT_TRUE(relay->wait_for("relay_dropped subject=slow@peer.test reason=queue")) << relay->log();
  if (!sanitized) {
    EXPECT_LT(relay->resident_kib(), before + 16 * 1024) << "64 MB were published";
  }
  expect_service();
  expect_clean_end();
}

// A frame larger than allowed, one of another protocol, an identity and a realm that are not admitted.
TEST_F(Hostile, Refusals) {
  start({"--realm", "io.good", "--identity", "good@peer.test"});
  const std::vector<uint8_t> huge{1, 0x10, 0, 0, 0x7f, 0xff, 0xff, 0xff},
      other{'G', 'E', 'T', ' ', '/', '\r', '\n', '\n'};
  const std::vector<std::pair<std::vector<uint8_t>, std::string>> cases{
      {huge, "limit: frame_bytes"},
      {other, "malformed"},
      {{1, 0x02, 0, 0, 0, 0, 0, 0}, "unexpected: not a CONNECT"},
  };
  for (const auto& [bytes, reason] : cases) {
    Peer& peer = bad.dial(at);
    ASSERT_TRUE(until([&] { return peer.up; }));
    ASSERT_TRUE(peer.say(bytes));
    EXPECT_TRUE(until([&] { return peer.ended.has_value(); })) << reason;
    EXPECT_TRUE(relay->wait_for(reason)) << relay->log();
  }
  for (const auto& [realm, identity] : {std::pair{"io.bad", "good@peer.test"}, std::pair{"io.good", "bad\n\x1b[31m"}}) {
    Peer& peer = bad.dial(at);
    ASSERT_TRUE(until([&] { return peer.up; }));
    ASSERT_TRUE(peer.say(mesh::Connect{realm, identity}));
    EXPECT_TRUE(until([&] { return peer.ended.has_value(); }));
  }
  EXPECT_TRUE(relay->wait_for("reason=\"refused: realm\" realm=io.bad remote=127.0.0.66:")) << relay->log();
  EXPECT_TRUE(relay->wait_for("subject=\"bad\\n\\u001b[31m\" reason=\"refused: identity\"")) << relay->log();
  EXPECT_EQ(relay->log().find('\x1b'), std::string::npos);
  expect_service("io.good");
  expect_clean_end();
}

// Limits that a session meets and survives: the first is told at once, then one a second for each.
TEST_F(Hostile, Complaints) {
  start({"--set", "limits.subscriptions=3", "--set", "limits.procedures=2"});
  Peer& peer = bad.dial(at);
  ASSERT_TRUE(until([&] { return peer.up; }));
  ASSERT_TRUE(peer.say(mesh::Connect{"io.macula", "greedy@peer.test"}));
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_TRUE(peer.say(mesh::Subscribe{"topic " + std::to_string(i)}));
    ASSERT_TRUE(peer.say(mesh::Advertise{"procedure " + std::to_string(i)}));
  }
  ASSERT_TRUE(peer.say(mesh::Subscribe{std::string(5'000, 'x')}));
  ASSERT_TRUE(peer.say(mesh::Advertise{std::string(5'000, 'x')}));
  for (const std::string limit : {"subscriptions", "procedures", "topic_bytes", "procedure_bytes"}) {
    const std::string line =
        "relay_complained subject=greedy@peer.test reason=\"limit: " + limit + "\" remote=127.0.0.66:";
    EXPECT_TRUE(until([&] { return relay->lines(line) > 0; })) << relay->log();
  }
  loop.run_for(2s);
  EXPECT_TRUE(relay->wait_for("count=99")) << relay->log();  // 996 or 997: the rest of the flood, as one
  EXPECT_LT(relay->lines("relay_complained"), 20u);
  EXPECT_FALSE(peer.ended);
  expect_service();
  expect_clean_end();
}

// An identity that is taken: the older session ends, and the log says why.
TEST_F(Hostile, TakenIdentity) {
  start();
  Peer& first = bad.dial(at);
  ASSERT_TRUE(until([&] { return first.up; }));
  ASSERT_TRUE(first.say(mesh::Connect{"io.macula", "twin@peer.test"}));
  ASSERT_TRUE(until([&] { return first.heard > 0; }));
  Peer& second = bad.dial(at);
  ASSERT_TRUE(until([&] { return second.up; }));
  ASSERT_TRUE(second.say(mesh::Connect{"io.macula", "twin@peer.test"}));
  ASSERT_TRUE(until([&] { return first.ended.has_value(); }));
  EXPECT_FALSE(second.ended);
  EXPECT_TRUE(relay->wait_for("session_down subject=twin@peer.test reason=replaced")) << relay->log();
  expect_clean_end();
}

}  // namespace
}  // namespace distlab::daemon
