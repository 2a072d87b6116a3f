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

// Two nodes and the relay berlin for 170 s (relay_run.cc). berlin is killed at 60 s and started at
// 75 s. alice notices at 105.2 s and bob at 112 s (net_tick_timeout), their clients only by their ping
// after 122 s, their bridges never; from 126 s they talk again. At 140 s alice's client is killed; her
// bridge waits until 146 s for another one, and nobody goes down. There is also mallory, whom berlin
// refuses, one duplicated message, one late one, and one tunnel message that bob cannot decrypt.
SyntheticRun synthetic_relay_run();

}  // namespace distlab::results
