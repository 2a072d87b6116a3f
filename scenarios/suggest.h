// "did you mean 'x'?": the nearest valid word to a mistyped one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace distlab::scenario {

// Damerau-Levenshtein distance (optimal string alignment): insertions, deletions, substitutions and
// swaps of neighbours that turn a into b.
size_t edit_distance(std::string_view a, std::string_view b);

// The nearest of the words, if it is near enough to be meant: at most a third of the longer word's
// letters differ (one at least), the case of letters aside. The first one of equals; "" when none is.
std::string nearest(std::string_view word, const std::vector<std::string>& words);

// "; did you mean 'x'?" or "".
std::string did_you_mean(std::string_view word, const std::vector<std::string>& words);

}  // namespace distlab::scenario
