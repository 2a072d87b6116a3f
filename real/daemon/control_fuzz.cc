// The target of a control request, and what a datagram is taken for: any bytes, no crash, and no more out
// than in.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "real/daemon/control_server.h"
#include "real/daemon/daemon_host.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto request = distlab::daemon::parse_target("GET", text)) {
    size_t bytes = request->path.size();
    for (const auto& [key, value] : request->query) bytes += key.size() + value.size();
    if (bytes > size || request->path.front() != '/') std::abort();
  }
  if (distlab::daemon::to_string(distlab::daemon::packet_kind({data, size})).empty()) std::abort();
  return 0;
}
