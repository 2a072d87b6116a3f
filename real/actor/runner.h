// One process of a scenario on real sockets, from its plan to its exit.
#pragma once

namespace distlab::actor {

// Descriptors the coordinator has left us; they are ours from here on.
struct Channels {
  int plan = 3;     // a pipe or memory file with the plan; read to its end
  int events = 4;   // a pipe for events (event_codec.h)
  int control = 5;  // a SOCK_SEQPACKET socket (command.h)
};

inline constexpr int exit_bad_plan = 64;  // EX_USAGE; one line on standard error says why
inline constexpr int exit_internal = 70;  // EX_SOFTWARE, and the same line

// Plays the process and gives its exit code: 0 when it was told to end (by command or SIGTERM), else one of
// the above. When the control socket or the event pipe is closed from the other side, the coordinator is
// dead, and it ends at once with exit_internal, unless it had finished.
// SIGINT is ignored: ctrl-C on a terminal is the coordinator's business.
int run_actor(const Channels& channels);

}  // namespace distlab::actor
