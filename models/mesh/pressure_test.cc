// Too much of everything: slow readers, held-up clients, hostile peers. What others notice of it.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/mesh/message.h"
#include "models/mesh/testing/mesh_world.h"
#include "models/quic/testing/peers.h"

namespace distlab::mesh {
namespace {

using namespace std::chrono_literals;
using testing::bytes_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::MeshWorld;
using ::testing::StartsWith;

// Somebody who speaks QUIC to the relay and says what he likes.
class Stranger {
 public:
  Stranger(MeshWorld& mesh, const std::string& name) : world_(mesh.world), host_(mesh.add_host(name)) {
    socket_ = quic::Socket::open(host_, {any_address, 0}).value();
  }
  void dial() {
    peers_.push_back(std::make_unique<quic::testing::Peer>());
    quic::ClientSettings settings;
    settings.alpn = "macula";
    settings.credentials = testing::trust();
    peers_.back()->connection = socket_->connect({MeshWorld::relay_address, 4433}, settings, *peers_.back());
  }
  // Dials and opens the stream.
  quic::StreamId connect() {
    dial();
    world_.run_until([&] { return peer().connects == 1; }, 5s);
    return peer().connection->open_stream().value();
  }
  quic::testing::Peer& peer() { return *peers_.back(); }
  // False: the stream takes no more now.
  bool say(quic::StreamId stream, const Frame& frame) {
    return peer().connection->write(stream, frame.bytes()) == frame.size();
  }
  size_t ended() const {
    return size_t(std::count_if(peers_.begin(), peers_.end(), [](const auto& p) { return p->end.has_value(); }));
  }

