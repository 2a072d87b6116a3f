// A relay's engine under a load made up for measuring: frames go in as the bytes of one session's stream
// and come out as those for another's, without QUIC. Whoever measures brings the clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "models/mesh/ingress.h"
#include "models/mesh/message.h"
#include "models/mesh/relay_core.h"

namespace distlab::mesh {

class RelayLoad {
 public:
  explicit RelayLoad(size_t sessions);  // all of one realm

  // Tunnel number i joins session i and the one after it (counted in rounds): a subscription at either end.
  void add_tunnels(size_t count);

  // Messages of so many bytes through tunnel 0, one by one. Returns the bytes of frames that came out.
  uint64_t publish(size_t messages, size_t payload);
  // Calls of the first session to the second, each answered. Returns the bytes of frames that came out.
  uint64_t call(size_t calls);

 private:
  SessionId join(const std::string& identity);
  void feed(SessionId id, Bytes bytes);
  size_t drain(SessionId id);

  RelayCore core_;
  Ingress ingress_{{}};
  std::vector<SessionId> sessions_;
  size_t tunnels_ = 0;
  uint64_t calls_ = 0;
};

}  // namespace distlab::mesh
