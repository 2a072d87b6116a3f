// Compares two runs of the same seed, and finds where they part.
#pragma once

#include <cstddef>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "cli/pool.h"

namespace distlab::cli {

class DeterminismCheck {
 public:
  DeterminismCheck(bool on, size_t runs);
  ~DeterminismCheck();
  DeterminismCheck(const DeterminismCheck&) = delete;
  DeterminismCheck& operator=(const DeterminismCheck&) = delete;

  // Where round 0 or 1 of a run writes its events; "" when off.
  std::string trace(size_t run, size_t round) const;
  void add(size_t run, size_t round, const JobOutcome& outcome);
  // Prints what was found; true if all pairs were the same.
  bool report(const std::function<std::string(size_t run)>& name, std::FILE* out) const;

 private:
  std::string folder_;  // temporary, removed at the end
  std::vector<std::string> hashes_[2];
};

}  // namespace distlab::cli
