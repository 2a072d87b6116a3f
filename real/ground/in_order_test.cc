#include "real/ground/in_order.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "results/testing/events.h"

namespace distlab::ground {
namespace {

using std::chrono::milliseconds;

class InOrderTest : public testing::Test {
 protected:
  void add(double at_s, const std::string& what) { in_order_.add(results::event(at_s, "alice", what, "log")); }

  std::string seen_;
  InOrder in_order_{[this](const results::EventRecord& event) { seen_ += event.subject; }};
};

// Events come out in the order of their times, whatever the order they came in; those of one time in that one.
TEST_F(InOrderTest, SortsByTime) {
  add(2, "c");
  add(1, "a");
  add(2, "d");
  add(1, "b");
  in_order_.release_all();
  EXPECT_EQ(seen_, "abcd");
}

// What is young is kept back, in case something older is still under way.
TEST_F(InOrderTest, KeepsBackWhatIsYoung) {
  add(10, "b");
  in_order_.release(std::chrono::seconds{10} + InOrder::patience - milliseconds{1});
  EXPECT_EQ(seen_, "");
  add(9.5, "a");
  in_order_.release(std::chrono::seconds{10} + InOrder::patience);
  EXPECT_EQ(seen_, "ab");
}

// What comes later than that is out of order, and not lost.
TEST_F(InOrderTest, LosesNothing) {
  add(10, "b");
  in_order_.release(std::chrono::seconds{20});
  add(9, "a");
  in_order_.release(std::chrono::seconds{20});
  EXPECT_EQ(seen_, "ba");
}

// Streams of several processes, each in order and read one after the other, are merged.
TEST(InOrder, MergesStreams) {
  std::mt19937 random(3);
  std::vector<int64_t> times;
  InOrder in_order([&](const results::EventRecord& event) { times.push_back(event.time_ns); });
  size_t added = 0;
  for (Duration now{0}; now < std::chrono::seconds{20}; now += milliseconds{100}) {
    for (int process = 0; process < 5; ++process) {
      int64_t at = now.count();
      for (int i = 0; i < 20; ++i, ++added) {
        at += static_cast<int64_t>(random() % 5'000'000);
        in_order.add({at, "p", "", "log", {}});
      }
    }
    in_order.release(now + milliseconds{100});
  }
  in_order.release_all();
  EXPECT_EQ(times.size(), added);
  EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
}

}  // namespace
}  // namespace distlab::ground
