// sd_notify(3) without libsystemd: tells a service manager how far we are.
#pragma once

#include <string>
#include <string_view>

namespace distlab::daemon {

// Sends `state` ("READY=1", several lines if need be) to $NOTIFY_SOCKET. False: there is none, or it did
// not take it; nobody needs to care.
bool notify(std::string_view state);

}  // namespace distlab::daemon
