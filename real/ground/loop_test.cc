#include "real/ground/loop.h"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

namespace distlab::ground {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

// A loop whose run began an hour ago, so that what is due at small times is due at once.
Loop make_loop() {
  return std::move(*Loop::make(Clock(Clock::monotonic() - hours{1})));
}

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    reader = lab::Fd(ends[0]);
    writer = lab::Fd(ends[1]);
  }
  void say() const { EXPECT_EQ(::write(writer.get(), "x", 1), 1); }
  void hear() const {
    char byte = 0;
    EXPECT_EQ(::read(reader.get(), &byte, 1), 1);
  }
  lab::Fd reader, writer;
};

// Actions come in the order of their times, and those of one time in the order in which they were asked for.
TEST(Loop, KeepsTheOrderOfTimes) {
  Loop loop = make_loop();
  std::string order;
  const auto note = [&](char c) { return [&order, c] { order += c; }; };
  loop.at(run_start + milliseconds{2}, note('c'));
  loop.at(run_start + milliseconds{1}, note('a'));
  loop.at(run_start + milliseconds{2}, note('d'));
  loop.at(run_start + milliseconds{1}, note('b'));
  loop.at(run_start + milliseconds{3}, [&] { loop.stop(); });
  loop.at(run_start + milliseconds{4}, note('x'));
  loop.run();
  EXPECT_EQ(order, "abcd");
}

// An action may ask for another that is due already, and gets it in the same run.
TEST(Loop, RunsWhatAnActionAsksFor) {
  Loop loop = make_loop();
  int depth = 0;
  std::function<void()> again = [&] {
    if (++depth == 10) return loop.stop();
    loop.at(run_start, again);
  };
  loop.at(run_start, again);
  loop.run();
  EXPECT_EQ(depth, 10);
}

// Nothing is done before its time; the wait is neither endless nor a second's default.
TEST(Loop, WaitsForTheTime) {
  Loop loop = make_loop();
  const Time asked = loop.clock().now();
  Time done = asked;
  loop.after(milliseconds{5}, [&] {
    done = loop.clock().now();
    loop.stop();
  });
  loop.run();
  EXPECT_GE(done - asked, milliseconds{5});
}

// A clock set before the run decides what is due: its origin may lie ahead.
TEST(Loop, CountsFromTheClockItWasGiven) {
  Loop loop = make_loop();
  loop.set_clock(Clock(Clock::monotonic() + milliseconds{5}));
  EXPECT_LT(loop.clock().elapsed(), Duration::zero());
  loop.at(run_start, [&] { loop.stop(); });
  loop.run();
  EXPECT_GE(loop.clock().elapsed(), Duration::zero());
}

// What was asked for can be forgotten altogether.
TEST(Loop, ForgetsTimes) {
  Loop loop = make_loop();
  bool done = false;
  loop.at(run_start, [&] { done = true; });
  loop.forget_times();
  loop.after(Duration::zero(), [&] { loop.stop(); });
  loop.run();
  EXPECT_FALSE(done);
}

// The action of a descriptor is called as long as there is something to read, and at its end.
TEST(Loop, CallsWhileReadable) {
  Loop loop = make_loop();
  Pipe pipe;
  int calls = 0;
  pipe.say();
  pipe.say();
  ASSERT_TRUE(loop.watch(pipe.reader.get(), [&] {
    if (++calls <= 2) pipe.hear();
    if (calls == 2) pipe.writer.reset();
    if (calls == 3) loop.stop();
  }));
  loop.run();
  EXPECT_EQ(calls, 3);
}

// An action may forget its own descriptor, and is not destroyed under its own feet.
TEST(Loop, AnActionMayForgetItself) {
  Loop loop = make_loop();
  Pipe pipe;
  pipe.say();
  int calls = 0;
  const std::string kept = "a string long enough to live on the heap";
  std::string seen;
  ASSERT_TRUE(loop.watch(pipe.reader.get(), [&, kept] {
    ++calls;
    loop.forget(pipe.reader.get());
    seen = kept;
    loop.after(milliseconds{2}, [&] { loop.stop(); });
  }));
  loop.run();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(seen, kept);
}

// Of two descriptors that are readable in one round, the one that is forgotten by the other is not called.
TEST(Loop, AnActionMayForgetAnother) {
  Loop loop = make_loop();
  Pipe one, two;
  one.say();
  two.say();
  int calls = 0;
  const auto forget_both = [&] {
    ++calls;
    loop.forget(one.reader.get());
    loop.forget(two.reader.get());
    loop.after(milliseconds{2}, [&] { loop.stop(); });
  };
  ASSERT_TRUE(loop.watch(one.reader.get(), forget_both));
  ASSERT_TRUE(loop.watch(two.reader.get(), forget_both));
  loop.run();
  EXPECT_EQ(calls, 1);
}

// A descriptor that cannot be watched is an error, and forgetting one that is not watched is none.
TEST(Loop, RefusesWhatCannotBeWatched) {
  Loop loop = make_loop();
  EXPECT_FALSE(loop.watch(-1, [] {}));
  loop.forget(12345);
}

class Counted final : public Loop::Driven {
 public:
  explicit Counted(Loop& loop) : loop_(loop) {}
  void turn(Time now) override {
    EXPECT_GE(now, wanted_);
    wanted_ = now + milliseconds{1};
    if (++turns == 5) loop_.stop();
  }
  std::optional<Time> next() override { return wanted_; }

  int turns = 0;

 private:
  Loop& loop_;
  Time wanted_{};
};

// Whoever drives has a turn in every round, and the loop wakes up when it wants the next one.
TEST(Loop, GivesTurns) {
  Loop loop = make_loop();
  Counted driven(loop);
  loop.drive(driven);
  loop.at(run_start + hours{2}, [] { ADD_FAILURE(); });
  loop.run();
  EXPECT_EQ(driven.turns, 5);
}

}  // namespace
}  // namespace distlab::ground
