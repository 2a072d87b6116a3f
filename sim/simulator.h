// The virtual clock of a run: ns-3's default simulator, set up the way our runs need it.
//
// ns-3 has one simulator per process and leaks state from run to run (facts, ns-3: "Determinism,
// multi-run"): make one Simulator at a time, and fork for the next seed where it matters.
#pragma once

#include <cstdint>
#include <optional>

#include "models/host/time.h"

namespace distlab::sim {

class Simulator {
 public:
  enum class Pace {
    fast,  // as fast as it goes
    real,  // whoever paces it asks for next()
  };
  explicit Simulator(uint64_t seed, Pace pace = Pace::fast);
  ~Simulator();
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  // Runs every event due before or at this time; the clock then shows it.
  void run_until(Time end);
  std::optional<Time> next() const;  // when the next event is due; only at Pace::real
  uint64_t events() const;           // executed so far
};

}  // namespace distlab::sim
