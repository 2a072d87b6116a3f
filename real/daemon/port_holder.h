// Who holds a port: for the message that it is taken.
#pragma once

#include <optional>
#include <string>

#include "models/host/endpoint.h"

namespace distlab::daemon {

enum class Transport { udp, tcp };

// Nothing if a socket can be bound there now; otherwise one clause that says why not and, where /proc
// shows it, which process has the port: "UDP port 4433 is taken by process 4711 (beam.smp)".
std::optional<std::string> why_not_bindable(Transport transport, Endpoint local);

}  // namespace distlab::daemon
