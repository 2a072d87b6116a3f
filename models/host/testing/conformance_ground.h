// What the tests of conformance.h play on: two hosts, and a ground that makes them.
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

}  // namespace distlab
