#include "real/ground/loop.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include <fmt/format.h>
#include <sys/epoll.h>

namespace distlab::ground {
namespace {

constexpr Duration longest_wait = std::chrono::seconds{1};

}  // namespace

lab::Result<Loop> Loop::make(const Clock& clock) {
  lab::Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return lab::failure("epoll_create1", errno);
  return Loop(clock, std::move(epoll));
}

lab::Result<void> Loop::watch(int fd, Action readable) {
  return add(fd, EPOLLIN, std::move(readable));
}

lab::Result<void> Loop::watch_writable(int fd, Action writable) {
  return add(fd, EPOLLOUT, std::move(writable));
}

lab::Result<void> Loop::add(int fd, uint32_t events, Action action) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return lab::failure(fmt::format("epoll_ctl of descriptor {}", fd), errno);
  }
  watched_[fd] = std::make_shared<Action>(std::move(action));
  return {};
}

void Loop::forget(int fd) {
  if (watched_.erase(fd) > 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void Loop::at(Time when, Action action) {
  due_.emplace(when, std::move(action));
}

void Loop::run() {
  stopped_ = false;
  while (!stopped_) {
    if (driven_ != nullptr) driven_->turn(clock_.now());
    run_due();
    if (!stopped_) wait();
  }
}

void Loop::run_due() {
  const Time now = clock_.now();
  while (!stopped_ && !due_.empty() && due_.begin()->first <= now) {
    const Action action = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    action();
  }
}

Time Loop::wait_until() {
  Time until = clock_.now() + longest_wait;
  if (!due_.empty()) until = std::min(until, due_.begin()->first);
  if (driven_ != nullptr) until = std::min(until, driven_->next().value_or(until));
  return until;
}

void Loop::wait() {
  const Duration left = std::max(wait_until() - clock_.now(), Duration::zero());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
  const timespec limit{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
  std::array<epoll_event, 64> events;
  const int count = ::epoll_pwait2(epoll_.get(), events.data(), static_cast<int>(events.size()), &limit, nullptr);
  for (int i = 0; i < count; ++i) {
    const auto found = watched_.find(events.at(static_cast<size_t>(i)).data.fd);
    if (found == watched_.end()) continue;  // forgotten by another in this round
    const auto action = found->second;      // it may forget itself
    (*action)();
  }
}

}  // namespace distlab::ground
