// A process says why it is of no use: an event `log` of level error.
#pragma once

#include <string>
#include <utility>

#include "models/host/event_kinds.h"
#include "models/host/host.h"

namespace distlab::cast {

inline void complain(Host& host, std::string text) {
  host.record({kinds::log, host.name(), {{"level", "error"}, {"text", std::move(text)}}});
}

}  // namespace distlab::cast
