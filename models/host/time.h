// Time as every model sees it: monotonic, since the run began, never at zero.
//
// There is deliberately no now() here: only a Host knows the time (design.md section 3).
#pragma once

#include <chrono>

namespace distlab {

using Duration = std::chrono::nanoseconds;

struct RunClock {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<RunClock, Duration>;
  static constexpr bool is_steady = true;
};

using Time = RunClock::time_point;

// Runs start here, so that a forgotten zero is never a valid time (quiche's simulator does the
// same).
inline constexpr Time run_start{std::chrono::seconds{1}};

constexpr double to_seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}

}  // namespace distlab
