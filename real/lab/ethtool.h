// Offloads of an interface: what the kernel leaves to hardware that a virtual device does not have.
#pragma once

#include <string>

#include "real/lab/fd.h"

namespace distlab::lab {

enum class Offload {
  segments,   // TSO, GSO, GRO: "packets" of up to 64 KiB, which a queue would count as one
  checksums,  // of what is sent: left for a card to fill in
};

// The socket is any of the interface's namespace.
Result<void> switch_off(int socket, const std::string& interface, Offload offload);

}  // namespace distlab::lab
