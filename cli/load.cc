#include "cli/load.h"

#include <cstdio>
#include <utility>

#include <fmt/format.h>

namespace distlab::cli {

std::optional<std::vector<scenario::Override>> parse_overrides(const std::vector<std::string>& texts) {
  std::vector<scenario::Override> out;
  for (const std::string& text : texts) {
    auto parsed = scenario::parse_override(text);
    if (!parsed) {
      fmt::print(stderr, "distlab: --set {}: {}\n", text, parsed.error());
      return std::nullopt;
    }
    out.push_back(std::move(*parsed));
  }
  return out;
}

std::optional<std::vector<scenario::Variant>> load_scenario(const std::string& file,
                                                            const std::vector<scenario::Override>& overrides) {
  auto loaded = scenario::load(file, overrides);
  if (loaded) return std::move(*loaded);
  for (const scenario::Diagnostic& diagnostic : loaded.error()) fmt::print(stderr, "{}\n", diagnostic.text());
  return std::nullopt;
}

}  // namespace distlab::cli
