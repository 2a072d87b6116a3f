#include "models/mesh/ingress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/mesh/message.h"

namespace distlab::mesh {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr SessionId a{1}, b{2};

Frame ping(uint64_t id) {
  return encode(Ping{id});
}
Frame publish(const std::string& topic, size_t size = 10) {
  return encode(Publish{topic, std::vector<uint8_t>(size), {}});
}

// A relay's clock: serves what is due and writes down what and when.
class Server {
 public:
  explicit Server(const IngressSettings& settings) : ingress(settings) {
    ingress.open(a);
    ingress.open(b);
  }
  void arrive(SessionId session, const Frame& frame) { ASSERT_TRUE(ingress.on_bytes(now, session, frame.bytes())); }
  void serve() {
    while (const auto served = ingress.next(now)) {
      log.emplace_back(uint64_t(served->session), (now - run_start) / 1ms);
      if (served->frame.type() == FrameType::publish) {
        topics.emplace_back(decode_publish(served->frame)->topic);
      } else {
        topics.emplace_back("ping");
      }
    }
  }
  void run(Duration duration) {
    const Time end = now + duration;
    for (serve(); ingress.next_time() && *ingress.next_time() <= end; serve())
      now = std::max(now, *ingress.next_time());
    now = end;
  }

  Ingress ingress;
  Time now = run_start;
  std::vector<std::pair<uint64_t, int64_t>> log;  // session, ms
  std::vector<std::string> topics;
};

// Without a service time frames are served as they come.
TEST(Ingress, ServesAtOnce) {
  Server server({});
  server.arrive(a, ping(1));
  server.arrive(b, ping(2));
  server.serve();
  EXPECT_THAT(server.log, ElementsAre(std::pair(1, 0), std::pair(2, 0)));
  EXPECT_FALSE(server.ingress.next_time());
}

// A busy server turns to the sessions one after the other: a flood of one delays another by one frame.
TEST(Ingress, TakesTurns) {
  Server server({.service_time = 10ms});
  for (int i = 0; i < 100; ++i) server.arrive(a, publish("x"));
  server.run(25ms);
  server.arrive(b, publish("y"));
  server.run(20ms);
  EXPECT_THAT(server.log, ElementsAre(std::pair(1, 10), std::pair(1, 20), std::pair(1, 30), std::pair(2, 40)));
}

// In a session, what is not a PUBLISH goes first, unless the relay is told not to.
TEST(Ingress, ControlGoesFirst) {
  for (const bool first : {true, false}) {
    Server server({.service_time = 1ms, .control_first = first});
    server.arrive(a, publish("x"));
    server.serve();  // x is being served
    server.arrive(a, publish("y"));
    server.arrive(a, ping(1));
    server.run(10ms);
    EXPECT_THAT(server.topics, first ? ElementsAre("x", "ping", "y") : ElementsAre("x", "y", "ping"));
  }
}

// After a burst of a second's worth, a session is served at its rate; others are not held up.
TEST(Ingress, LimitsFrames) {
  Server server({.frames_per_second = 10});
  for (int i = 0; i < 15; ++i) server.arrive(a, ping(1));
  server.run(50ms);
  EXPECT_EQ(server.log.size(), 11u);
  server.arrive(b, ping(2));
  server.serve();
  EXPECT_EQ(server.log.back(), std::pair(uint64_t{2}, int64_t{50}));
  server.run(350ms);
  EXPECT_EQ(server.log.size(), 16u);
  EXPECT_EQ(server.log.back(), std::pair(uint64_t{1}, int64_t{400}));
}

// Bytes are limited likewise, by what frames weigh.
TEST(Ingress, LimitsBytes) {
  const Frame frame = publish("x", 1000);
  Server server({.bytes_per_second = 10 * frame.size()});
  for (int i = 0; i < 15; ++i) server.arrive(a, frame);
  server.run(0ms);
  EXPECT_EQ(server.log.size(), 11u);
  server.run(200ms);
  EXPECT_EQ(server.log.size(), 13u);
}

// A session with too much waiting is not read, until half of it is served.
TEST(Ingress, StopsReading) {
  const Frame frame = publish("x", 1000);
  Server server({.service_time = 1ms, .inbound_bytes = 4 * frame.size()});
  server.arrive(a, frame);
  server.serve();  // this one does not wait any more
  for (int i = 0; i < 4; ++i) server.arrive(a, frame);
  EXPECT_TRUE(server.ingress.reading(a));
  EXPECT_THAT(server.ingress.take_changed(), IsEmpty());
  server.arrive(a, frame);
  EXPECT_FALSE(server.ingress.reading(a));
  EXPECT_TRUE(server.ingress.reading(b));
  EXPECT_THAT(server.ingress.take_changed(), ElementsAre(a));
  server.run(2ms);
  EXPECT_FALSE(server.ingress.reading(a));
  server.run(1ms);
  EXPECT_TRUE(server.ingress.reading(a));
  EXPECT_THAT(server.ingress.take_changed(), ElementsAre(a));
}

// A frame as large as allowed is read to its end even when that is more than may wait.
TEST(Ingress, ReadsALargeFrame) {
  const Frame frame = publish("x", 1000);
  Server server({.frame_bytes = frame.size(), .inbound_bytes = 100});
  ASSERT_TRUE(server.ingress.on_bytes(server.now, a, frame.bytes().first(900)));
  EXPECT_TRUE(server.ingress.reading(a));
  ASSERT_TRUE(server.ingress.on_bytes(server.now, a, frame.bytes().subspan(900)));
  server.serve();
  EXPECT_EQ(server.log.size(), 1u);
  EXPECT_TRUE(server.ingress.reading(a));
}

// What a session that is gone has sent is not served, and the server turns to the next.
TEST(Ingress, ForgetsAClosedSession) {
  Server server({.service_time = 10ms, .frames_per_second = 1});
  server.arrive(a, ping(1));
  server.arrive(b, ping(2));
  server.arrive(b, ping(2));
  server.arrive(b, ping(2));
  server.serve();
  server.ingress.close(a);
  server.run(100ms);
  EXPECT_THAT(server.log, ElementsAre(std::pair(2, 10), std::pair(2, 20)));
  server.ingress.close(b);  // it waits for its rate
  server.run(10s);
  EXPECT_EQ(server.log.size(), 2u);
  EXPECT_TRUE(server.ingress.on_bytes(server.now, a, ping(1).bytes()));
  EXPECT_FALSE(server.ingress.next(server.now));
}

// A stream that makes no sense says so; frames before it are served.
TEST(Ingress, ToldOfABadStream) {
  Server server({});
  const Frame good = ping(1);
  std::vector<uint8_t> bytes(good.bytes().begin(), good.bytes().end());
  bytes.resize(bytes.size() + frame_header_size);
  EXPECT_EQ(server.ingress.on_bytes(server.now, a, bytes).error(), FrameError::version);
  server.serve();
  EXPECT_EQ(server.log.size(), 1u);
}

}  // namespace
}  // namespace distlab::mesh
