// Named, seeded random streams.
//
// A stream's draws depend on (run seed, host name, stream name) and on nothing else: adding a
// node, or another draw elsewhere, does not move them (design.md section 10).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "models/host/time.h"

namespace distlab {

class RandomStream {
 public:
  // xoshiro256** seeded by SplitMix64 over an FNV-1a hash of the names.
  // Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators".
  RandomStream(uint64_t seed, std::string_view host, std::string_view name);

  uint64_t next();
  // Uniform in [0, bound); bound > 0. Unbiased (Lemire's rejection).
  uint64_t below(uint64_t bound);
  // Uniform in [0, 1): 53 random bits.
  double uniform();
  // Uniform in [low, high].
  Duration between(Duration low, Duration high);
  bool chance(double probability) { return uniform() < probability; }
  // Exponentially distributed with this mean: the gap between arrivals of a Poisson process.
  Duration exponential(Duration mean);
  void fill(std::span<uint8_t> out);

 private:
  std::array<uint64_t, 4> state_;
};

}  // namespace distlab