 private:
  TestWorld& world_;
  TestHost& host_;
  std::unique_ptr<quic::Socket> socket_;
  std::vector<std::unique_ptr<quic::testing::Peer>> peers_;
};

class Pressure : public ::testing::Test, public MeshWorld {
 protected:
  // The 99th percentile of 200 calls, 20 ms apart.
  Duration p99(RelayClient& client, const std::string& procedure) {
    std::vector<Duration> latencies;
    size_t failed = 0;
    for (int i = 0; i < 200; ++i) {
      client.call(procedure, nullptr, 5s, [&, start = world.now()](const CallResult& result) {
        if (result) latencies.push_back(world.now() - start);
        if (!result) ++failed;
      });
      world.run_for(20ms);
    }
    world.run_until([&] { return latencies.size() + failed == 200; }, 10s);
    EXPECT_EQ(failed, 0u);
    std::sort(latencies.begin(), latencies.end());
    return latencies.empty() ? Duration::max() : latencies.at(latencies.size() * 99 / 100);
  }
  void offer(RelayClient& client) {
    client.advertise("p", [](const Json&, const Client::Reply& reply) { reply(Json(1)); });
    world.run_for(100ms);
  }
};

// One that does not read is dropped for; the other subscriber of the topic gets all of it, in time.
TEST_F(Pressure, ASlowReader) {
  relay_settings.limits.queued_bytes = 100'000;
  relay_settings.transport.send_buffer = 100'000;
  start_relay();
  RelayClient& publisher = join("p");
  RelayClient& slow = join("s");
  RelayClient& quick = join("q");
  size_t at_slow = 0;
  Duration worst{0};
  std::vector<Time> sent, received;
  slow.subscribe("x", [&](Bytes) { ++at_slow; });
  quick.subscribe("x", [&](Bytes) { received.push_back(world.now()); });
  world.run_for(100ms);
  world.black_hole(relay_address, hosts["s"]->address());
  for (int i = 0; i < 1000; ++i) {
    sent.push_back(world.now());
    publisher.publish("x", std::vector<uint8_t>(1000));
    world.run_for(10ms);
  }
  world.run_for(100ms);
  ASSERT_EQ(received.size(), sent.size());
  for (size_t i = 0; i < sent.size(); ++i) worst = std::max(worst, received[i] - sent[i]);
  EXPECT_LT(worst, 50ms);
  const auto dropped = relay->stats().dropped[size_t(DropReason::queue)].messages;
  EXPECT_GT(dropped, 500u);
  EXPECT_LE(relay->stats().queued_bytes, 100'000u);
  const auto told_drops = told("berlin", kinds::relay_dropped, "reason");
  EXPECT_GE(told_drops.size(), 5u);
  EXPECT_LE(told_drops.size(), 12u);  // one a second
  EXPECT_EQ(told_drops[0], "s: queue");
  world.black_hole(relay_address, hosts["s"]->address(), false);
  world.run_for(30s);
  EXPECT_EQ(at_slow, sent.size() - dropped);
}

// A process whose QUIC buffer is full leaves its mailbox unread, and dies of it when that is too long.
TEST_F(Pressure, AHeldUpClient) {
  client_settings = macula_3_13(client_settings).client;
  client_settings.transport.send_buffer = 100'000;
  client_settings.mailbox_limit = 1'000'000;
  start_relay();
  RelayClient& client = join("a");
  world.black_hole(hosts["a"]->address(), relay_address);
  for (int i = 0; i < 200; ++i) client.publish("x", std::vector<uint8_t>(1000));
  EXPECT_GT(client.mailbox(), 50u);
  EXPECT_LT(client.mailbox(), 150u);
  EXPECT_TRUE(client.alive());
  std::optional<CallResult> result;
  client.call("p", nullptr, 5s, [&](const CallResult& outcome) { result = outcome; });
  world.run_for(5s);  // the caller's own timer
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error().code, "timeout");
  world.black_hole(hosts["a"]->address(), relay_address, false);
  EXPECT_TRUE(world.run_until([&] { return client.mailbox() == 0; }, 20s));
  world.run_for(1s);
  EXPECT_EQ(relay->stats().dropped[size_t(DropReason::no_subscriber)].messages, 200u);

  world.black_hole(hosts["a"]->address(), relay_address);
  for (int i = 0; i < 1200; ++i) client.publish("x", std::vector<uint8_t>(1000));
  EXPECT_FALSE(client.alive());
  world.run_for(1s);
  EXPECT_THAT(told("a", kinds::client_died, "reason"), ElementsAre(": mailbox"));
  EXPECT_GT(client.stats().lost_bytes, 1'000'000u);
}

// While a blocking dial is under way messages wait; when it fails they are dropped. Else they are dropped
// at once.
TEST_F(Pressure, ADialThatBlocks) {
  for (const bool blocking : {true, false}) {
    MeshWorld mesh;
    mesh.client_settings = macula_3_13(mesh.client_settings).client;
    mesh.client_settings.blocking_connect = blocking;
    RelayClient& client = mesh.add_client("a");
    mesh.world.run_for(1s);
    client.publish("x", bytes_of("1"));
    EXPECT_EQ(client.mailbox(), blocking ? 1u : 0u);
    std::optional<CallResult> result;
    client.call("p", nullptr, 60s, [&](const CallResult& outcome) { result = outcome; });
    mesh.world.run_for(1ms);
    EXPECT_EQ(result.has_value(), !blocking);
    mesh.world.run_for(9s);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->error().code, "not_connected");
    EXPECT_EQ(client.mailbox(), 0u);
    EXPECT_EQ(client.stats().dropped_disconnected, 1u);
  }
}

// What waits during a dial that succeeds is sent after it, in order, and after the subscriptions.
TEST_F(Pressure, TheMailboxAfterADial) {
  RelayClient& client = add_client("a");
  std::vector<std::string> got;
  client.subscribe("x", [&](Bytes payload) { got.push_back(testing::text_of(payload)); });
  for (const char* text : {"1", "2", "3"}) client.publish("x", bytes_of(text));
  start_relay();
  ASSERT_TRUE(connect("a", 5s));
  world.run_for(100ms);
  EXPECT_THAT(got, ElementsAre("1", "2", "3"));
}

// SUBSCRIBE can be made to come late: what is published before it is gone (facts section 3.2, F9).
TEST_F(Pressure, SubscribeDelay) {
  start_relay();
  RelayClient& publisher = join("p");
  client_settings.subscribe_delay = 200ms;
  RelayClient& late = join("l");
  std::vector<std::string> got;
  const auto id = late.subscribe("x", [&](Bytes payload) { got.push_back(testing::text_of(payload)); });
  world.run_for(190ms);
  publisher.publish("x", bytes_of("1"));
  world.run_for(100ms);
  publisher.publish("x", bytes_of("2"));
  world.run_for(100ms);
  EXPECT_THAT(got, ElementsAre("2"));
  late.unsubscribe(id);
  const auto again = late.subscribe("x", [&](Bytes) {});
  late.unsubscribe(again);
  world.run_for(1s);
  EXPECT_EQ(relay->stats().subscriptions, 0u);
}

// A flood of frames of one session leaves the calls of others within twice their usual p99: the relay, which
// needs 0.5 ms for each frame, serves sessions in turn.
TEST_F(Pressure, AFloodOfFrames) {
  relay_settings.service_time = 500us;
  start_relay();
  offer(join("b"));
  RelayClient& a = join("a");
  const Duration quiet = p99(a, "p");
  Stranger hostile(*this, "h");
  const auto stream = hostile.connect();
  hostile.say(stream, encode(Connect{"io.macula", "h"}));
  bool on = true;
  std::function<void()> flood = [&] {
    while (hostile.say(stream, encode(Publish{"nowhere", {}, {}}))) {
    }
    if (on) world.after(1ms, flood);
  };
  flood();
  const Duration flooded = p99(a, "p");
  on = false;
  EXPECT_GT(relay->stats().frames_in, 5'000u);
  EXPECT_LE(flooded, 2 * quiet) << to_seconds(flooded) << " " << to_seconds(quiet);
}

// The same without a service time: then the flood costs others nothing, and a rate limit holds it back.
TEST_F(Pressure, AFloodWithinItsRate) {
  relay_settings.limits.frames_per_second = 1000;
  start_relay();
  offer(join("b"));
  RelayClient& a = join("a");
  const Duration quiet = p99(a, "p");
  Stranger hostile(*this, "h");
  const auto stream = hostile.connect();
  hostile.say(stream, encode(Connect{"io.macula", "h"}));
  bool on = true;
  std::function<void()> flood = [&] {
    while (hostile.say(stream, encode(Publish{"nowhere", std::vector<uint8_t>(1000), {}}))) {
    }
    if (on) world.after(1ms, flood);
  };
  const uint64_t before = relay->stats().frames_in;
  const Time start = world.now();
  flood();
  EXPECT_LE(p99(a, "p"), 2 * quiet);
  on = false;
  const double seconds = to_seconds(world.now() - start);
  const double flooded = double(relay->stats().dropped[size_t(DropReason::no_subscriber)].messages);
  EXPECT_LE(flooded, 1000 * (seconds + 1) + 1);
  EXPECT_GE(flooded, 1000 * seconds * 0.9);
  EXPECT_GT(relay->stats().frames_in, before);
}

// A flood of calls to the very procedure that others call, as of requests for tunnels. Its answers queue in
// the callee's session, in front of those for others, and `calls_to_one` bounds how many.
TEST_F(Pressure, AFloodOfCalls) {
  relay_settings.service_time = 500us;
  start_relay();
  offer(join("b"));
  RelayClient& a = join("a");
  const Duration quiet = p99(a, "p");
  Stranger hostile(*this, "h");
  const auto stream = hostile.connect();
  hostile.say(stream, encode(Connect{"io.macula", "h"}));
  bool on = true;
  uint64_t id = 0;
  std::function<void()> flood = [&] {
    while (hostile.say(stream, encode(Call{++id, "p", nullptr}))) {
    }
    if (on) world.after(1ms, flood);
  };
  flood();
  EXPECT_LE(p99(a, "p"), 2 * quiet);
  on = false;
  EXPECT_GT(relay->stats().frames_in, 5'000u);
  EXPECT_LE(relay->stats().calls, 33u);
}

// A flood of subscriptions and procedures meets its limits; others go on.
TEST_F(Pressure, AFloodOfRegistrations) {
  relay_settings.limits.subscriptions = 100;
  relay_settings.limits.procedures = 100;
  start_relay();
  offer(join("b"));
  RelayClient& a = join("a");
  const Duration quiet = p99(a, "p");
  RelayClient& hostile = join("h");
  for (int i = 0; i < 2000; ++i) {
    hostile.subscribe("t" + std::to_string(i), [](Bytes) {});
    hostile.advertise("p" + std::to_string(i), [](const Json&, const Client::Reply&) {});
  }
  EXPECT_LE(p99(a, "p"), 2 * quiet);
  EXPECT_EQ(relay->stats().subscriptions, 100u);
  EXPECT_EQ(relay->stats().procedures, 101u);
  EXPECT_EQ(hostile.stats().errors, 3800u);
  EXPECT_TRUE(hostile.alive());
  EXPECT_LT(world.events_of("h", kinds::log).size(), 50u);  // it does not fill the record
}

// A flood of sessions of one machine, most of them silent: those beyond the limit are told so, the silent
// ones go after 10 s, and whoever was there or comes from elsewhere is served.
TEST_F(Pressure, AFloodOfSessions) {
  relay_settings.limits.pending_per_address = 50;
  start_relay();
  offer(join("b"));
  RelayClient& a = join("a");
  const Duration quiet = p99(a, "p");
  Stranger hostile(*this, "h");
  for (int i = 0; i < 200; ++i) hostile.dial();  // more at once than the relay's kernel buffers; QUIC repeats them
  world.run_for(4s);
  EXPECT_EQ(hostile.ended(), 150u);
  EXPECT_EQ(relay->stats().pending, 50u);
  EXPECT_THAT(hostile.peer().end_text(), StartsWith("application 4: limit: pending_per_address"));
  EXPECT_LE(p99(a, "p"), 2 * quiet);
  add_client("c");
  EXPECT_TRUE(connect("c", 1s));
  world.run_for(10s);
  EXPECT_EQ(relay->stats().pending, 0u);
  EXPECT_EQ(hostile.ended(), 200u);
  EXPECT_EQ(relay->stats().sessions, 3u);
}

// Streams beside the first, and streams of one direction, are refused; the session goes on.
TEST_F(Pressure, MoreStreams) {
  start_relay();
  Stranger hostile(*this, "h");
  const auto stream = hostile.connect();
  ASSERT_TRUE(hostile.say(stream, encode(Connect{"io.macula", "h"})));
  world.run_for(100ms);
  const auto second = hostile.peer().connection->open_stream().value();
  hostile.say(second, encode(Connect{"io.macula", "i"}));
  world.run_for(100ms);
  EXPECT_EQ(hostile.peer().resets.count(second), 1u);
  EXPECT_EQ(relay->stats().sessions, 1u);
  EXPECT_FALSE(hostile.peer().end);
}

// A stream that is no mesh protocol is answered with what is wrong with it, then FIN, then the close.
TEST_F(Pressure, AStrangeProtocol) {
  start_relay();
  Stranger hostile(*this, "h");
  const auto stream = hostile.connect();
  hostile.peer().write(stream, "GET / HTTP/1.1\r\n\r\n");
  world.run_for(1s);
  FrameReader reader;
  ASSERT_TRUE(reader.push(bytes_of(hostile.peer().received[stream])));
  const auto frame = reader.next();
  ASSERT_TRUE(frame);
  const auto message = decode(*frame);
  ASSERT_TRUE(message && std::holds_alternative<Error>(*message));
  EXPECT_EQ(std::get<Error>(*message).code, "malformed");
  EXPECT_TRUE(hostile.peer().finished[stream]);
  EXPECT_THAT(hostile.peer().end_text(), StartsWith("application 3: malformed: version"));
  EXPECT_EQ(relay->stats().refused, 1u);
}

}  // namespace
}  // namespace distlab::mesh
