// Runs jobs in child processes, several at once: ns-3 allows one run per process, and a crash then
// takes only its own run with it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace distlab::cli {

// What a job says to the parent. Called in the child.
class JobReporter {
 public:
  explicit JobReporter(int fd) : fd_(fd) {}
  void progress(double share);           // 0..1
  void result(const std::string& text);  // one line, at most once
 private:
  int fd_;
};

struct JobOutcome {
  std::string result;  // what the job reported; "" if it died before
  int exit_code = 0;   // of the child
  int signal = 0;      // that killed it; 0: none
};

// True once ctrl-C or SIGTERM came; jobs end early when they see it.
bool interrupted();
// Lets ctrl-C and SIGTERM set interrupted() instead of ending this process.
void catch_interrupts();

struct PoolCallbacks {
  // After every change: how many jobs are done and the sum of the shares of those under way.
  std::function<void(size_t done, double under_way)> on_progress;
  std::function<void(size_t job, const JobOutcome& outcome)> on_done;
};

struct Pace {
  uint32_t at_once = 1;
  std::chrono::milliseconds apart{0};  // at least, from one start to the next
};

// Runs jobs 0..count-1 at this pace; `job` runs in a child and returns its exit code. Returns when all
// are done; after an interrupt no more are started.
void run_pool(size_t count, Pace pace, const std::function<int(size_t job, JobReporter& reporter)>& job,
              const PoolCallbacks& callbacks);

}  // namespace distlab::cli
