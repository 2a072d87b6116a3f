// The values of one metric in one arm, run by run, and what can be said of them.
//
// The run is the unit of independence: calls of one run share its links, faults and ticks. So every run
// counts the same, however many values it has: the distribution of an arm is that of a value drawn at
// random from a run drawn at random.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace distlab::results::compare {

struct RunValues {
  uint64_t seed = 0;
  std::vector<double> values;  // in any order; none when it did not come about in this run
};

using Sample = std::vector<RunValues>;

size_t runs_with_values(const Sample& sample);
size_t count_values(const Sample& sample);

// How many independent values would tell as much about the quantile p as these do: values of one run that lie above
// it together count less. At most the number of values. The sample has values; 0 < p < 1.
double independent_values(const Sample& sample, double p);

// A run with more values than this stands for itself by so many of its order statistics, evenly spaced.
inline constexpr size_t most_values_of_run = 1000;

// All values of a sample in ascending order, with weights that change as runs are drawn again.
class Pool {
 public:
  explicit Pool(const Sample& sample);

  const std::vector<double>& values() const { return values_; }

  // How often each run of the sample was drawn. False, and nothing changes, when no run that has values was.
  bool draw(const std::vector<uint32_t>& times);

  // The smallest value that a share p of all does not exceed; halfway to the next one where p falls just
  // between two (Hyndman and Fan's type 2; NumPy's "averaged_inverted_cdf"). 0 < p < 1.
  double quantile(double p) const;
  double mean() const;
  // Share of all that is among the first n values.
  double share_of_first(size_t n) const { return n == 0 ? 0 : cumulative_[n - 1]; }

 private:
  std::vector<double> values_;
  std::vector<uint32_t> runs_;      // of each value: its run
  std::vector<double> weights_;     // of each run: of one of its values
  std::vector<double> cumulative_;  // of the values drawn now; the last one is 1
};

// Who gives neither ratio nor difference tolerates nothing.
struct Tolerance {
  std::optional<double> ratio;       // >= 1
  std::optional<double> difference;  // >= 0

  // The largest value that is still near to this one. x >= 0.
  double reach(double x) const;
  // How far b is from a, in margins: within -1 and 1 it is near enough, positive when b is larger. Of
  // ratio and difference the one that makes it nearer counts. a, b >= 0; may be infinite.
  double distance(double a, double b) const;
};

// The largest share by which two distributions differ, values within the tolerance counting as equal:
// max over x of F(x) - G(reach(x)) and G(x) - F(reach(x)). Without tolerance it is the distance of
// Kolmogorov and Smirnov.
class Distance {
 public:
  // The pools must outlive this, and hold their values still.
  Distance(const Pool& a, const Pool& b, const Tolerance& tolerance);
  double now() const;  // with the runs that are drawn now

 private:
  const Pool &a_, &b_;
  std::vector<size_t> within_b_;  // of each value of a: how many of b do not exceed its reach
  std::vector<size_t> within_a_;
};

}  // namespace distlab::results::compare
