// A made-up run with something of everything, for tests of what is shown.
#pragma once

#include <cstdint>
#include <vector>

#include "results/digest.h"
#include "results/records.h"

namespace distlab::results {

struct SyntheticRun {
  RunRecord run;
  std::vector<EventRecord> events;
  std::vector<Verdict> verdicts;
};

// Three nodes for 90 s. The link of "home", where alice lives, is down from 30 s to 48 s: alice and
// the others notice after about the tick time. carol is frozen from 60 s to 66 s. `seed` moves the
// times a little; `passes` says whether the last expectation holds.
SyntheticRun synthetic_run(uint64_t seed, bool passes);

}  // namespace distlab::results
