#include "scenarios/suggest.h"

#include <algorithm>

namespace distlab::scenario {
namespace {

constexpr size_t max_word = 64;  // longer ones are nobody's typo, and the table below is square

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b) {
  // Three rows of the usual table: a swap looks two rows up.
  std::vector<size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t differ = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + differ});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

std::string nearest(std::string_view word, const std::vector<std::string>& words) {
  if (word.empty() || word.size() > max_word) return "";
  const std::string typed = lower(word);
  std::string best;
  size_t best_distance = max_word;
  for (const std::string& candidate : words) {
    const size_t longer = std::max(candidate.size(), word.size());
    if (longer > max_word) continue;
    const size_t distance = edit_distance(typed, lower(candidate));
    if (distance < best_distance && distance <= std::max<size_t>(1, longer / 3) && distance < longer) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& words) {
  const std::string best = nearest(word, words);
  return best.empty() ? "" : "; did you mean '" + best + "'?";
}

}  // namespace distlab::scenario
