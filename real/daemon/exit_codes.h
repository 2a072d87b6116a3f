// How a daemon or its commands end: sysexits.h, and the codes of a shell for signals.
#pragma once

#include <string>

namespace distlab::daemon {

enum ExitCode {
  exit_ok = 0,            // SIGTERM or SIGINT and everybody was told; or the command did what it was asked
  exit_negative = 1,      // the answer is no: pang, not connected
  exit_usage = 64,        // EX_USAGE: command line, YAML, a file that cannot be read, a key of another certificate
  exit_unavailable = 69,  // EX_UNAVAILABLE: a port or a control socket is taken; nobody answers on the socket
  exit_internal = 70,     // EX_SOFTWARE: our own fault
};

// Why the daemon does not start: one line, and how it exits.
struct Refusal {
  int code = exit_usage;
  std::string line;
};

}  // namespace distlab::daemon
