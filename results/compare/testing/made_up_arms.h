// Arms of two nodes that fall silent, whose truth is known.
#pragma once

#include <string>

#include <fmt/format.h>

#include "results/compare/compare.h"
#include "results/compare/testing/made_up.h"

namespace distlab::results::compare {

struct Habits {
  double detection = 4.0;  // seconds, about
  std::string reason = "net_tick_timeout";
  bool detects = true;
  double lost = 0;
  double latency = 0.02;
};

inline Arm made_up_arm(const std::string& name, size_t runs, const Habits& habits) {
  using scenario::Compared;
  Arm arm;
  arm.name = name;
  for (uint64_t seed = 1; seed <= runs; ++seed) {
    Draws of_seed(fmt::format("seed {}", seed)), own(fmt::format("{} {}", name, seed));
    Measures run;
    run.seed = seed;
    run.run = static_cast<int64_t>(seed);
    run.values[Compared::setup_time]["alice-bob"] = {0.032 + 0.001 * own.uniform()};
    run.outcomes[Compared::setup_time] = {{"alice sees bob", "a node sees another", "up"}};
    for (int i = 0; i < 40; ++i)
      run.values[Compared::call_latency]["alice->bob"].push_back(habits.latency * (1 + 0.02 * own.normal()));
    run.outcomes[Compared::call_latency] = {{"alice->bob", "a call", "ok"}};
    if (habits.detects) {
      run.values[Compared::detection_time]["alice->bob"] = {habits.detection + of_seed.uniform() - 0.5 +
                                                            0.01 * own.normal()};
      run.outcomes[Compared::detection_time] = {
          {"alice sees bob", "a node sees another", fmt::format("down ({})", habits.reason)}};
    }
    run.values[Compared::lost_messages][""] = {habits.lost};
    run.values[Compared::duplicated_messages][""] = {0};
    run.values[Compared::reordered_messages][""] = {0};
    arm.runs.push_back(std::move(run));
  }
  return arm;
}

inline Topic made_up_topic(std::vector<Arm> arms) {
  return {"silence", "direction=both", scenario::default_margins(), std::move(arms), {}};
}

}  // namespace distlab::results::compare
