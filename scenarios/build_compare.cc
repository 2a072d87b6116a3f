// Margins of a comparison.
#include <array>
#include <utility>

#include "scenarios/builder.h"
#include "scenarios/fields.h"

namespace distlab::scenario {
namespace {

constexpr std::array<std::pair<Compared, std::string_view>, 8> names{{
    {Compared::setup_time, "setup_time"},
    {Compared::call_latency, "call_latency"},
    {Compared::detection_time, "detection_time"},
    {Compared::reconnect_time, "reconnect_time"},
    {Compared::goodput, "goodput"},
    {Compared::lost_messages, "lost_messages"},
    {Compared::duplicated_messages, "duplicated_messages"},
    {Compared::reordered_messages, "reordered_messages"},
}};

std::optional<double> difference_of(const Value& map, Compared metric) {
  const auto number = [](const auto& value) {
    return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
  };
  if (is_count(metric)) return number(integer_field<int64_t>(map, "difference", 0, 1'000'000'000));
  if (metric == Compared::goodput) return number(field<uint64_t>(map, "difference", parse_rate));
  const auto time = duration_field(map, "difference");
  return time ? std::optional(std::chrono::duration<double>(*time).count()) : std::nullopt;
}

}  // namespace

std::string_view to_string(Compared metric) {
  return names[static_cast<size_t>(metric)].second;
}

bool is_count(Compared metric) {
  return metric == Compared::lost_messages || metric == Compared::duplicated_messages ||
         metric == Compared::reordered_messages;
}

Margins default_margins() {
  constexpr double distribution = 0.2, outcomes = 0.1;
  const Margin messages{1.1, 2, distribution, outcomes};
  return {
      {Compared::setup_time, {1.25, 0.010, distribution, outcomes}},
      {Compared::call_latency, {1.25, 0.002, distribution, outcomes}},
      {Compared::detection_time, {1.05, 0.200, distribution, outcomes}},
      {Compared::reconnect_time, {1.25, 0.500, distribution, outcomes}},
      {Compared::goodput, {1.25, std::nullopt, distribution, outcomes}},
      {Compared::lost_messages, messages},
      {Compared::duplicated_messages, messages},
      {Compared::reordered_messages, messages},
  };
}

void Builder::build_compare() {
  out_.compare = default_margins();
  const Value* all = root_.get("compare");
  if (all == nullptr) return;
  for (auto& [metric, margin] : out_.compare) {
    const Value* map = all->get(to_string(metric));
    if (map == nullptr || !map->is_map()) continue;
    // A default that is not spoken of must not make a stated margin wider.
    if (map->get("ratio") != nullptr || map->get("difference") != nullptr) {
      margin.ratio = field<double>(*map, "ratio", parse_factor);
      margin.difference = difference_of(*map, metric);
    }
    margin.distribution = ratio_field(*map, "distribution").value_or(margin.distribution);
    margin.outcomes = ratio_field(*map, "outcomes").value_or(margin.outcomes);
    const Value* difference = scalar_of(*map, "difference");
    if (metric == Compared::goodput && difference != nullptr && difference->text == "unlimited")
      report_.add(difference->mark, "a margin has a limit");
  }
}

}  // namespace distlab::scenario
