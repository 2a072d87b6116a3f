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

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "models/host/host.h"
#include "models/host/testing/peer.h"

namespace distlab::conformance {

using namespace std::chrono_literals;

// Two processes on two machines. `b` is found by the name "b.test", "nowhere.test" is not known.
class Ground {
 public:
  virtual ~Ground() = default;
  virtual Host& a() = 0;
  virtual Host& b() = 0;
  virtual Ipv4 a_address() const = 0;
  virtual Ipv4 b_address() const = 0;
  // Runs until `done` holds (true) or so much of the ground's time has passed (false). Asks at
  // least after every callback.
  virtual bool run_until(const std::function<bool()>& done, Duration limit) = 0;
  // What host `a` has recorded so far.
  virtual std::vector<std::pair<Time, Event>> recorded_by_a() = 0;
};

using GroundFactory = std::unique_ptr<Ground> (*)(uint64_t seed);

}  // namespace distlab::conformance

namespace distlab {

class HostConformance : public testing::TestWithParam<conformance::GroundFactory> {
 protected:
  static constexpr uint64_t seed = 42;

  // Members die in reverse order: models before the ground.
  std::unique_ptr<conformance::Ground> ground_ = GetParam()(seed);
  Host& a_ = ground_->a();
  Host& b_ = ground_->b();
  conformance::Peer client_, server_;
  std::unique_ptr<TcpListener> listener_;

  bool run_until(const std::function<bool()>& done, Duration limit = std::chrono::seconds{20}) {
    return ground_->run_until(done, limit);
  }
  void run_for(Duration duration) {
    ground_->run_until([] { return false; }, duration);
  }
  // `b` listens and keeps what it accepts in server_.
  Endpoint listen() {
    auto listener = b_.listen_tcp({ground_->b_address(), 0},
                                  [this](std::unique_ptr<ByteStream> stream) { server_.take(std::move(stream)); });
    EXPECT_TRUE(listener.has_value());
    listener_ = std::move(*listener);
    return listener_->local();
  }
  // `a` dials and both ends are connected.
  void connect() {
    client_.stream = a_.connect_tcp(listen(), client_);
    ASSERT_TRUE(run_until([&] { return client_.connected == 1 && server_.stream; }));
  }
};

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

// --- TCP --------------------------------------------------------------------------------------

TEST_P(HostConformance, TcpConnectsAndCarriesDataBothWays) {
  using namespace conformance;
  // Both ends agree on who they are, and bytes arrive in both directions.
  connect();
  EXPECT_EQ(client_.stream->remote(), listener_->local());
  EXPECT_EQ(server_.stream->local(), listener_->local());
  EXPECT_EQ(server_.stream->remote(), client_.stream->local());
  EXPECT_EQ(client_.stream->local().address, ground_->a_address());
  EXPECT_EQ(client_.stream->write(bytes_of("ping")), 4u);
  EXPECT_EQ(server_.stream->write(bytes_of("pong")), 4u);
  EXPECT_TRUE(run_until([&] { return server_.text() == "ping" && client_.text() == "pong"; }));
  EXPECT_EQ(server_.connected, 0) << "accepted streams are connected at birth";
}

TEST_P(HostConformance, AnyAddressListensOnAllOfThem) {
  using namespace conformance;
  // A listener on any_address is reached from outside and over loopback.
  listener_ =
      *b_.listen_tcp({any_address, 0}, [this](std::unique_ptr<ByteStream> stream) { server_.take(std::move(stream)); });
  const uint16_t port = listener_->local().port;
  EXPECT_NE(port, 0);
  client_.stream = a_.connect_tcp({ground_->b_address(), port}, client_);
  ASSERT_TRUE(run_until([&] { return client_.connected == 1 && server_.stream; }));
  Peer local;
  server_.stream.reset();
  local.stream = b_.connect_tcp({loopback_address, port}, local);
  ASSERT_TRUE(run_until([&] { return local.connected == 1 && server_.stream; }));
  EXPECT_EQ(server_.stream->remote(), local.stream->local());
}

TEST_P(HostConformance, LoopbackReachesTheOwnMachine) {
  using namespace conformance;
  // As a node registers with its EPMD, and as it is seen from there.
  listener_ = *a_.listen_tcp({loopback_address, 0},
                             [this](std::unique_ptr<ByteStream> stream) { server_.take(std::move(stream)); });
  client_.stream = a_.connect_tcp(listener_->local(), client_);
  ASSERT_TRUE(run_until([&] { return client_.connected == 1 && server_.stream; }));
  client_.stream->write(bytes_of("x"));
  EXPECT_TRUE(run_until([&] { return server_.text() == "x"; }));
}

TEST_P(HostConformance, TcpIsRefusedWhereNobodyListens) {
  using namespace conformance;
  // on_closed(refused), and on_connected never.
  const Endpoint nobody = listen();
  listener_.reset();
  client_.stream = a_.connect_tcp(nobody, client_);
  EXPECT_FALSE(client_.closed);
  ASSERT_TRUE(run_until([&] { return client_.closed.has_value(); }));
  EXPECT_EQ(*client_.closed, NetError::refused);
  EXPECT_EQ(client_.connected, 0);
}

TEST_P(HostConformance, ADestroyedListenerRefusesAndKeepsItsConnections) {
  using namespace conformance;
  // Accepting stops; what was accepted lives on.
  connect();
  const Endpoint at = listener_->local();
  listener_.reset();
  Peer late;
  late.stream = a_.connect_tcp(at, late);
  ASSERT_TRUE(run_until([&] { return late.closed.has_value(); }));
  EXPECT_EQ(*late.closed, NetError::refused);
  client_.stream->write(bytes_of("still here"));
  EXPECT_TRUE(run_until([&] { return server_.text() == "still here"; }));
}

TEST_P(HostConformance, APortIsTakenOnce) {
  using namespace conformance;
  // The second listener gets address_in_use, also against any_address; a freed port is free.
  const Endpoint at = listen();
  const auto ignore = [](std::unique_ptr<ByteStream>) {};
  auto second = b_.listen_tcp(at, ignore);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error(), NetError::address_in_use);
  auto any = b_.listen_tcp({any_address, at.port}, ignore);
  ASSERT_FALSE(any.has_value());
  EXPECT_EQ(any.error(), NetError::address_in_use);
  listener_.reset();
  EXPECT_TRUE(b_.listen_tcp(at, ignore).has_value());
}

