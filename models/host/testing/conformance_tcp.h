// conformance.h, the part about TCP.
#pragma once

#include "models/host/testing/conformance_ground.h"

namespace distlab {

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

}  // namespace distlab
