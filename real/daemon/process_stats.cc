#include "real/daemon/process_stats.h"

#include <filesystem>
#include <fstream>

#include <sys/resource.h>
#include <unistd.h>

namespace distlab::daemon {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

uint64_t count_open_files() {
  std::error_code error;
  uint64_t count = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end; at.increment(error)) {
    ++count;
  }
  return count > 0 ? count - 1 : 0;  // without the one that reads the folder
}

}  // namespace

ProcessStats process_stats() {
  ProcessStats out;
  uint64_t total = 0, resident = 0;
  if (std::ifstream statm("/proc/self/statm"); statm >> total >> resident) {
    out.resident_bytes = resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  }
  out.open_files = count_open_files();
  if (rlimit limit{}; ::getrlimit(RLIMIT_NOFILE, &limit) == 0) out.max_files = limit.rlim_cur;
  if (rusage usage{}; ::getrusage(RUSAGE_SELF, &usage) == 0) {
    out.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }
  return out;
}

}  // namespace distlab::daemon
