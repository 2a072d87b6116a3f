#include "real/actor/event_pipe.h"

#include <cerrno>
#include <utility>

#include <poll.h>
#include <unistd.h>

#include "real/actor/event_codec.h"

namespace distlab::actor {
namespace {

constexpr size_t most_of_a_turn = 64 * 1024;  // bytes; the usual size of a pipe

// Waits as long as it takes. False: nobody can read.
bool write_all(int fd, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes = bytes.subspan(static_cast<size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd room{fd, POLLOUT, 0};
      ::poll(&room, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace

void EventPipe::record(Time at, const Event& event) {
  if (fd_ < 0) return;
  encode_event(at, event, turn_);
  if (turn_.size() >= most_of_a_turn) return flush();
  if (std::exchange(flush_due_, true)) return;
  loop_.post([this] {
    flush_due_ = false;
    flush();
  });
}

void EventPipe::flush() {
  if (fd_ < 0 || turn_.empty()) return;
  const bool written = write_all(fd_, turn_);
  turn_.clear();
  if (written) return;
  lost_ = true;
  loop_.stop();
}

void EventPipe::close() {
  if (fd_ < 0) return;
  flush();
  ::close(std::exchange(fd_, -1));
}

}  // namespace distlab::actor
