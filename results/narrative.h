// What happened in a run over relays, in words: what each fault did to messages, who noticed, when
// and why. Made from events alone; it is silent about what no event tells.
#pragma once

#include <string>
#include <vector>

#include "results/digest.h"

namespace distlab::results {

struct Story {
  std::string what;                    // "berlin was killed at 60.00 s and started again at 75.00 s."
  std::vector<std::string> sentences;  // each whole, none empty
};

// A story for what came before any fault, when there is something to tell, and one for each fault, in
// order of time; faults done at one moment share one. Empty for a run without relays.
//
// What happens belongs to the latest fault before it; what a client or a bridge makes of one relay, to
// the latest that was not done to another relay. A lost message may have been under way when the
// fault came, so it belongs to a fault up to a second after it was sent.
std::vector<Story> narrative(const Digest& digest);

}  // namespace distlab::results
