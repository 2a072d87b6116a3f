#include "results/compare/compare.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace distlab::results::compare {

namespace {

using scenario::Compared;

constexpr std::array metrics{Compared::setup_time,          Compared::call_latency,      Compared::detection_time,
                             Compared::reconnect_time,      Compared::goodput,           Compared::lost_messages,
                             Compared::duplicated_messages, Compared::reordered_messages};

// The worst of two, and how many runs it needs: the more of both.
Conclusion join(const Conclusion& a, const Conclusion& b) {
  if (a.decision != b.decision) return worst(a.decision, b.decision) == a.decision ? a : b;
  if (a.decision != Decision::too_few) return a;
  Conclusion both = a;
  both.runs = a.runs && b.runs ? std::optional(std::max(*a.runs, *b.runs)) : std::nullopt;
  return both;
}

Conclusion of(const std::vector<Tested>& tests) {
  Conclusion all;
  for (const Tested& test : tests) all = join(all, {test.decision, test.runs});
  return all;
}

// What is compared apart: the pairs of nodes of a metric in all arms, or "" for all of them.
std::vector<std::string> subjects(const Topic& topic, Compared metric) {
  std::set<std::string> all;
  for (const Arm& arm : topic.arms)
    for (const Measures& run : arm.runs)
      if (const auto found = run.values.find(metric); found != run.values.end())
        for (const auto& [about, values] : found->second) all.insert(about);
  if (all.size() > most_pairs) return {""};
  return {all.begin(), all.end()};
}

Sample sample_of(const Arm& arm, Compared metric, const std::string& about) {
  Sample sample;
  for (const Measures& run : arm.runs) {
    RunValues& values = sample.emplace_back(RunValues{run.seed, {}});
    const auto found = run.values.find(metric);
    if (found == run.values.end()) continue;
    for (const auto& [name, some] : found->second)
      if (about.empty() || name == about) values.values.insert(values.values.end(), some.begin(), some.end());
  }
  return sample;
}

Figured figured(const Sample& sample) {
  Figured out;
  out.runs = sample.size();
  out.with_values = runs_with_values(sample);
  out.values = count_values(sample);
  if (out.values == 0) return out;
  const Pool pool(sample);
  out.p50 = pool.quantile(0.5);
  out.p99 = pool.quantile(0.99);
  out.mean = pool.mean();
  const size_t n = pool.values().size(), points = std::min(n, ecdf_points);
  for (size_t i = 0; i < points; ++i) {
    size_t at = points == 1 ? 0 : i * (n - 1) / (points - 1);
    while (at + 1 < n && pool.values()[at + 1] == pool.values()[at]) ++at;
    if (out.ecdf.empty() || out.ecdf.back().first != pool.values()[at])
      out.ecdf.emplace_back(pool.values()[at], pool.share_of_first(at + 1));
  }
  return out;
}

class Comparer {
 public:
  Comparer(const Topic& topic, const Arm& reference, const Arm& arm, size_t replicates)
      : topic_(topic), reference_(reference), arm_(arm), replicates_(replicates) {}

  // Nothing when neither arm knows anything of it.
  std::optional<Metric> compare(Compared metric) {
    Metric out;
    out.metric = metric;
    std::vector<Tested> unlike;
    const scenario::Margin& margin = topic_.margins.at(metric);
    for (const std::string& about : subjects(topic_, metric)) {
      const Sample a = sample_of(reference_, metric, about), b = sample_of(arm_, metric, about);
      if (count_values(a) + count_values(b) == 0) continue;
      const Share in_a{runs_with_values(a), a.size()}, in_b{runs_with_values(b), b.size()};
      if (in_a.hits * in_b.runs != in_b.hits * in_a.runs)
        unlike.push_back(test_share(about.empty() ? "measured" : about + " measured", in_a, in_b, margin.outcomes));
      out.lines.push_back(line(metric, about, a, b, margin));
    }
    outcomes(metric, margin.outcomes, out.outcomes);
    // That values are there in one arm only is said once: by what came about, if that explains it.
    if (std::all_of(out.outcomes.begin(), out.outcomes.end(), [](const Tested& test) { return test.a == test.b; }))
      out.outcomes.insert(out.outcomes.end(), unlike.begin(), unlike.end());
    if (out.lines.empty() && out.outcomes.empty()) return std::nullopt;
    return out;
  }