TEST_P(HostConformance, TcpKeepsAMegabyteIntact) {
  using namespace conformance;
  // Written as fast as the stream takes it, both ways at once.
  connect();
  const auto sent = pattern(1 << 20);
  const auto pump = [&sent](Peer& peer, size_t& done) {
    while (done < sent.size()) {
      const size_t taken = peer.stream->write(Bytes(sent).subspan(done, std::min<size_t>(50'000, sent.size() - done)));
      if (taken == 0) return;
      done += taken;
    }
  };
  size_t up = 0, down = 0;
  client_.then = [&] { pump(client_, up); };
  server_.then = [&] { pump(server_, down); };
  pump(client_, up);
  pump(server_, down);
  ASSERT_TRUE(run_until([&] { return client_.data.size() >= sent.size() && server_.data.size() >= sent.size(); }));
  EXPECT_EQ(client_.data, sent);
  EXPECT_EQ(server_.data, sent);
}

TEST_P(HostConformance, AReaderThatStopsHoldsTheWriterBack) {
  using namespace conformance;
  // The buffers are bounded; on_writable comes when the reader goes on, and not before.
  connect();
  server_.stream->set_reading(false);
  const auto block = pattern(1 << 16);
  size_t written = 0;
  bool blocked = false;
  const auto pump = [&] {
    while (written < (size_t{64} << 20)) {
      const size_t taken = client_.stream->write(block);
      written += taken;
      if (taken < block.size()) {
        blocked = true;
        return;
      }
    }
  };
  client_.then = pump;
  pump();
  run_until([&] { return false; }, 300ms);  // the kernel's buffers fill as well
  ASSERT_TRUE(blocked) << "64 MB were taken from a writer whose reader does not read";
  EXPECT_TRUE(server_.data.empty());
  const int before = client_.writable;
  client_.then = nullptr;
  server_.stream->set_reading(true);
  EXPECT_TRUE(run_until([&] { return client_.writable > before; }));
  EXPECT_TRUE(run_until([&] { return server_.data.size() == written; }));
}

TEST_P(HostConformance, CloseFinishesAfterAllData) {
  using namespace conformance;
  // What was written before close() arrives, then on_closed(closed); the closer hears nothing more.
  connect();
  const auto sent = pattern(100'000);
  ASSERT_EQ(client_.stream->write(sent), sent.size());
  client_.stream->close();
  ASSERT_TRUE(run_until([&] { return server_.closed.has_value(); }));
  EXPECT_EQ(*server_.closed, NetError::closed);
  EXPECT_EQ(server_.data, sent);
  run_for(20ms);
  EXPECT_FALSE(client_.closed);
}

TEST_P(HostConformance, DestroyingAStreamClosesIt) {
  using namespace conformance;
  // As close() does: data first, then the orderly end.
  connect();
  client_.stream->write(bytes_of("last words"));
  client_.stream.reset();
  ASSERT_TRUE(run_until([&] { return server_.closed.has_value(); }));
  EXPECT_EQ(*server_.closed, NetError::closed);
  EXPECT_EQ(server_.text(), "last words");
}

TEST_P(HostConformance, TheEndWaitsForTheReader) {
  using namespace conformance;
  // With reading off neither data nor the orderly end behind it is told.
  connect();
  server_.stream->set_reading(false);
  client_.stream->write(bytes_of("unread"));
  client_.stream->close();
  run_for(100ms);
  EXPECT_FALSE(server_.closed);
  EXPECT_TRUE(server_.data.empty());
  server_.stream->set_reading(true);
  ASSERT_TRUE(run_until([&] { return server_.closed.has_value(); }));
  EXPECT_EQ(*server_.closed, NetError::closed);
  EXPECT_EQ(server_.text(), "unread");
}

TEST_P(HostConformance, AbortResets) {
  using namespace conformance;
  // The peer hears reset; the aborter nothing.
  connect();
  client_.stream->abort();
  ASSERT_TRUE(run_until([&] { return server_.closed.has_value(); }));
  EXPECT_EQ(*server_.closed, NetError::reset);
  run_for(20ms);
  EXPECT_FALSE(client_.closed);
}

TEST_P(HostConformance, AResetIsToldEvenWithReadingOff) {
  using namespace conformance;
  // Unlike the orderly end: the stream is of no use any more.
  connect();
  server_.stream->set_reading(false);
  client_.stream->write(bytes_of("lost with it"));
  run_for(50ms);
  client_.stream->abort();
  ASSERT_TRUE(run_until([&] { return server_.closed.has_value(); }));
  EXPECT_EQ(*server_.closed, NetError::reset);
}

TEST_P(HostConformance, WhatIsWrittenBeforeTheConnectionStandsArrives) {
  using namespace conformance;
  // It waits in the send buffer, which is as bounded as ever.
  client_.stream = a_.connect_tcp(listen(), client_);
  EXPECT_EQ(client_.stream->write(bytes_of("eager")), 5u);
  EXPECT_TRUE(run_until([&] { return server_.text() == "eager"; }));
}

TEST_P(HostConformance, AClosedStreamTakesNothing) {
  using namespace conformance;
  // After close(), and after on_closed, write() returns 0.
  connect();
  client_.stream->close();
  EXPECT_EQ(client_.stream->write(bytes_of("x")), 0u);
  ASSERT_TRUE(run_until([&] { return server_.closed.has_value(); }));
  EXPECT_EQ(server_.stream->write(bytes_of("x")), 0u);
}

TEST_P(HostConformance, NoCallbackFromInsideACall) {
  using namespace conformance;
  // Connecting, writing, closing, timers, lookups: all callbacks come from the loop.
  bool inside = false;
  client_.inside = server_.inside = &inside;
  const auto call = [&inside](const auto& fn) {
    const bool before = std::exchange(inside, true);
    fn();
    inside = before;
  };
  Endpoint at;
  call([&] { at = listen(); });
  call([&] { client_.stream = a_.connect_tcp(at, client_); });
  ASSERT_TRUE(run_until([&] { return client_.connected == 1 && server_.stream; }));
  int called = 0;
  call([&] {
    client_.stream->write(bytes_of("one"));
    server_.stream->write(bytes_of("two"));
    a_.start_timer(0ms, [&] {
      EXPECT_FALSE(inside);
      ++called;
    });
    a_.lookup("b.test", [&](const auto&) {
      EXPECT_FALSE(inside);
      ++called;
    });
    client_.stream->set_reading(false);
    client_.stream->set_reading(true);
  });
  ASSERT_TRUE(run_until([&] { return called == 2 && server_.text() == "one" && client_.text() == "two"; }));
  call([&] { client_.stream->close(); });
  ASSERT_TRUE(run_until([&] { return server_.closed.has_value(); }));
}

TEST_P(HostConformance, AStreamCanBeDestroyedInAnyOfItsCallbacks) {
  using namespace conformance;
  // In on_connected, on_data (with more data waiting) and on_closed; no callback follows. (A
  // sanitizer build sees use after free.)
  {
    auto peer = std::make_unique<Peer>();
    bool gone = false;
    peer->stream = a_.connect_tcp(listen(), *peer);
    peer->then = [&] {
      peer.reset();
      gone = true;
    };
    ASSERT_TRUE(run_until([&] { return gone && server_.closed.has_value(); }));
  }
  server_.closed.reset();
  server_.stream.reset();
  connect();
  struct DiesOnClose : StreamHandler {
    std::unique_ptr<ByteStream> stream;
    std::function<void()> die;
    void on_data(Bytes) override {}
    void on_closed(NetError) override {
      const auto run = die;
      run();
    }
  };
  auto fragile = std::make_unique<DiesOnClose>();
  fragile->stream = std::move(server_.stream);
  fragile->stream->set_handler(*fragile);
  fragile->die = [&] { fragile.reset(); };
  client_.stream->write(pattern(200'000));
  client_.then = nullptr;
  client_.stream->close();
  ASSERT_TRUE(run_until([&] { return !fragile; }));
  client_.connected = 0;
  connect();
  int callbacks = 0;
  server_.then = [&] {
    ++callbacks;
    server_.stream.reset();
  };
  client_.stream->write(pattern(200'000));
  ASSERT_TRUE(run_until([&] { return callbacks > 0; }));
  run_for(50ms);
  EXPECT_EQ(callbacks, 1);
}

TEST_P(HostConformance, AListenerCanBeDestroyedInItsCallback) {
  using namespace conformance;
  // The stream it just gave lives on.
  auto listener = b_.listen_tcp({ground_->b_address(), 0}, [this](std::unique_ptr<ByteStream> stream) {
    listener_.reset();
    server_.take(std::move(stream));
  });
  listener_ = std::move(*listener);
  client_.stream = a_.connect_tcp(listener_->local(), client_);
  ASSERT_TRUE(run_until([&] { return client_.connected == 1 && server_.stream; }));
  client_.stream->write(bytes_of("x"));
  EXPECT_TRUE(run_until([&] { return server_.text() == "x"; }));
}

TEST_P(HostConformance, ADialCanBeGivenUp) {
  using namespace conformance;
  // Destroying a stream that connects: no callback, and the far end sees no lasting connection.
  client_.stream = a_.connect_tcp(listen(), client_);
  client_.stream.reset();
  run_for(100ms);
  EXPECT_EQ(client_.connected, 0);
  EXPECT_FALSE(client_.closed);
  EXPECT_TRUE(!server_.stream || server_.closed);
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
