#include "real/actor/control.h"

#include <cerrno>
#include <csignal>
#include <utility>

#include <sys/socket.h>

#include "real/asio_impl.h"

namespace distlab::actor {

using boost::system::error_code;

Control::Control(real::AsioLoop& loop, int fd, Handlers handlers)
    : socket_(loop.impl().io, fd), terminate_(loop.impl().io, SIGTERM), handlers_(std::move(handlers)) {
  wait();
  wait_for_signal();
}

void Control::wait() {
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const error_code& error) {
    if (error) return;  // we are being destroyed
    wait();
    receive();
  });
}

void Control::receive() {
  const ssize_t size = ::recv(socket_.native_handle(), input_.data(), input_.size(), MSG_DONTWAIT | MSG_TRUNC);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return handlers_.closed();
  if (static_cast<size_t>(size) > input_.size()) return handlers_.broken("bad command: it is too long");
  if (const auto command = decode_command(Bytes(input_.data(), static_cast<size_t>(size)))) {
    handlers_.command(*command);
  } else {
    handlers_.broken(command.error());
  }
}

void Control::wait_for_signal() {
  terminate_.async_wait([this](const error_code& error, int) {
    if (error) return;
    wait_for_signal();
    handlers_.command(Shutdown{});
  });
}

void Control::report(const Report& report) {
  const auto bytes = encode(report);
  // A dead coordinator is noticed by receive(); one that does not read does not want to know.
  (void)::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace distlab::actor
