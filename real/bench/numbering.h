// The far end of a flow of messages that are numbered from 1: what has come, what is missing, what came again.
#pragma once

#include <cstdint>

namespace distlab::bench {

class Numbering {
 public:
  struct Verdict {
    bool counts = false;   // false: it came before, or after a later one
    uint64_t skipped = 0;  // numbers that should have come before it
  };
  Verdict arrived(uint64_t number) {
    if (number <= last_) return {};
    const uint64_t skipped = number - last_ - 1;
    last_ = number;
    return {.counts = true, .skipped = skipped};
  }

 private:
  uint64_t last_ = 0;
};

}  // namespace distlab::bench
