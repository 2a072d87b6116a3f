// A private world: a process in mount, PID, IPC, UTS and network namespaces of its own, which nobody
// else can name and which ends, with everything in it, when the process that made it does.
//
//   caller (stays outside) ── init (pid 1 of the world, reaps) ── the body (pid 2) ── what it starts
//
// init dies with the caller (PR_SET_PDEATHSIG), and the kernel kills all of a PID namespace with
// its init; so nothing outlives a kill -9 of the caller, whatever it did in there.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "real/lab/fd.h"

namespace distlab::lab {

// Seen from inside.
struct World {
  bool user_namespace = false;  // entered as an ordinary user, who is uid 0 in here
  bool own_proc = false;        // /proc shows this world only; where a container forbids it, the outer one remains
  // An empty tmpfs nobody outside sees; it hides whatever is at this path outside.
  std::string temporary_directory;
  unsigned long open_files = 0;  // the caller's soft limit, which what is started here gets back
};

// Seen from outside: the world's init. Destroying it kills the world and waits for its end.
class Running {
 public:
  Running(pid_t pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  ~Running();
  Running(Running&&) = default;
  Running& operator=(Running&&) = delete;
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }  // readable once the world has ended
  void kill();                                // SIGKILL to everything inside
  // Blocks. What the body returned (its low 8 bits), or 128 + the signal that ended it.
  int wait();

 private:
  pid_t pid_;
  Fd pidfd_;
  int status_ = -1;
};

// Runs `prepare` and then the body in a new world; an error of `prepare` is this call's. The caller has one thread, and
// must not end the thread that called (the world would end with it). The body has copies of all descriptors and memory
// of the caller, as after fork; what the two say to each other goes through descriptors made before. It is a session of
// its own, so ctrl-C reaches the caller only. Needs CAP_SYS_ADMIN and CAP_NET_ADMIN, or a kernel that lets ordinary
// users have user namespaces; the error says what forbids it and what to do. `keep`: directories that must not be
// hidden by the temporary one.
Result<Running> enter_world(const std::function<Result<void>(const World&)>& prepare, const std::function<int()>& body,
                            const std::vector<std::string>& keep = {});

}  // namespace distlab::lab
