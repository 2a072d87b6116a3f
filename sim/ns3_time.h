// Between our time and ns-3's. ns-3 starts at zero, our runs at run_start.
#pragma once

#include <algorithm>
#include <cassert>

#include <ns3/nstime.h>
#include <ns3/simulator.h>

#include "models/host/time.h"

namespace distlab::sim {

inline Time ns3_now() {
  return run_start + Duration(ns3::Simulator::Now().GetNanoSeconds());
}

// Debian's ns-3 has its assertions compiled out, and a negative delay would make time go
// backwards (facts, ns-3: "Build").
inline ns3::Time ns3_delay(Duration delay) {
  assert(delay >= Duration::zero());
  return ns3::NanoSeconds(std::max<int64_t>(0, delay.count()));
}

}  // namespace distlab::sim
