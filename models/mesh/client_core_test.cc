#include "models/mesh/client_core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace distlab::mesh {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The relay hears of a topic's first listener and of its last one only.
TEST(Registrations, SubscribeOnce) {
  Registrations table;
  const auto first = table.subscribe("t", [](Bytes) {});
  const auto second = table.subscribe("t", [](Bytes) {});
  EXPECT_TRUE(first.first);
  EXPECT_FALSE(second.first);
  EXPECT_FALSE(table.unsubscribe(first.id));
  EXPECT_FALSE(table.unsubscribe(first.id));
  EXPECT_TRUE(table.subscribed("t"));
  EXPECT_EQ(table.unsubscribe(second.id), "t");
  EXPECT_FALSE(table.unsubscribe(second.id));
  EXPECT_THAT(table.topics(), IsEmpty());
  EXPECT_TRUE(table.subscribe("t", [](Bytes) {}).first);
}

// Walking the listeners of a topic bears that they come and go.
TEST(Registrations, WalkWhileTheyChange) {
  Registrations table;
  const auto one = table.subscribe("t", [](Bytes) {}).id;
  const auto two = table.subscribe("t", [](Bytes) {}).id;
  const auto three = table.subscribe("t", [](Bytes) {}).id;
  auto at = table.listener_after("t", SubscriptionId::none);
  ASSERT_TRUE(at);
  EXPECT_EQ(at->id, one);
  table.unsubscribe(one);
  table.unsubscribe(two);
  at = table.listener_after("t", at->id);
  ASSERT_TRUE(at);
  EXPECT_EQ(at->id, three);
  table.unsubscribe(three);
  EXPECT_FALSE(table.listener_after("t", at->id));
}

// A procedure is replaced by a later one of its name.
TEST(Registrations, Procedures) {
  Registrations table;
  int ran = 0;
  table.advertise("p", [&](const Json&, const Client::Reply&) { ran = 1; });
  table.advertise("p", [&](const Json&, const Client::Reply&) { ran = 2; });
  EXPECT_THAT(table.procedures(), ElementsAre("p"));
  (*table.procedure("p"))(nullptr, [](const CallResult&) {});
  EXPECT_EQ(ran, 2);
  EXPECT_TRUE(table.unadvertise("p"));
  EXPECT_FALSE(table.unadvertise("p"));
  EXPECT_EQ(table.procedure("p"), nullptr);
}

// Calls end by answer or deadline, each once, those due first first.
TEST(CallTable, EndsEachCallOnce) {
  CallTable table;
  std::vector<int> ended;
  const auto done = [&](int number) { return [&ended, number](const CallResult&) { ended.push_back(number); }; };
  const uint64_t slow = table.add(run_start + 3s, done(1));
  const uint64_t fast = table.add(run_start + 1s, done(2));
  const uint64_t answered = table.add(run_start + 2s, done(3));
  EXPECT_EQ(table.next_deadline(), run_start + 1s);
  ASSERT_TRUE(table.take(answered));
  EXPECT_FALSE(table.take(answered));
  EXPECT_FALSE(table.expired(run_start + 999ms));
  (*table.expired(run_start + 5s))(Json());
  (*table.expired(run_start + 5s))(Json());
  EXPECT_FALSE(table.expired(run_start + 5s));
  EXPECT_FALSE(table.take(slow));
  EXPECT_FALSE(table.take(fast));
  EXPECT_THAT(ended, ElementsAre(2, 1));
  EXPECT_EQ(table.size(), 0u);
}

// With an interval of 30 s and a timeout of 60 s a silent relay is found dead at the tick that is 60 s
// after the first PING it did not answer.
TEST(PingWatch, FindsASilentRelay) {
  PingWatch watch(60s);
  EXPECT_EQ(watch.tick(run_start), 1u);
  watch.pong(1);
  EXPECT_EQ(watch.tick(run_start + 30s), 2u);
  EXPECT_EQ(watch.tick(run_start + 60s), 3u);
  EXPECT_FALSE(watch.tick(run_start + 90s));
}

// A late PONG answers its PING and the ones before it, no more.
TEST(PingWatch, CountsLatePongs) {
  PingWatch watch(60s);
  watch.tick(run_start);
  watch.tick(run_start + 30s);
  watch.tick(run_start + 59s);
  watch.pong(2);
  EXPECT_EQ(watch.unanswered(), 1u);
  EXPECT_TRUE(watch.tick(run_start + 118s));
  EXPECT_FALSE(watch.tick(run_start + 119s));
}

}  // namespace
}  // namespace distlab::mesh
