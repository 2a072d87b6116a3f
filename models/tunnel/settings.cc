#include "models/tunnel/settings.h"

namespace distlab::tunnel {

TunnelSettings documented() {
  return {};
}

TunnelSettings macula_3_13() {
  TunnelSettings settings;
  settings.dist_timeout = std::chrono::seconds{10};  // R:46
  settings.reader_runs_while_reconnecting = true;
  settings.resubscribe_on_accept = true;
  settings.flush_passes_undecrypted = true;
  return settings;
}

}  // namespace distlab::tunnel
