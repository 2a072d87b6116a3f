// What of a flood is told, and when.
#include "models/mesh/notices.h"

#include <gtest/gtest.h>

namespace distlab::mesh {
namespace {

using namespace std::chrono_literals;

const Endpoint here{Ipv4{0x0a000001}, 1000}, there{Ipv4{0x0a000002}, 2000};

Notices::Sort sort(const std::string& reason, uint64_t session = 0) {
  return {SessionId{session}, "kind", reason};
}

// Proves that of a flood the first is told at once, and then one sum per interval, until an interval passes quietly.
TEST(Notices, OneAtOnceThenOnePerInterval) {
  Notices notices;
  Time now = run_start;
  EXPECT_TRUE(notices.note(now, sort("a"), {1, 10, here}));
  EXPECT_FALSE(notices.note(now, sort("a"), {1, 20, here}));
  EXPECT_FALSE(notices.note(now + 999ms, sort("a"), {2, 30, there}));
  EXPECT_EQ(notices.next_time(), now + 1s);
  EXPECT_FALSE(notices.due(now + 999ms));
  now += 1s;
  const auto told = notices.due(now);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->second.messages, 3u);
  EXPECT_EQ(told->second.bytes, 50u);
  EXPECT_EQ(told->second.remote, there);
  EXPECT_FALSE(notices.due(now));
  EXPECT_FALSE(notices.note(now, sort("a"), {1, 1, here})) << "the next interval has begun";
  ASSERT_TRUE(notices.due(now + 1s));
  EXPECT_FALSE(notices.due(now + 2s)) << "nothing happened";
  EXPECT_FALSE(notices.next_time());
  EXPECT_TRUE(notices.note(now + 2s, sort("a"), {1, 1, here}));
}

// Proves that reasons and sessions do not wait for each other.
TEST(Notices, SortsAreApart) {
  Notices notices;
  EXPECT_TRUE(notices.note(run_start, sort("a"), {1, 0, here}));
  EXPECT_TRUE(notices.note(run_start, sort("b"), {1, 0, here}));
  EXPECT_TRUE(notices.note(run_start, sort("a", 7), {1, 0, here}));
  EXPECT_TRUE(notices.note(run_start, {SessionId{}, "other kind", "a"}, {1, 0, here}));
}

// Proves that a session that is forgotten is told of once more, and leaves nothing behind; others stay.
TEST(Notices, Forget) {
  Notices notices;
  for (const uint64_t session : {6, 7, 8}) {
    for (int i = 0; i < 3; ++i) notices.note(run_start, sort("a", session), {1, 0, here});
    notices.note(run_start, sort("quiet", session), {1, 0, here});
  }
  const auto told = notices.forget(SessionId{7});
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].first, sort("a", 7));
  EXPECT_EQ(told[0].second.messages, 2u);
  EXPECT_TRUE(notices.forget(SessionId{7}).empty());
  std::vector<uint64_t> rest;
  while (const auto due = notices.due(run_start + 1s)) rest.push_back(uint64_t(due->first.session));
  EXPECT_EQ(rest, (std::vector<uint64_t>{6, 8}));
  EXPECT_FALSE(notices.due(run_start + 2s));
  EXPECT_FALSE(notices.next_time());
}

}  // namespace
}  // namespace distlab::mesh
