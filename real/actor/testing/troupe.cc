#include "real/actor/testing/troupe.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace distlab::actor {
namespace {

using namespace std::chrono_literals;

std::chrono::nanoseconds monotonic() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

uint16_t free_port(int type) {
  const int fd = ::socket(AF_INET, type, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  socklen_t size = sizeof at;
  EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&at), size), 0);
  EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size), 0);
  ::close(fd);
  return ntohs(at.sin_port);
}

int memory_file(const std::vector<uint8_t>& bytes) {
  const int fd = ::memfd_create("plan", MFD_CLOEXEC);
  EXPECT_EQ(::write(fd, bytes.data(), bytes.size()), ssize_t(bytes.size()));
  return fd;
}

// In the child: these descriptors as 2, 3, 4, 5.
[[noreturn]] void become_actor(std::array<int, 4> fds) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int& fd : fds) fd = ::fcntl(fd, F_DUPFD_CLOEXEC, 10);
  for (size_t i = 0; i < fds.size(); ++i) ::dup2(fds.at(i), static_cast<int>(i) + 2);
  ::execl(DISTLAB_ACTOR, "distlab-actor", nullptr);
  ::_exit(127);
}

void shut(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

}  // namespace

uint16_t free_udp_port() {
  return free_port(SOCK_DGRAM);
}
uint16_t free_tcp_port() {
  return free_port(SOCK_STREAM);
}

Troupe::Troupe(std::string scenario, std::map<std::string, Ipv4> hosts)
    : scenario_(std::move(scenario)), hosts_(std::move(hosts)), origin_(monotonic()) {}

Troupe::~Troupe() {
  for (auto& [key, running] : processes_) {
    if (running.pid > 0) ::kill(running.pid, SIGKILL);
    if (running.pid > 0) ::waitpid(running.pid, nullptr, 0);
    for (int* fd : {&running.events, &running.control, &running.log}) shut(*fd);
  }
}

Plan Troupe::plan(const std::string& key, Ipv4 address) const {
  const auto before = processes_.find(key);
  Plan plan;
  plan.scenario = scenario_;
  plan.process = key;
  plan.life = before == processes_.end() ? 0 : before->second.lives;
  plan.origin = origin_;
  plan.started = monotonic() - origin_;
  plan.address = address;
  plan.hosts = hosts_;
  return plan;
}

void Troupe::start(const std::string& key, Ipv4 address) {
  start(key, encode(plan(key, address)));
}

void Troupe::start(const std::string& key, const std::vector<uint8_t>& plan) {
  Running& running = processes_[key];
  ASSERT_EQ(running.pid, -1) << key << " is alive";
  int plan_fd = memory_file(plan);
  std::array<int, 2> pipe{}, control{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control.data()), 0);
  shut(running.control);
  if (running.log < 0) running.log = ::memfd_create("log", MFD_CLOEXEC);
  running.pid = ::fork();
  if (running.pid == 0) become_actor({running.log, plan_fd, pipe[1], control[1]});
  ++running.lives;
  running.ready = false;
  running.events = pipe[0];
  running.control = control[0];
  running.reader = std::make_unique<EventReader>(key);
  for (int* fd : {&plan_fd, &pipe[1], &control[1]}) shut(*fd);
}

bool Troupe::tell(const std::string& key, const Command& command) {
  return send(processes_.at(key).control, command);
}

bool Troupe::tell_bytes(const std::string& key, const std::string& bytes) {
  return ::send(processes_.at(key).control, bytes.data(), bytes.size(), MSG_NOSIGNAL) == ssize_t(bytes.size());
}

void Troupe::signal(const std::string& key, int number) {
  EXPECT_EQ(::kill(processes_.at(key).pid, number), 0);
}

void Troupe::hang_up(const std::string& key) {
  shut(processes_.at(key).control);
}

void Troupe::stop_listening(const std::string& key) {
  shut(processes_.at(key).events);
}

bool Troupe::until(const std::function<bool()>& done, Limit limit) {
  const auto end = monotonic() + limit;
  while (!done()) {
    const auto left = end - monotonic();
    if (left <= 0ns) return false;
    read(left);
  }
  return true;
}

// One turn: waits until somebody has something to say. False: there is nobody left.
bool Troupe::read(Limit limit) {
  std::vector<pollfd> fds;
  std::vector<Running*> owners;
  for (auto& [key, running] : processes_) {
    for (const int fd : {running.events, running.control}) {
      fds.push_back({fd, POLLIN, 0});
      owners.push_back(&running);
    }
  }
  if (std::all_of(fds.begin(), fds.end(), [](const pollfd& fd) { return fd.fd < 0; })) return false;
  ::poll(fds.data(), fds.size(), static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(limit).count()));
  for (size_t i = 0; i < fds.size(); ++i) {
    if (fds[i].revents == 0) continue;
    if (fds[i].fd == owners[i]->events)
      read_events(*owners[i]);
    else
      read_reports(*owners[i]);
  }
  return true;
}

void Troupe::read_events(Running& from) {
  std::array<uint8_t, 64 * 1024> bytes;
  const ssize_t size = ::read(from.events, bytes.data(), bytes.size());
  if (size <= 0) return shut(from.events);
  EXPECT_TRUE(from.reader->feed(Bytes(bytes.data(), static_cast<size_t>(size)),
                                [this](results::EventRecord&& event) { events_.push_back(std::move(event)); }));
}

void Troupe::read_reports(Running& from) {
  std::array<uint8_t, max_message_size> bytes;
  const ssize_t size = ::recv(from.control, bytes.data(), bytes.size(), 0);
  if (size <= 0) return shut(from.control);
  const auto report = decode_report(Bytes(bytes.data(), static_cast<size_t>(size)));
  ASSERT_TRUE(report.has_value()) << report.error();
  if (const auto* harmed = std::get_if<Harmed>(&*report)) harmed_.push_back(*harmed);
  if (const auto* woken = std::get_if<Woken>(&*report)) from.woken = *woken;
  if (std::holds_alternative<Ready>(*report)) from.ready = true;
}

int Troupe::end(const std::string& key) {
  Running& running = processes_.at(key);
  EXPECT_TRUE(until([&] { return running.events < 0; })) << key << " does not end";
  // Its pipe has ended: so has it, or it will at once. Who has not is found here by the test's time limit.
  int status = 0;
  EXPECT_EQ(::waitpid(running.pid, &status, 0), running.pid);
  running.pid = -1;
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

std::vector<results::EventRecord> Troupe::events(std::string_view host, std::string_view kind) const {
  std::vector<results::EventRecord> out;
  for (const auto& event : events_)
    if (event.host == host && (kind.empty() || event.kind == kind)) out.push_back(event);
  return out;
}

std::string Troupe::log(const std::string& key) const {
  const int fd = processes_.at(key).log;
  std::string text(static_cast<size_t>(::lseek(fd, 0, SEEK_END)), '\0');
  EXPECT_EQ(::pread(fd, text.data(), text.size(), 0), ssize_t(text.size()));
  return text;
}

}  // namespace distlab::actor
