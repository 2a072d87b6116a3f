// What every implementation of Host must do: one suite for TestHost, sim::Ns3Host and real::AsioHost.
//
// Include this in one test file of a ground and instantiate it with a function that makes two
// connected hosts:
//
//   INSTANTIATE_TEST_SUITE_P(TestHost, HostConformance, testing::Values(&make_test_ground));
//
// Limits are in the ground's own time and generous: on a real ground a test ends when what it
// waits for has happened.
#pragma once

#include "models/host/testing/conformance_ground.h"
#include "models/host/testing/conformance_tcp.h"

namespace distlab {

// --- Time and timers --------------------------------------------------------------------------

TEST_P(HostConformance, TimeIsNeverZeroAndNeverGoesBack) {
  using namespace conformance;
  // The clock starts at run_start or later and does not decrease over callbacks.
  EXPECT_GE(a_.now(), run_start);
  std::vector<Time> seen{a_.now()};
  for (int i = 0; i < 20; ++i) a_.start_timer(i % 5 * 1ms, [&] { seen.push_back(a_.now()); });
  ASSERT_TRUE(run_until([&] { return seen.size() == 21; }));
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST_P(HostConformance, TimersRunInOrderOfTimeAndTiesAsAskedFor) {
  using namespace conformance;
  // Later timers run later, equal ones in the order of start_timer, none before its time.
  std::vector<int> order;
  const Time start = a_.now();
  const auto ring = [&](Duration delay, int number) {
    a_.start_timer(delay, [&order, &start, this, delay, number] {
      EXPECT_GE(a_.now(), start + delay);
      order.push_back(number);
    });
  };
  ring(60ms, 5);
  ring(20ms, 3);
  ring(20ms, 4);
  ring(0ms, 1);
  ring(0ms, 2);
  EXPECT_TRUE(order.empty()) << "a callback from inside a call";
  ASSERT_TRUE(run_until([&] { return order.size() == 5; }));
  EXPECT_EQ(order, (std::vector{1, 2, 3, 4, 5}));
}

TEST_P(HostConformance, ANegativeDelayIsNone) {
  using namespace conformance;
  // A deadline that has passed runs from the loop at once.
  bool rang = false;
  a_.start_timer(-5s, [&] { rang = true; });
  EXPECT_FALSE(rang);
  EXPECT_TRUE(run_until([&] { return rang; }, 1s));
}

TEST_P(HostConformance, ACancelledTimerDoesNotRun) {
  using namespace conformance;
  // Also when it was due at the same instant as the callback that cancels it; cancelling what has
  // fired, or nothing, is harmless.
  int rang = 0;
  bool end = false;
  const TimerId early = a_.start_timer(5ms, [&] { ++rang; });
  TimerId victim = TimerId::none;
  a_.start_timer(10ms, [&] { a_.cancel_timer(victim); });
  victim = a_.start_timer(10ms, [&] { rang += 100; });
  const TimerId late = a_.start_timer(20ms, [&] { rang += 1000; });
  EXPECT_NE(early, TimerId::none);
  a_.cancel_timer(late);
  a_.cancel_timer(TimerId::none);
  a_.start_timer(40ms, [&] {
    a_.cancel_timer(early);
    end = true;
  });
  ASSERT_TRUE(run_until([&] { return end; }));
  EXPECT_EQ(rang, 1);
}

TEST_P(HostConformance, ATimerCanRestartItselfInsideItsCallback) {
  using namespace conformance;
  // The Timer class as models use it: periodic by restarting.
  Timer timer(a_);
  int rang = 0;
  std::function<void()> again = [&] {
    if (++rang < 5) timer.start(2ms, again);
  };
  timer.start(2ms, again);
  ASSERT_TRUE(run_until([&] { return rang == 5; }));
  EXPECT_FALSE(timer.running());
  run_for(20ms);
  EXPECT_EQ(rang, 5);
}

TEST_P(HostConformance, ATimerCanBeDestroyedInsideItsCallback) {
  using namespace conformance;
  // And a destroyed one does not run.
  auto timer = std::make_unique<Timer>(a_);
  int rang = 0;
  timer->start(1ms, [&] {
    timer.reset();
    ++rang;
  });
  {
    Timer dead(a_);
    dead.start(1ms, [&] { rang += 100; });
  }
  run_for(20ms);
  EXPECT_EQ(rang, 1);
}

// --- UDP, names, chance, record ---------------------------------------------------------------

TEST_P(HostConformance, UdpCarriesDatagramsAndTheirSource) {
  using namespace conformance;
  // Port 0 gives a free port; an echo to the source arrives; boundaries are kept.
  Datagrams at_a, at_b;
  const auto a = a_.open_udp({ground_->a_address(), 0}, at_a);
  const auto b = b_.open_udp({any_address, 0}, at_b);
  ASSERT_TRUE(a.has_value() && b.has_value());
  EXPECT_NE((*a)->local().port, 0);
  EXPECT_TRUE((*a)->send_to({ground_->b_address(), (*b)->local().port}, bytes_of("one")));
  EXPECT_TRUE((*a)->send_to({ground_->b_address(), (*b)->local().port}, bytes_of("two!")));
  ASSERT_TRUE(run_until([&] { return at_b.got.size() == 2; }));
  EXPECT_EQ(at_b.got[0], std::pair((*a)->local(), std::string("one")));
  EXPECT_EQ(at_b.got[1].second, "two!");
  EXPECT_TRUE((*b)->send_to(at_b.got[0].first, bytes_of("echo")));
  ASSERT_TRUE(run_until([&] { return at_a.got.size() == 1; }));
  EXPECT_EQ(at_a.got[0], std::pair(Endpoint{ground_->b_address(), (*b)->local().port}, std::string("echo")));
}

TEST_P(HostConformance, AUdpPortIsTakenOnceAndFreedWhenDestroyed) {
  using namespace conformance;
  // No datagram is told after the socket is gone, and its port can be opened again.
  Datagrams first, second;
  auto one = a_.open_udp({ground_->a_address(), 0}, first);
  ASSERT_TRUE(one.has_value());
  const Endpoint at = (*one)->local();
  const auto taken = a_.open_udp(at, second);
  ASSERT_FALSE(taken.has_value());
  EXPECT_EQ(taken.error(), NetError::address_in_use);
  const auto from = b_.open_udp({ground_->b_address(), 0}, second);
  ASSERT_TRUE((*from)->send_to(at, bytes_of("late")));
  one->reset();
  run_for(50ms);
  EXPECT_TRUE(first.got.empty());
  EXPECT_TRUE(a_.open_udp(at, first).has_value());
}

TEST_P(HostConformance, LookupFindsNamesAndLiterals) {
  using namespace conformance;
  // A known name, an unknown one (not_found), and an address that is its own answer.
  std::vector<tl::expected<std::vector<Ipv4>, NetError>> answers;
  const auto keep = [&](const tl::expected<std::vector<Ipv4>, NetError>& answer) { answers.push_back(answer); };
  a_.lookup("b.test", keep);
  ASSERT_TRUE(run_until([&] { return answers.size() == 1; }));
  a_.lookup("nowhere.test", keep);
  ASSERT_TRUE(run_until([&] { return answers.size() == 2; }));
  a_.lookup("192.0.2.7", keep);
  ASSERT_TRUE(run_until([&] { return answers.size() == 3; }));
  ASSERT_TRUE(answers[0].has_value());
  EXPECT_EQ(*answers[0], std::vector{ground_->b_address()});
  ASSERT_FALSE(answers[1].has_value());
  EXPECT_EQ(answers[1].error(), NetError::not_found);
  ASSERT_TRUE(answers[2].has_value());
  EXPECT_EQ(*answers[2], std::vector{*Ipv4::parse("192.0.2.7")});
}

TEST_P(HostConformance, RandomStreamsDependOnSeedHostAndNameOnly) {
  using namespace conformance;
  // Whatever else is drawn; and the reference stays valid.
  RandomStream& kept = a_.random("kept");
  RandomStream expected(seed, a_.name(), "kept");
  EXPECT_EQ(kept.next(), expected.next());
  for (int i = 0; i < 100; ++i) a_.random("other" + std::to_string(i)).next();
  std::vector<uint8_t> secret(64);
  a_.fill_secret(secret);
  EXPECT_EQ(kept.next(), expected.next());
  EXPECT_EQ(&kept, &a_.random("kept"));
  EXPECT_EQ(b_.random("kept").next(), RandomStream(seed, b_.name(), "kept").next());
  EXPECT_NE(a_.name(), b_.name());
}

TEST_P(HostConformance, SecretsAreFilled) {
  using namespace conformance;
  // Two draws differ, and every byte is written.
  std::vector<uint8_t> one(4096), two(4096);
  a_.fill_secret(one);
  a_.fill_secret(two);
  EXPECT_NE(one, two);
  EXPECT_LT(std::count(one.begin(), one.end(), 0), 100);
}

TEST_P(HostConformance, EventsAreRecordedInOrderWithTheirTime) {
  using namespace conformance;
  // The host adds the time; subject and fields arrive as given.
  const Time before = a_.now();
  a_.record({"node_up", "b@b.test", {{"direction", std::string("out")}, {"setup_ns", int64_t{5}}}});
  bool end = false;
  a_.start_timer(5ms, [&] {
    a_.record({"node_down", "b@b.test", {{"reason", std::string("connection_closed")}}});
    end = true;
  });
  ASSERT_TRUE(run_until([&] { return end; }));
  const auto events = ground_->recorded_by_a();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_GE(events[0].first, before);
  EXPECT_GE(events[1].first, events[0].first + 5ms);
  EXPECT_EQ(events[0].second.kind, "node_up");
  EXPECT_EQ(events[0].second.subject, "b@b.test");
  ASSERT_EQ(events[0].second.fields.size(), 2u);
  EXPECT_EQ(std::get<int64_t>(events[0].second.fields[1].value), 5);
  EXPECT_EQ(events[1].second.kind, "node_down");
}

}  // namespace distlab
