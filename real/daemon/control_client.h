// A command's side of the control socket.
#pragma once

#include <string>

#include <tl/expected.hpp>

#include "real/daemon/config.h"
#include "real/daemon/control_server.h"

namespace distlab::daemon {

// Asks and waits. The error is one line.
tl::expected<ControlResponse, std::string> ask(const std::string& socket_path, const std::string& method,
                                               const std::string& target);
std::string query_encoded(std::string_view text);

// The socket of the only daemon of this kind in the default folder. The error is one line.
tl::expected<std::string, std::string> find_daemon(Kind kind);

}  // namespace distlab::daemon
