#include "scenarios/cast/epmd_actor.h"

#include "scenarios/cast/complain.h"

namespace distlab::cast {

EpmdActor::EpmdActor(Host& host, uint16_t port) : server_(host, {.port = port}) {
  if (!server_.listening()) complain(host, "epmd cannot start: its TCP port is taken");
}

}  // namespace distlab::cast
