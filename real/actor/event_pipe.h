// The writing end of the event pipe. What is recorded in one turn of the loop leaves in one write at its
// end, so that a process that is killed later has said it.
#pragma once

#include <cstdint>
#include <vector>

#include "models/host/event.h"
#include "real/asio_host.h"

namespace distlab::actor {

class EventPipe {
 public:
  // The descriptor is ours from here on. A full pipe makes us wait: nothing is lost, and a coordinator that
  // does not read holds its processes up. When nobody can read any more, the loop is stopped.
  EventPipe(real::AsioLoop& loop, int fd) : loop_(loop), fd_(fd) {}
  ~EventPipe() { close(); }
  EventPipe(const EventPipe&) = delete;
  EventPipe& operator=(const EventPipe&) = delete;

  void record(Time at, const Event& event);
  void close();                        // when all has left; later events are dropped
  bool lost() const { return lost_; }  // nobody can read any more

 private:
  void flush();

  real::AsioLoop& loop_;
  int fd_;
  bool flush_due_ = false;
  bool lost_ = false;
  std::vector<uint8_t> turn_;  // what this turn has recorded
};

}  // namespace distlab::actor
