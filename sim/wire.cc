#include "sim/wire.h"

#include <utility>

#include <ns3/nstime.h>
#include <ns3/simulator.h>

#include "sim/ns3_time.h"

namespace distlab::sim {

void Wire::send(const Frame& frame) {
  const Time now = ns3_now();
  const LinkDirection::Arrivals arrivals = link_.offer(now, frame.bytes);
  const auto schedule = [&](Time at, Frame copy) {
    ns3::Simulator::Schedule(ns3_delay(at - now),
                             [this, copy = std::move(copy), epoch = link_.epoch()] { arrive(copy, epoch); });
  };
  if (arrivals.first) schedule(*arrivals.first, frame);
  // A packet object may be changed by whoever receives it: a duplicate needs its own.
  if (arrivals.second) schedule(*arrivals.second, {frame.packet->Copy(), frame.source, frame.destination, frame.bytes});
}

void Wire::arrive(const Frame& frame, uint64_t epoch) {
  if (!link_.arrives(epoch)) {
    ++link_.counters().cut;
  } else if (!link_.held()) {
    ++link_.counters().delivered;
    to_.receive(frame);
  } else if (held_.size() < max_held) {
    ++link_.counters().held;
    held_.push_back(frame);
  } else {
    ++link_.counters().queue_drops;
  }
}

void Wire::set_held(bool held) {
  link_.set_held(held);
  if (held) return;
  for (const Frame& frame : std::exchange(held_, {})) {
    ++link_.counters().delivered;
    to_.receive(frame);
  }
}

}  // namespace distlab::sim
