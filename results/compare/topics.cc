#include "results/compare/topics.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "scenarios/loader.h"

namespace distlab::results::compare {

namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view implementation_key = ".implementation";

bool is_implementation(const std::string& path) {
  return path.size() > implementation_key.size() &&
         path.compare(path.size() - implementation_key.size(), implementation_key.size(), implementation_key) == 0;
}

// Paths that have several values within a side, or are absent from some of its runs.
std::set<std::string> varying(const std::vector<Side>& sides) {
  std::set<std::string> out;
  for (const Side& side : sides) {
    std::map<std::string, std::map<std::string, size_t>> values;
    for (const RunRecord& run : side.runs)
      for (const auto& [path, value] : run.labels) ++values[path][value];
    for (const auto& [path, counts] : values)
      if (!is_implementation(path) && counts.begin()->second < side.runs.size()) out.insert(path);
  }
  return out;
}

Labels labels_of(const RunRecord& run, const std::set<std::string>& paths) {
  Labels out;
  for (const auto& label : run.labels)
    if (paths.count(label.first) != 0) out.push_back(label);
  return out;
}

// From what is all ours to what is all real.
std::pair<size_t, size_t> rank(const RunRecord& run) {
  const auto place = [](const auto& words, const std::string& word) {
    return static_cast<size_t>(std::find(words.begin(), words.end(), word) - words.begin());
  };
  constexpr std::array<std::string_view, 3> grounds{"sim", "emu", "live"};
  constexpr std::array<std::string_view, 4> implementations{"", "native", "beam", "macula"};
  return {place(grounds, run.ground), place(implementations, implementation_of(run))};
}

// The runs of one variant of a scenario.
struct Group {
  std::string scenario;
  Labels labels;
  std::vector<std::vector<RunRecord>> runs;  // by side

  bool is_shared() const {
    return std::none_of(runs.begin(), runs.end(), [](const auto& side) { return side.empty(); });
  }
};

// In the order of the first side that has them.
std::vector<Group> groups_of(const std::vector<Side>& sides) {
  const std::set<std::string> paths = varying(sides);
  std::vector<Group> groups;
  for (size_t i = 0; i < sides.size(); ++i) {
    for (const RunRecord& run : sides[i].runs) {
      const Labels labels = labels_of(run, paths);
      auto found = std::find_if(groups.begin(), groups.end(), [&](const Group& group) {
        return group.scenario == run.scenario && group.labels == labels;
      });
      if (found == groups.end()) {
        groups.push_back({run.scenario, labels, std::vector<std::vector<RunRecord>>(sides.size())});
        found = groups.end() - 1;
      }
      found->runs[i].push_back(run);
    }
  }
  return groups;
}

scenario::Margins margins_of(const RunRecord& run, std::vector<std::string>& notes) {
  const auto loaded = scenario::load_text(run.scenario_text, "recorded scenario");
  if (loaded && loaded->size() == 1) return loaded->front().scenario.compare;
  notes.push_back(
      fmt::format("this version cannot read the scenario that run {} recorded: the margins are the defaults", run.id));
  return scenario::default_margins();
}

StoreResult<void> fill(const Store& store, const std::vector<RunRecord>& runs, Arm& arm) {
  for (const RunRecord& run : runs) {
    if (run.status != RunStatus::complete) {
      ++arm.left_out;
      continue;
    }
    const auto events = store.events(run.id);
    if (!events) return tl::unexpected(events.error());
    arm.runs.push_back(measure(digest(run, *events), *events));
  }
  return {};
}

// The text of a scenario without what makes an arm: who runs the nodes.
void note_different_texts(const std::vector<std::vector<RunRecord>>& runs, std::vector<std::string>& notes) {
  std::set<std::string> hashes, implementations;
  for (const auto& side : runs)
    for (const RunRecord& run : side) {
      hashes.insert(run.scenario_hash);
      implementations.insert(implementation_of(run));
    }
  if (hashes.size() > implementations.size()) notes.emplace_back("the scenario's text is not the same in all runs");
}

}  // namespace

std::string implementation_of(const RunRecord& run) {
  std::set<std::string> values;
  for (const auto& [path, value] : run.labels)
    if (is_implementation(path)) values.insert(value);
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : "+") + value;
  return text;
}

std::vector<Side> sides_of(const std::vector<RunRecord>& runs) {
  std::vector<Side> sides;
  for (const RunRecord& run : runs) {
    const std::string implementation = implementation_of(run);
    const std::string name = implementation.empty() ? run.ground : run.ground + "/" + implementation;
    auto found = std::find_if(sides.begin(), sides.end(), [&](const Side& side) { return side.name == name; });
    if (found == sides.end()) found = sides.insert(sides.end(), {name, {}});
    found->runs.push_back(run);
  }
  std::stable_sort(sides.begin(), sides.end(),
                   [](const Side& a, const Side& b) { return rank(a.runs.front()) < rank(b.runs.front()); });
  return sides;
}

StoreResult<std::vector<Topic>> topics(const Store& store, const std::vector<Side>& sides) {
  const std::vector<Group> groups = groups_of(sides);
  if (std::none_of(groups.begin(), groups.end(), [](const Group& group) { return group.is_shared(); }))
    return tl::unexpected(
        StoreError{fmt::format("{}: these runs have no scenario and variant in common, so there is nothing to compare",
                               store.path()),
                   true});
  std::vector<Topic> out;
  for (const Group& group : groups) {
    Topic& topic = out.emplace_back();
    topic.scenario = group.scenario;
    RunRecord named;
    named.labels = group.labels;
    topic.variant = label_text(named);
    const auto first =
        std::find_if(group.runs.begin(), group.runs.end(), [](const auto& runs) { return !runs.empty(); });
    topic.margins = margins_of(first->front(), topic.notes);
    note_different_texts(group.runs, topic.notes);
    for (size_t i = 0; i < sides.size(); ++i) {
      Arm& arm = topic.arms.emplace_back();
      arm.name = sides[i].name;
      if (auto filled = fill(store, group.runs[i], arm); !filled) return tl::unexpected(filled.error());
    }
  }
  return out;
}

}  // namespace distlab::results::compare
