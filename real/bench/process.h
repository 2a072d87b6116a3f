// A process of a benchmark, forked from us, and what the kernel says of its cost.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include <sys/types.h>

#include "models/host/time.h"

namespace distlab::bench {

// The least machinery that leaves nothing behind: it dies with us, and with this handle.
class Process {
 public:
  // The body runs in the child; what it returns is the exit code. SIGINT is the parent's business. Nothing:
  // the kernel has no process for us. `nice` is added to ours.
  static std::optional<Process> start(const std::function<int()>& body, int nice = 0);
  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  bool alive();
  Duration cpu() const;  // user and system, since its start
  // Bytes of memory it shares with nobody; 0: the kernel does not say. Not the proportional set size, which falls when
  // another process is forked from the same parent.
  uint64_t private_memory() const;

 private:
  explicit Process(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

// User and system time of a process with all its threads, since its start; 0: there is no such process.
Duration cpu_of(pid_t pid);

// The time all processors of the machine were busy, whoever kept them so.
Duration machine_busy();

}  // namespace distlab::bench
