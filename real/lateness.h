// How late things happened, in buckets of about three per cent: millions of values in little memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "models/host/time.h"

namespace distlab::real {

class Lateness {
 public:
  static constexpr int fine = 5;  // 32 buckets for every doubling
  static constexpr uint32_t buckets = 64U << fine;

  void add(Duration late);  // a negative one counts as zero
  void add(const Lateness& others);
  uint64_t count() const { return count_; }
  Duration max() const { return max_; }
  Duration quantile(double p) const;  // the upper edge of its bucket, max() at most; zero when empty

  // For other processes: the buckets that are not empty, by number, and how many are in each.
  using Counts = std::vector<std::pair<uint32_t, uint64_t>>;
  Counts counts() const;
  void add(const Counts& counts, Duration max);  // passes over buckets that do not exist

  bool operator==(const Lateness&) const = default;

 private:
  static size_t bucket_of(uint64_t value);
  static uint64_t upper_edge(size_t bucket);

  std::array<uint64_t, buckets> buckets_{};
  uint64_t count_ = 0;
  Duration max_{0};
};

}  // namespace distlab::real
