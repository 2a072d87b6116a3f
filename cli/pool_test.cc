#include "cli/pool.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace distlab::cli {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using testing::ElementsAre;

std::string now_text() {
  return std::to_string(Clock::now().time_since_epoch().count());
}

// The outcomes of `count` jobs, by number.
std::vector<JobOutcome> outcomes(size_t count, Pace pace, const std::function<int(size_t, JobReporter&)>& job) {
  std::vector<JobOutcome> out(count);
  run_pool(count, pace, job, {.on_progress = {}, .on_done = [&](size_t i, const JobOutcome& one) { out[i] = one; }});
  return out;
}

// What a job reports, its exit code, or the signal that killed it come back as those of that job.
TEST(Pool, TellsWhatBecameOfEachJob) {
  const auto found = outcomes(3, {.at_once = 2}, [](size_t job, JobReporter& reporter) {
    if (job == 1) std::raise(SIGKILL);
    reporter.progress(0.5);
    reporter.result("job " + std::to_string(job));
    return static_cast<int>(job);
  });
  EXPECT_EQ(found[0].result, "job 0");
  EXPECT_EQ(found[1].signal, SIGKILL);
  EXPECT_EQ(found[1].result, "");
  EXPECT_EQ(found[2].result, "job 2");
  EXPECT_EQ(found[2].exit_code, 2);
}

// No more jobs run at once than the pace allows.
TEST(Pool, RunsSomeAtOnce) {
  const auto found = outcomes(6, {.at_once = 2}, [](size_t, JobReporter& reporter) {
    const std::string began = now_text();
    std::this_thread::sleep_for(200ms);
    reporter.result(began + " " + now_text());
    return 0;
  });
  std::vector<std::pair<int64_t, int>> changes;
  for (const JobOutcome& one : found) {
    changes.emplace_back(std::stoll(one.result), 1);
    changes.emplace_back(std::stoll(one.result.substr(one.result.find(' '))), -1);
  }
  std::sort(changes.begin(), changes.end());
  int running = 0, most = 0;
  for (const auto& [time, change] : changes) most = std::max(most, running += change);
  EXPECT_EQ(most, 2);
}

// Starts are apart by at least what the pace says, although there is room for all at once.
TEST(Pool, KeepsStartsApart) {
  std::vector<Clock::time_point> done(3);
  const auto began = Clock::now();
  run_pool(3, {.at_once = 3, .apart = 300ms}, [](size_t, JobReporter&) { return 0; },
           {.on_progress = {}, .on_done = [&](size_t i, const JobOutcome&) { done[i] = Clock::now(); }});
  EXPECT_GE(done[1] - began, 300ms);
  EXPECT_GE(done[2] - began, 600ms);
}

}  // namespace
}  // namespace distlab::cli
