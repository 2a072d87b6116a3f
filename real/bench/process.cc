#include "real/bench/process.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace distlab::bench {

std::optional<Process> Process::start(const std::function<int()>& body, int nice) {
  std::fflush(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return std::nullopt;
  if (pid > 0) return Process(pid);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(70);
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGTERM, SIG_DFL);
  if (nice != 0 && ::nice(nice) == -1) std::fputs("", stderr);  // a wish
  ::_exit(body());
}

Process::Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  return *this;
}

Process::~Process() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool Process::alive() {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

Duration Process::cpu() const {
  return cpu_of(pid_);
}

Duration cpu_of(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return Duration{0};
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

uint64_t Process::private_memory() const {
  std::ifstream file(fmt::format("/proc/{}/smaps_rollup", pid_));
  constexpr std::string_view field = "Private_Dirty:";
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with(field)) return std::stoull(line.substr(field.size())) * 1024;
  }
  return 0;
}

// proc(5): user, nice, system, idle, iowait, irq, softirq, steal; in ticks.
Duration machine_busy() {
  std::ifstream file("/proc/stat");
  std::string cpu;
  uint64_t user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0;
  file >> cpu >> user >> nice >> system >> idle >> iowait >> irq >> softirq;
  const auto ticks = static_cast<int64_t>(user + nice + system + irq + softirq);
  return std::chrono::nanoseconds{ticks * (1'000'000'000 / ::sysconf(_SC_CLK_TCK))};
}

}  // namespace distlab::bench
