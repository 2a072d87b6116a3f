// A daemon as a process of its own, for tests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

#include "models/host/endpoint.h"

namespace distlab::daemon::testing {

class DaemonProcess {
 public:
  // Starts `program ARGUMENTS...` with its log and its control socket in a folder of its own.
  DaemonProcess(const std::string& program, std::vector<std::string> arguments);
  ~DaemonProcess();  // SIGKILL, if need be
  DaemonProcess(const DaemonProcess&) = delete;
  DaemonProcess& operator=(const DaemonProcess&) = delete;

  bool wait_for(const std::string& text, int seconds = 10) const;  // in the log
  std::string log() const;
  size_t lines(const std::string& with) const;  // of the log, that have this text
  Endpoint udp() const;                         // where it listens, as the log tells
  bool alive() const;
  int stop();  // SIGTERM; its exit code, or -1 if it does not end within 10 s
  size_t resident_kib() const;
  size_t open_files() const;
  std::string control() const { return folder_ + "/control.sock"; }

 private:
  std::string folder_;
  mutable pid_t pid_ = -1;
  mutable int status_ = 0;
};

}  // namespace distlab::daemon::testing
