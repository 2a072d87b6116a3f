// What the coordinator and a running process say to each other: one CBOR document per message of a
// SOCK_SEQPACKET socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

#include "models/host/byte_stream.h"
#include "real/lateness.h"
#include "scenarios/scenario.h"

namespace distlab::actor {

// To the process. What it is not made for (a wedge for a node) it passes over.
struct KillClient {
  bool operator==(const KillClient&) const = default;
};
struct StartClient {
  bool operator==(const StartClient&) const = default;
};
// The n-th message from now on to this peer (a node name). Counting begins anew in every life of the process.
struct HarmMessage {
  uint64_t id = 0;  // the coordinator's own, for Harmed
  std::string peer;
  scenario::MessageHarm harm = scenario::MessageHarm::drop;
  uint64_t nth = 1;
  bool operator==(const HarmMessage&) const = default;
};
struct Wedge {
  bool on = true;
  bool operator==(const Wedge&) const = default;
};
// A relay says goodbye and exits when that has left; others do as with Finish.
struct Shutdown {
  bool operator==(const Shutdown&) const = default;
};
// The run is over: records what only counts, closes the event pipe, and exits with 0. With `stay` it exits
// only when the control socket is closed: then nobody who is still recording sees it go.
struct Finish {
  bool stay = false;
  bool operator==(const Finish&) const = default;
};
using Command = std::variant<KillClient, StartClient, HarmMessage, Wedge, Shutdown, Finish>;

// From the process.
struct Ready {  // it has booted: an EPMD listens, a node or a relay is about to
  bool operator==(const Ready&) const = default;
};
struct Harmed {  // it has done what a HarmMessage asked for
  uint64_t id = 0;
  bool operator==(const Harmed&) const = default;
};
struct Late {  // it could not do in time what it was to do: the machine is too slow, and the run means nothing
  std::string why;
  bool operator==(const Late&) const = default;
};
struct Woken {  // said at its end: how late it was woken for its timers, in the run
  real::Lateness::Counts counts;
  Duration max{0};
  bool operator==(const Woken&) const = default;
};
using Report = std::variant<Ready, Harmed, Late, Woken>;

inline constexpr size_t max_message_size = 32 * 1024;  // of both directions

std::vector<uint8_t> encode(const Command& command);
std::vector<uint8_t> encode(const Report& report);
tl::expected<Command, std::string> decode_command(Bytes bytes);  // the error is one line
tl::expected<Report, std::string> decode_report(Bytes bytes);

// Sends without waiting. False: the process is gone, or has not read for long (frozen) and cannot take more.
bool send(int control_fd, const Command& command);

}  // namespace distlab::actor
