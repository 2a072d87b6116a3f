// What one run contributes to a comparison, taken from its events (README.md defines each metric).
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "results/digest.h"
#include "scenarios/compare.h"

namespace distlab::results::compare {

// Something that can come about in a run: who "alice sees bob", what "down (net_tick_timeout)".
struct OutcomeName {
  std::string who;      // of these nodes
  std::string anybody;  // the same of any: "a node sees another"
  std::string what;

  auto operator<=>(const OutcomeName&) const = default;
};

struct Measures {
  int64_t run = 0;
  uint64_t seed = 0;
  // By pair of nodes, "alice->bob". In seconds, bits per second or messages; messages of all pairs
  // together, under "".
  std::map<scenario::Compared, std::map<std::string, std::vector<double>>> values;
  std::map<scenario::Compared, std::set<OutcomeName>> outcomes;
};

// events as the digest was made of, in order of time.
Measures measure(const Digest& digest, const std::vector<EventRecord>& events);

}  // namespace distlab::results::compare
