#include "real/lateness.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace distlab::real {

// Below 2^fine every value has a bucket of its own; above, the bits after the highest one decide.
size_t Lateness::bucket_of(uint64_t value) {
  if (value < uint64_t{1} << fine) return static_cast<size_t>(value);
  const int doubling = std::bit_width(value) - 1 - fine;
  return (static_cast<size_t>(doubling + 1) << fine) + ((value >> doubling) & ((1u << fine) - 1));
}

uint64_t Lateness::upper_edge(size_t bucket) {
  if (bucket < size_t{1} << fine) return bucket;
  const size_t doubling = (bucket >> fine) - 1;
  const uint64_t first = (uint64_t{1} << fine) + (bucket & ((size_t{1} << fine) - 1));
  return ((first + 1) << doubling) - 1;
}

void Lateness::add(Duration late) {
  const auto value = static_cast<uint64_t>(std::max<int64_t>(late.count(), 0));
  ++buckets_.at(bucket_of(value));
  ++count_;
  max_ = std::max(max_, Duration(static_cast<int64_t>(value)));
}

void Lateness::add(const Lateness& others) {
  for (size_t bucket = 0; bucket < buckets_.size(); ++bucket) buckets_.at(bucket) += others.buckets_.at(bucket);
  count_ += others.count_;
  max_ = std::max(max_, others.max_);
}

Lateness::Counts Lateness::counts() const {
  Counts out;
  for (uint32_t bucket = 0; bucket < buckets; ++bucket)
    if (buckets_.at(bucket) > 0) out.emplace_back(bucket, buckets_.at(bucket));
  return out;
}

void Lateness::add(const Counts& counts, Duration max) {
  for (const auto& [bucket, count] : counts) {
    if (bucket >= buckets) continue;
    buckets_.at(bucket) += count;
    count_ += count;
  }
  max_ = std::max(max_, max);
}

Duration Lateness::quantile(double p) const {
  const auto rank = static_cast<uint64_t>(std::ceil(p * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_.at(bucket);
    if (seen > 0 && seen >= rank) return std::min(max_, Duration(static_cast<int64_t>(upper_edge(bucket))));
  }
  return max_;
}

}  // namespace distlab::real
