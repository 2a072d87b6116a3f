// Arms of a scenario, each many runs, held against the first of them metric by metric.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "results/compare/decide.h"
#include "results/compare/measures.h"
#include "scenarios/compare.h"

namespace distlab::results::compare {

// The runs of one ground and one implementation of nodes, of one variant of a scenario.
struct Arm {
  std::string name;  // "emu/beam"
  std::vector<Measures> runs;
  size_t left_out = 0;  // runs that did not reach their end, or ran too late
};

struct Topic {
  std::string scenario;
  std::string variant;  // "direction=both", or ""
  scenario::Margins margins;
  std::vector<Arm> arms;  // at least two; the first one is the reference
  std::vector<std::string> notes;
};

// What is known of one metric in one arm.
struct Figured {
  size_t runs = 0, with_values = 0, values = 0;
  double p50 = 0, p99 = 0, mean = 0;            // 0 without values
  std::vector<std::pair<double, double>> ecdf;  // (value, share), at most ecdf_points
};
inline constexpr size_t ecdf_points = 200;

// The values of one metric about one pair of nodes (or all), an arm against the reference.
struct Line {
  std::string about;          // "alice->bob"; "" for all
  Figured a, b;               // the reference, and the arm
  std::vector<Tested> tests;  // of the values; empty unless both arms have some
  double ks = 0, beyond = 0;
  std::optional<Interval> p50_ratio, p99_ratio, mean_difference;  // of confidence 1 - 2 * alpha
  bool paired = false;                                            // seeds were drawn for both arms at once
};

struct Conclusion {
  Decision decision = Decision::agree;
  std::optional<int64_t> runs;  // too_few: so many runs per arm would do; nothing: no number would
};

struct Metric {
  scenario::Compared metric{};
  std::vector<Line> lines;
  std::vector<Tested> outcomes;  // what came about in more runs of one arm than of the other, and what did not

  Conclusion conclusion() const;
};

// An arm held against the first one.
struct Versus {
  std::string arm;
  std::vector<Metric> metrics;  // of which either arm knows something

  Conclusion conclusion() const;
};

struct Comparison {
  std::string scenario, variant;
  scenario::Margins margins;
  std::vector<std::string> arms;
  std::vector<size_t> runs, left_out;  // by arm
  std::vector<Versus> versus;          // one for each arm but the first
  std::vector<std::string> notes;      // of the topic

  Conclusion conclusion() const;
};

// Nodes are told apart while a metric knows no more pairs of them than this; beyond it all are taken together.
inline constexpr size_t most_pairs = 6;
// The same of outcomes, which are then told apart by what happened only.
inline constexpr size_t most_outcomes = 16;

Comparison compare(const Topic& topic, size_t replicates = default_replicates);

// disagree if anything disagrees; agree if all agree and there was something to compare.
Conclusion overall(const std::vector<Comparison>& all);

}  // namespace distlab::results::compare
