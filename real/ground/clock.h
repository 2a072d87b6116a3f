// The one clock of a run on real hosts: CLOCK_MONOTONIC, counted from an origin all processes know.
#pragma once

#include <chrono>

#include "models/host/time.h"

namespace distlab::ground {

class Clock {
 public:
  explicit Clock(std::chrono::nanoseconds origin) : origin_(origin) {}

  static std::chrono::nanoseconds monotonic() { return std::chrono::steady_clock::now().time_since_epoch(); }
  std::chrono::nanoseconds origin() const { return origin_; }
  Time now() const { return run_start + elapsed(); }
  Duration elapsed() const { return monotonic() - origin_; }  // negative until the run begins

 private:
  std::chrono::nanoseconds origin_;
};

}  // namespace distlab::ground
