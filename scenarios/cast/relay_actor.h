// A relay of the scenario: one life of its process, from where it has booted. Destroying it is a crash.
#pragma once

#include <functional>

#include "models/host/host.h"
#include "models/mesh/relay.h"
#include "scenarios/cast/script.h"

namespace distlab::cast {

class RelayActor {
 public:
  // The host's name is the relay's key; both must outlive the actor.
  RelayActor(Host& host, const Script& script);

  // Says goodbye to its peers. `done` is told, from the host's loop, when that has left the machine.
  void shut_down(std::function<void()> done);
  void wedge(bool on);

 private:
  mesh::Relay relay_;
};

}  // namespace distlab::cast
