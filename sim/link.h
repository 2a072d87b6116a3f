// One direction of a link: queue, rate, delay, jitter, loss and the faults done to it.
//
// A plain engine without ns-3, so that it can be tested alone: offer a packet at a time, get the
// time at which it arrives at the far end, or nothing if it is lost. One call and one event per
// packet and link, whatever the properties.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "models/host/random.h"
#include "models/host/time.h"
#include "scenarios/scenario.h"

namespace distlab::sim {

// As scenarios have them. A lost packet has used its share of the rate; one that is reordered skips the
// delay, as netem does it.
using scenario::LinkProperties;

struct LinkCounters {
  uint64_t offered = 0, delivered = 0, lost = 0, queue_drops = 0, cut = 0, held = 0;
};

class LinkDirection {
 public:
  // The stream's name decides the draws, so another link does not move them.
  LinkDirection(uint64_t seed, std::string name, LinkProperties properties);

  struct Arrivals {
    std::optional<Time> first, second;  // second: a duplicate
  };
  // A packet of this many bytes (IP header included) is handed to the link now.
  Arrivals offer(Time now, uint32_t bytes);
  // A packet offered in this epoch may arrive only if no cut came in between.
  bool arrives(uint64_t epoch) const { return epoch == epoch_ && !down_; }
  uint64_t epoch() const { return epoch_; }

  // Faults. Down loses what is queued and under way; hold keeps arriving packets at the far end
  // until release, in order (a stalled path: nothing is lost, everything is late).
  void set_down(bool down);
  void set_black_hole(bool on) { black_hole_ = on; }  // loses what is offered; what is under way arrives
  void set_held(bool held) { held_ = held; }
  bool down() const { return down_; }
  bool held() const { return held_; }
  LinkProperties& properties() { return properties_; }
  const LinkProperties& properties() const { return properties_; }
  const LinkCounters& counters() const { return counters_; }
  LinkCounters& counters() { return counters_; }
  const std::string& name() const { return name_; }

 private:
  Time transmitted(Time now, uint32_t bytes);
  Duration propagation();

  std::string name_;
  LinkProperties properties_;
  RandomStream random_;
  bool down_ = false;
  bool black_hole_ = false;
  bool held_ = false;
  uint64_t epoch_ = 0;
  Time busy_until_{};
  Time last_arrival_{};
  std::deque<Time> departures_;  // of packets still waiting for the rate
  LinkCounters counters_;
};

}  // namespace distlab::sim
