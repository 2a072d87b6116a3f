// A named stream of draws for resampling: the same name gives the same draws on every machine.
#pragma once

#include <cassert>
#include <cstdint>
#include <string_view>

namespace distlab::results::compare {

// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014) over an
// FNV-1a hash of the name.
class Stream {
 public:
  explicit Stream(std::string_view name) : state_(0xcbf29ce484222325ULL) {
    for (const char c : name) state_ = (state_ ^ static_cast<uint8_t>(c)) * 0x100000001b3ULL;
  }

  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
  }

  uint64_t below(uint64_t bound) {
    assert(bound > 0);
    const uint64_t threshold = -bound % bound;  // what lies below it would favour the small numbers
    for (;;) {
      const uint64_t draw = next();
      if (draw >= threshold) return draw % bound;
    }
  }

 private:
  uint64_t state_;
};

}  // namespace distlab::results::compare
