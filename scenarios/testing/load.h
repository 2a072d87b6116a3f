// Loading for tests.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "scenarios/loader.h"

namespace distlab::scenario {

inline const std::string small_scenario =
    "name: small\n"
    "duration: 10s\n"
    "sites: { home: {} }\n"
    "nodes:\n"
    "  alice: { site: home }\n"
    "  bob: { site: home }\n";

// Nodes a, b, c, each alone on its site sa, sb, sc.
inline const std::string three_nodes =
    "name: three\n"
    "duration: 60s\n"
    "sites: { sa: {}, sb: {}, sc: {} }\n"
    "nodes: { a: { site: sa }, b: { site: sb }, c: { site: sc } }\n";

using Files = std::map<std::string, std::string>;

inline Loaded load_files(const std::string& text, const Files& files = {},
                         const std::vector<Override>& overrides = {}) {
  return load_text(
      text, "x.yaml",
      [&](const std::string& path) -> tl::expected<std::string, std::string> {
        const auto found = files.find(path);
        if (found == files.end()) return tl::unexpected(std::string("No such file or directory"));
        return found->second;
      },
      overrides);
}

inline std::vector<Variant> load_all(const std::string& text, const Files& files = {},
                                     const std::vector<Override>& overrides = {}) {
  auto loaded = load_files(text, files, overrides);
  if (loaded) return std::move(*loaded);
  for (const Diagnostic& one : loaded.error()) ADD_FAILURE() << one.text();
  return {Variant{}};
}

inline Scenario load_one(const std::string& text, const Files& files = {}) {
  return std::move(load_all(text, files).front().scenario);
}

// What is wrong, each on one line.
inline std::vector<std::string> errors_of(const std::string& text, const Files& files = {},
                                          const std::vector<Override>& overrides = {}) {
  std::vector<std::string> texts;
  const auto loaded = load_files(text, files, overrides);
  if (!loaded)
    for (const Diagnostic& one : loaded.error()) texts.push_back(one.text());
  return texts;
}

}  // namespace distlab::scenario
