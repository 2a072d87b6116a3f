#include "models/host/random.h"

#include <bit>
#include <cassert>
#include <cmath>

namespace distlab {
namespace {

uint64_t fnv1a(uint64_t hash, std::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3ULL;
  return (hash ^ 0xff) * 0x100000001b3ULL;  // a separator: ("ab","c") is not ("a","bc")
}

uint64_t split_mix(uint64_t& state) {
  uint64_t z = state += 0x9e3779b97f4a7c15ULL;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
  return z ^ z >> 31;
}

}  // namespace

RandomStream::RandomStream(uint64_t seed, std::string_view host, std::string_view name) {
  uint64_t mix = seed;
  mix = split_mix(mix) ^ fnv1a(fnv1a(0xcbf29ce484222325ULL, host), name);
  for (uint64_t& word : state_) word = split_mix(mix);
}

uint64_t RandomStream::next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

uint64_t RandomStream::below(uint64_t bound) {
  assert(bound > 0);
  const uint64_t threshold = -bound % bound;
  for (;;) {
    const uint64_t draw = next();
    if (draw >= threshold) return draw % bound;
  }
}

double RandomStream::uniform() {
  return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

Duration RandomStream::between(Duration low, Duration high) {
  assert(low <= high);
  return low + Duration(static_cast<int64_t>(below(static_cast<uint64_t>((high - low).count()) + 1)));
}

Duration RandomStream::exponential(Duration mean) {
  return Duration(static_cast<int64_t>(-std::log1p(-uniform()) * static_cast<double>(mean.count())));
}

void RandomStream::fill(std::span<uint8_t> out) {
  for (size_t i = 0; i < out.size(); i += 8) {
    uint64_t word = next();
    for (size_t j = i; j < out.size() && j < i + 8; ++j, word >>= 8) out[j] = static_cast<uint8_t>(word);
  }
}

}  // namespace distlab
