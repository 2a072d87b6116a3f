// The result of an invocation as JUnit XML, the form continuous integration servers read.
#pragma once

#include <string>
#include <vector>

#include "results/summary.h"

namespace distlab::results {

// One testsuite per run, one testcase per expectation. A failed expectation is a failure, an unknown
// one is skipped with its reason; a run that did not complete has one more testcase, "the run
// completes", with an error. Text is made valid XML 1.0.
std::string to_junit(const std::vector<RunSummary>& runs);

// Text for attributes and elements alike, whatever its bytes.
std::string xml_escaped(const std::string& raw);

}  // namespace distlab::results
