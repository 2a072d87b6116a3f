// A comparison in words, for every kind of output.
#pragma once

#include <string>

#include "results/compare/compare.h"

namespace distlab::results::compare {

std::string metric_name(scenario::Compared metric);                                    // "set-up time"
std::string value_text(scenario::Compared metric, double value);                       // "12.5 ms", "94.1 Mbit/s", "62"
std::string interval_text(const std::optional<Interval>& interval, int decimals = 2);  // "0.98 to 1.03", "-"
// What the arms may be apart: "ratio 1.25 or 2.00 ms".
std::string margin_text(scenario::Compared metric, const scenario::Margin& margin);

// Why a test of values came out as it did.
std::string why(scenario::Compared metric, const Tested& test, const scenario::Margin& margin);
// The same of an outcome: "in 30 of 30 runs against 0 of 30".
std::string why_share(const Tested& test, size_t reference_runs, size_t arm_runs);

// "agree", "disagree", "too few samples: 120 runs of each arm would do".
std::string conclusion_text(const Conclusion& conclusion);

}  // namespace distlab::results::compare
