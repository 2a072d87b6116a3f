// How late things happened, in buckets of about three per cent: millions of values in little memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "models/host/time.h"

namespace distlab::ground {

class Lateness {
 public:
  void add(Duration late);  // a negative one counts as zero
  void add(const Lateness& others);
  uint64_t count() const { return count_; }
  Duration max() const { return max_; }
  Duration quantile(double p) const;  // the upper edge of its bucket, max() at most; zero when empty

 private:
  static constexpr int fine = 5;  // 32 buckets for every doubling
  static size_t bucket_of(uint64_t value);
  static uint64_t upper_edge(size_t bucket);

  std::array<uint64_t, 64 << fine> buckets_{};
  uint64_t count_ = 0;
  Duration max_{0};
};

}  // namespace distlab::ground
