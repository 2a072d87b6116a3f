// The loop of the coordinator: descriptors, times, and somebody who wants a turn in every round.
//
// It does not use Asio, because the emu ground must wait exactly until ns-3 has something to do, and has
// to do it first in every round.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "models/host/time.h"
#include "real/ground/clock.h"
#include "real/lab/fd.h"

namespace distlab::ground {

class Loop {
 public:
  using Action = std::function<void()>;
  // Has a turn in every round, and says when it wants the next one at the latest.
  class Driven {
   public:
    virtual ~Driven() = default;
    virtual void turn(Time now) = 0;
    virtual std::optional<Time> next() = 0;
  };

  static lab::Result<Loop> make(const Clock& clock);
  Loop(Loop&&) = default;
  Loop& operator=(Loop&&) = delete;
  ~Loop() = default;

  const Clock& clock() const { return clock_; }
  void set_clock(const Clock& clock) { clock_ = clock; }  // before anything is due

  // Descriptors are not owned. The action is called while the descriptor is readable (or at its end).
  lab::Result<void> watch(int fd, Action readable);
  lab::Result<void> watch_writable(int fd, Action writable);
  void forget(int fd);  // before it is closed; its action may do so itself

  void at(Time when, Action action);  // ties in the order of the calls
  void after(Duration delay, Action action) { at(clock_.now() + delay, std::move(action)); }
  void forget_times() { due_.clear(); }  // what at() and after() were told
  void drive(Driven& driven) { driven_ = &driven; }

  void run();  // until stop()
  void stop() { stopped_ = true; }

 private:
  Loop(const Clock& clock, lab::Fd epoll) : clock_(clock), epoll_(std::move(epoll)) {}
  lab::Result<void> add(int fd, uint32_t events, Action action);
  void run_due();
  Time wait_until();
  void wait();

  Clock clock_;
  lab::Fd epoll_;
  std::map<int, std::shared_ptr<Action>> watched_;
  std::multimap<Time, Action> due_;
  Driven* driven_ = nullptr;
  bool stopped_ = false;
};

}  // namespace distlab::ground
