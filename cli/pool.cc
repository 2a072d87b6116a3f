#include "cli/pool.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace distlab::cli {
namespace {

volatile std::sig_atomic_t interrupt_seen = 0;

void on_interrupt(int) {
  interrupt_seen = 1;
}

struct Child {
  size_t job = 0;
  pid_t pid = -1;
  int fd = -1;
  double share = 0;
  std::string line;  // not yet complete
  JobOutcome outcome;
};

void take_line(Child& child, const std::string& line) {
  if (line.size() < 2) return;
  const std::string text = line.substr(2);
  if (line[0] == 'p') {
    child.share = std::clamp(std::strtod(text.c_str(), nullptr), 0.0, 1.0);
  } else if (line[0] == 'r') {
    child.outcome.result = text;
  }
}

// False: the child has closed its end.
bool read_from(Child& child) {
  char buffer[4096];
  const ssize_t got = read(child.fd, buffer, sizeof buffer);
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  if (got == 0) return false;
  for (ssize_t i = 0; i < got; ++i) {
    if (buffer[i] != '\n') {
      child.line += buffer[i];
    } else {
      take_line(child, std::exchange(child.line, {}));
    }
  }
  return true;
}

Child start(size_t job, const std::function<int(size_t, JobReporter&)>& run) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {};
  std::fflush(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    // A child must not outlive a distlab that was killed.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(70);
    close(ends[0]);
    JobReporter reporter(ends[1]);
    const int code = run(job, reporter);
    std::fflush(nullptr);
    _exit(code);
  }
  close(ends[1]);
  Child child;
  child.job = job;
  child.pid = pid;
  child.fd = ends[0];
  return child;
}

void finish(Child& child) {
  close(child.fd);
  int status = 0;
  while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) child.outcome.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) child.outcome.signal = WTERMSIG(status);
}

}  // namespace

void JobReporter::progress(double share) {
  const std::string line = fmt::format("p {:.4f}\n", share);
  if (write(fd_, line.data(), line.size()) < 0) return;  // a parent that is gone needs no progress
}

void JobReporter::result(const std::string& text) {
  const std::string line = fmt::format("r {}\n", text);
  size_t done = 0;
  while (done < line.size()) {
    const ssize_t sent = write(fd_, line.data() + done, line.size() - done);
    if (sent < 0 && errno != EINTR) return;
    if (sent > 0) done += static_cast<size_t>(sent);
  }
}

bool interrupted() {
  return interrupt_seen != 0;
}

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit is a write error like a full disk, not a death
}

void run_pool(size_t count, Pace pace, const std::function<int(size_t, JobReporter&)>& job,
              const PoolCallbacks& callbacks) {
  std::list<Child> running;
  size_t next = 0, done = 0;
  bool told = false;
  auto next_start = std::chrono::steady_clock::now();
  while (!running.empty() || (next < count && !interrupted())) {
    while (running.size() < pace.at_once && next < count && !interrupted()) {
      const auto now = std::chrono::steady_clock::now();
      if (now < next_start) break;
      next_start = now + pace.apart;
      Child child = start(next, job);
      if (child.pid < 0) {  // out of processes or descriptors: report it as a job that died
        callbacks.on_done(next, JobOutcome{"", 70, 0});
        ++done;
      } else {
        running.push_back(std::move(child));
      }
      ++next;
    }
    // SIGTERM from elsewhere reaches only us; the terminal's ctrl-C reached the children already.
    if (interrupted() && !std::exchange(told, true)) {
      for (const Child& child : running) kill(child.pid, SIGTERM);
    }
    std::vector<pollfd> fds;
    for (const Child& child : running) fds.push_back({child.fd, POLLIN, 0});
    if (poll(fds.data(), fds.size(), 200) < 0 && errno != EINTR) break;
    size_t i = 0;
    for (auto it = running.begin(); it != running.end(); ++i) {
      if (fds[i].revents != 0 && !read_from(*it)) {
        finish(*it);
        ++done;
        callbacks.on_done(it->job, it->outcome);
        it = running.erase(it);
      } else {
        ++it;
      }
    }
    double under_way = 0;
    for (const Child& child : running) under_way += child.share;
    if (callbacks.on_progress) callbacks.on_progress(done, under_way);
  }
}

}  // namespace distlab::cli
