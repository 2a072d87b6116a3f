#include "cli/arms.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "cli/campaign.h"
#include "cli/load.h"

namespace distlab::cli {
namespace {

constexpr const char* implementation_path = "nodes.*.implementation";

}  // namespace

std::string Arm::name() const {
  return std::string(to_string(ground)) + (implementation.empty() ? "" : "/" + implementation);
}

tl::expected<std::vector<Arm>, std::string> parse_arms(const std::vector<std::string>& grounds,
                                                       const std::vector<std::string>& implementations) {
  const auto twice = [](const std::vector<std::string>& words) {
    for (size_t i = 0; i < words.size(); ++i)
      if (std::find(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(i), words[i]) !=
          words.begin() + static_cast<std::ptrdiff_t>(i))
        return words[i];
    return std::string();
  };
  for (const auto* words : {&grounds, &implementations})
    if (const std::string word = twice(*words); !word.empty())
      return tl::unexpected(fmt::format("'{}' is named twice; an arm is not compared with itself", word));
  for (const std::string& one : implementations) {
    if (one != "native" && one != "beam" && one != "macula")
      return tl::unexpected(fmt::format("--nodes {}: nodes are native, beam or macula", one));
  }
  std::vector<Arm> arms;
  for (const std::string& name : grounds) {
    const auto ground = parse_ground(name);
    if (!ground) return tl::unexpected(fmt::format("--grounds {}: grounds are sim, emu and live", name));
    if (implementations.empty()) {
      arms.push_back({*ground, ""});
      continue;
    }
    for (const std::string& one : implementations)
      if (one == "native" || *ground != GroundKind::sim) arms.push_back({*ground, one});
    if (*ground == GroundKind::sim &&
        std::find(implementations.begin(), implementations.end(), "native") == implementations.end())
      return tl::unexpected<std::string>(
          "the sim ground has native nodes only: say --nodes native,... or leave out sim");
  }
  if (arms.size() < 2)
    return tl::unexpected<std::string>("one arm alone is compared with nothing: name two grounds or --nodes");
  return arms;
}

std::optional<std::vector<scenario::Variant>> load_arm(const std::string& file,
                                                       std::vector<scenario::Override> overrides, const Arm& arm) {
  if (!arm.implementation.empty()) overrides.push_back({implementation_path, arm.implementation});
  return load_scenario(file, overrides);
}

}  // namespace distlab::cli