 private:
  Line line(Compared metric, const std::string& about, const Sample& a, const Sample& b,
            const scenario::Margin& margin) const {
    Line out;
    out.about = about;
    out.a = figured(a);
    out.b = figured(b);
    if (out.a.values == 0 || out.b.values == 0) return out;
    const std::string stream =
        fmt::format("compare/{}/{}/{}/{}/{}", topic_.scenario, topic_.variant, to_string(metric), about, arm_.name);
    ValueTests tests = is_count(metric) ? test_counts(a, b, margin, stream, replicates_)
                                        : test_values(a, b, margin, stream, replicates_);
    out.tests = std::move(tests.tests);
    out.ks = tests.ks;
    out.beyond = tests.beyond;
    out.p50_ratio = tests.p50_ratio;
    out.p99_ratio = tests.p99_ratio;
    out.mean_difference = tests.mean_difference;
    out.paired = tests.bootstrap && tests.bootstrap->paired;
    return out;
  }

  // Each outcome of either arm, by the share of runs in which it came about.
  void outcomes(Compared metric, double margin, std::vector<Tested>& out) const {
    std::set<OutcomeName> names;
    for (const Arm* arm : {&reference_, &arm_})
      for (const Measures& run : arm->runs)
        if (const auto found = run.outcomes.find(metric); found != run.outcomes.end())
          names.insert(found->second.begin(), found->second.end());
    const bool apart = names.size() <= most_outcomes;
    std::map<std::string, std::pair<Share, Share>> shares;
    const auto count = [&](const Arm& arm, Share std::pair<Share, Share>::*side) {
      for (const Measures& run : arm.runs) {
        const auto found = run.outcomes.find(metric);
        if (found == run.outcomes.end()) continue;
        for (const std::string& one : texts(found->second, metric, apart)) ++(shares[one].*side).hits;
      }
    };
    count(arm_, &std::pair<Share, Share>::second);
    count(reference_, &std::pair<Share, Share>::first);
    for (auto& [text, share] : shares) {
      share.first.runs = reference_.runs.size();
      share.second.runs = arm_.runs.size();
      out.push_back(test_share(text, share.first, share.second, margin));
    }
  }

  static std::set<std::string> texts(const std::set<OutcomeName>& names, Compared metric, bool apart) {
    const char* colon = metric == Compared::call_latency || metric == Compared::goodput ? ":" : "";
    std::set<std::string> out;
    for (const OutcomeName& name : names)
      out.insert(fmt::format("{}{} {}", apart ? name.who : name.anybody, colon, name.what));
    return out;
  }

  const Topic& topic_;
  const Arm &reference_, &arm_;
  size_t replicates_;
};

}  // namespace

Conclusion Metric::conclusion() const {
  Conclusion all = of(outcomes);
  for (const Line& line : lines) all = join(all, of(line.tests));
  return all;
}

Conclusion Versus::conclusion() const {
  if (metrics.empty()) return {Decision::too_few, std::nullopt};
  Conclusion all;
  for (const Metric& metric : metrics) all = join(all, metric.conclusion());
  return all;
}

Conclusion Comparison::conclusion() const {
  Conclusion all;
  for (const Versus& one : versus) all = join(all, one.conclusion());
  return all;
}

Comparison compare(const Topic& topic, size_t replicates) {
  Comparison out;
  out.scenario = topic.scenario;
  out.variant = topic.variant;
  out.margins = topic.margins;
  out.notes = topic.notes;
  for (const Arm& arm : topic.arms) {
    out.arms.push_back(arm.name);
    out.runs.push_back(arm.runs.size());
    out.left_out.push_back(arm.left_out);
  }
  for (size_t i = 1; i < topic.arms.size(); ++i) {
    Versus& versus = out.versus.emplace_back();
    versus.arm = topic.arms[i].name;
    if (topic.arms[0].runs.empty() || topic.arms[i].runs.empty()) continue;
    Comparer comparer(topic, topic.arms[0], topic.arms[i], replicates);
    for (const Compared metric : metrics)
      if (auto one = comparer.compare(metric)) versus.metrics.push_back(std::move(*one));
  }
  return out;
}

Conclusion overall(const std::vector<Comparison>& all) {
  if (all.empty()) return {Decision::too_few, std::nullopt};
  Conclusion worst_of_all;
  for (const Comparison& one : all) worst_of_all = join(worst_of_all, one.conclusion());
  return worst_of_all;
}

}  // namespace distlab::results::compare
