#include "real/lab/spawn.h"

#include <algorithm>

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace distlab::lab {
namespace {

// Everything the new process needs, made before: between vfork and exec it shares our memory.
struct Plan {
  const Place& place;
  const Command& command;
  std::vector<char*> arguments, environment;
  std::vector<std::pair<int, int>> fds;  // number in the process, ours
  std::vector<int> scratch;              // as many
  int first_free = 3;                    // above all numbers of `fds`
  pid_t parent = ::getpid();
  const char* failed_step = nullptr;
  int error = 0;
};

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (const std::string& string : strings) result.push_back(const_cast<char*>(string.c_str()));
  result.push_back(nullptr);
  return result;
}

bool enter_place(const Place& place) {
  if (place.network >= 0 && ::setns(place.network, CLONE_NEWNET) != 0) return false;
  if (place.host_name.empty()) return true;
  return ::unshare(CLONE_NEWUTS) == 0 && ::sethostname(place.host_name.data(), place.host_name.size()) == 0;
}

bool set_limits(const std::map<int, rlimit>& limits) {
  return std::all_of(limits.begin(), limits.end(), [](const auto& limit) {
    return ::setrlimit(static_cast<__rlimit_resource>(limit.first), &limit.second) == 0;
  });
}

// First all out of the way, then each to its place: a number may be wanted that another still has.
bool place_descriptors(Plan& plan) {
  for (size_t i = 0; i < plan.fds.size(); ++i) {
    plan.scratch[i] = ::fcntl(plan.fds[i].second, F_DUPFD_CLOEXEC, plan.first_free);
    if (plan.scratch[i] < 0) return false;
  }
  if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return false;
  for (size_t i = 0; i < plan.fds.size(); ++i) {
    if (::dup2(plan.scratch[i], plan.fds[i].first) < 0) return false;
  }
  return true;
}

void default_signals() {
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool die_with(pid_t parent) {
  return ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::getppid() == parent;
}

// Runs in the new process, on our memory and stack: system calls only.
void become(Plan& plan) {
  const char* step = nullptr;
  if (!die_with(plan.parent)) {
    step = "dying with its parent";
  } else if (!plan.command.in_our_group && ::setsid() < 0) {
    step = "setsid";
  } else if (!enter_place(plan.place)) {
    step = "entering the host's namespaces";
  } else if (!set_limits(plan.command.limits)) {
    step = "setrlimit";
  } else if (plan.command.nice && ::setpriority(PRIO_PROCESS, 0, *plan.command.nice) != 0) {
    step = "setpriority";
  } else if (!place_descriptors(plan)) {
    step = "passing descriptors";
  } else if (!plan.command.directory.empty() && ::chdir(plan.command.directory.c_str()) != 0) {
    step = "chdir";
  } else {
    default_signals();
    ::execvpe(plan.arguments[0], plan.arguments.data(), plan.environment.data());
    step = "exec";
  }
  plan.error = errno;
  plan.failed_step = step;
}

// vfork, because a copy of this process's page tables would stop the network it may be simulating.
[[gnu::noinline]] pid_t launch(Plan& plan) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);  // our handlers must not run in the new process
  const pid_t pid = ::vfork();
  if (pid == 0) {
    become(plan);
    ::_exit(127);
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  return pid;
}

}  // namespace

Result<Child> spawn(const Place& place, const Command& command) {
  if (command.arguments.empty()) return tl::make_unexpected("starting a process: no program is named");
  const std::string& program = command.arguments.front();
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return failure("opening /dev/null", errno);

  Plan plan{.place = place,
            .command = command,
            .arguments = pointers(command.arguments),
            .environment = pointers(command.environment),
            .fds = {command.fds.begin(), command.fds.end()},
            .scratch = {}};
  for (int number = 0; number < 3; ++number) {
    if (!command.fds.contains(number)) plan.fds.emplace_back(number, null.get());
  }
  for (const auto& [number, ours] : plan.fds) plan.first_free = std::max(plan.first_free, number + 1);
  plan.scratch.resize(plan.fds.size());

  const pid_t pid = launch(plan);
  if (pid < 0) return failure(fmt::format("starting {}: vfork", program), errno);
  // Not waited for yet, so the number is still this process's.
  Child child(pid, Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))), !command.in_our_group);
  if (plan.failed_step != nullptr) {
    return failure(fmt::format("starting {}: {}", program, plan.failed_step), plan.error);
  }
  if (child.pidfd() < 0) return failure(fmt::format("starting {}: pidfd_open", program), errno);
  return child;
}

Child::~Child() {
  if (pid_ < 0 || exit_) return;
  if (leads_) ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);
  wait();
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)), leads_(other.leads_), exit_(other.exit_) {}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  std::swap(leads_, other.leads_);
  std::swap(exit_, other.exit_);
  return *this;
}

// The group's number cannot have passed to others while its leader was not waited for.
Result<void> Child::signal(int number) {
  if (exit_ || ::kill(leads_ ? -pid_ : pid_, number) != 0) {
    return failure(fmt::format("signal {} to process {}", number, pid_), exit_ ? ESRCH : errno);
  }
  return {};
}

std::optional<Exit> Child::wait(int options) {
  while (!exit_) {
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | options) != 0) {
      if (errno == EINTR) continue;
      exit_ = Exit{.code = 255, .signal = 0};  // somebody else has waited for it
    } else if (info.si_pid == 0) {
      return std::nullopt;
    } else {
      exit_ = info.si_code == CLD_EXITED ? Exit{info.si_status, 0} : Exit{0, info.si_status};
    }
  }
  return exit_;
}

std::optional<Exit> Child::poll() {
  return wait(WNOHANG);
}

Exit Child::wait() {
  return *wait(0);
}

bool Child::stopped() const {
  if (exit_) return false;
  siginfo_t info{};
  // Left in place, so that it can be asked again; SIGCONT takes it away.
  return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_;
}

}  // namespace distlab::lab
