// Exit codes of every command (design.md section 9).
#pragma once

namespace distlab::cli {

enum ExitCode {
  exit_pass = 0,
  exit_failed = 1,          // an expectation failed
  exit_unknown = 2,         // too few samples, or a run that did not reach its end
  exit_nondeterminism = 3,  // the same seed gave two traces
  exit_disagree = 4,        // grounds disagree
  exit_usage = 64,          // bad command line, scenario or database
  exit_unavailable = 69,    // a package is missing
  exit_internal = 70,       // our own fault
  exit_interrupted = 130,   // ctrl-C
};

}  // namespace distlab::cli
