// Starting a process in a host of the lab, and what can be done to it then.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <sys/types.h>

#include "real/lab/fd.h"

namespace distlab::lab {

struct Command {
  std::vector<std::string> arguments = {};    // the first is the program, looked for in our PATH
  std::vector<std::string> environment = {};  // "NAME=value"; nothing else is inherited
  std::string directory = {};                 // empty: ours
  std::optional<int> nice = {};               // nothing: ours
  // Descriptors, each by its number in the process. 0, 1 and 2 are /dev/null unless they are here;
  // all others of ours are closed.
  std::map<int, int> fds = {};
  std::map<int, rlimit> limits = {};  // by resource: RLIMIT_CORE, ...
  // It stays in our session and process group, so that whoever stops or kills us does it to both.
  bool in_our_group = false;
};

struct Exit {
  int code = 0;    // if it ended by itself
  int signal = 0;  // if not 0, what ended it
  auto operator<=>(const Exit&) const = default;
};

// A running process, leader of a session and process group of its own unless it is in ours. It dies with us.
// Destroying the handle kills the group (or the process, if it is in ours) and waits.
class Child {
 public:
  Child(pid_t pid, Fd pidfd, bool leads = true) : pid_(pid), pidfd_(std::move(pidfd)), leads_(leads) {}
  ~Child();
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }  // readable once it has ended
  // To the whole group it leads, so that helpers a process has started (as erl does) are frozen and killed
  // with it. An error once it has ended.
  Result<void> signal(int number);
  std::optional<Exit> poll();  // does not block; nothing while it runs
  Exit wait();                 // blocks
  bool stopped() const;        // by SIGSTOP, and not continued since

 private:
  std::optional<Exit> wait(int options);

  pid_t pid_;
  Fd pidfd_;
  bool leads_ = true;
  std::optional<Exit> exit_;
};

// Where a process is started.
struct Place {
  int network = -1;            // descriptor of a network namespace; -1: ours
  std::string host_name = {};  // what gethostname says there; empty: ours
};

// The error names the program and the step that failed.
Result<Child> spawn(const Place& place, const Command& command);

}  // namespace distlab::lab
