// What this process uses of its machine, as /proc tells it.
#pragma once

#include <cstdint>

namespace distlab::daemon {

struct ProcessStats {
  uint64_t resident_bytes = 0;
  uint64_t open_files = 0;
  uint64_t max_files = 0;
  double cpu_seconds = 0;
};
ProcessStats process_stats();  // what cannot be learnt stays 0

}  // namespace distlab::daemon
