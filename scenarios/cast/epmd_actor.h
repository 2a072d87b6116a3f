// EPMD as a process of its own, on every machine with nodes of the carrier tcp.
#pragma once

#include <cstdint>

#include "models/epmd/server.h"
#include "models/host/host.h"

namespace distlab::cast {

class EpmdActor {
 public:
  EpmdActor(Host& host, uint16_t port);  // the host must outlive it

 private:
  epmd::Server server_;
};

}  // namespace distlab::cast
