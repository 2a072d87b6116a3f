// Which process a running run belongs to, so that a later one can tell that it is gone.
#pragma once

#include <string>

namespace distlab::results {

// This process: machine, boot, process-id namespace, process id and the time it was started (ids
// are used again). Read from /proc.
std::string this_owner();

// True only when it certainly is: an owner on another machine or in another container may be alive.
bool owner_is_gone(const std::string& owner);

}  // namespace distlab::results
