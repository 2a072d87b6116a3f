// The servers every node runs besides the scenario's own processes.
#pragma once

#include <optional>

#include "models/process/global.h"
#include "models/process/pg.h"
#include "models/process/runtime.h"

namespace distlab::process {

struct ServiceOptions {
  bool pg = true;      // the default scope `pg`
  bool global = true;  // without it a node is to global as one that answers nothing
  GlobalOptions global_options = {};
};

// Handles of the running servers. They stay valid as long as the runtime; a server that is gone
// (killed by a peer's exit signal) is null afterwards only in `alive` terms: ask the runtime.
class Services {
 public:
  // Starts net_kernel's and rex's message interfaces, echo, pg and global on the runtime.
  explicit Services(Runtime& runtime, const ServiceOptions& options = {});

  Pg* pg() { return runtime_.whereis("pg") ? pg_ : nullptr; }
  Global* global() { return runtime_.whereis("global_name_server") ? global_ : nullptr; }

 private:
  Runtime& runtime_;
  Pg* pg_ = nullptr;
  Global* global_ = nullptr;
};

}  // namespace distlab::process
