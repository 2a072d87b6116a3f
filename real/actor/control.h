// The process's end of the control socket, and the signal that stands for a command.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>

#include "real/actor/command.h"
#include "real/asio_host.h"

namespace distlab::actor {

class Control {
 public:
  struct Handlers {  // from the loop
    std::function<void(const Command&)> command;
    std::function<void(const std::string& why)> broken;  // what came is no command
    std::function<void()> closed;
  };
  // The descriptor is ours from here on. SIGTERM is taken as Shutdown.
  Control(real::AsioLoop& loop, int fd, Handlers handlers);
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  void report(const Report& report);  // lost if the coordinator does not read

 private:
  void wait();
  void receive();
  void wait_for_signal();

  boost::asio::posix::stream_descriptor socket_;
  boost::asio::signal_set terminate_;
  const Handlers handlers_;
  std::array<uint8_t, max_message_size> input_;
};

}  // namespace distlab::actor
