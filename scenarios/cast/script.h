// What all actors of one run have in common.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "models/quic/socket.h"
#include "scenarios/cast/certificates.h"
#include "scenarios/scenario.h"

namespace distlab::cast {

// Where a process's QUIC connection to a peer writes its qlog; an empty writer: nowhere.
using QlogOpener = std::function<quic::QlogWriter(const std::string& process, const std::string& peer)>;

// What it refers to must outlive it, and it must outlive the actors.
struct Script {
  const scenario::Scenario& scenario;
  const Certificates& certificates;
  uint64_t seed = 1;     // of the run
  QlogOpener qlog = {};  // unset: nothing is written
};

}  // namespace distlab::cast
