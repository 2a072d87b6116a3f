// Reads scenario files: YAML in, checked scenarios or messages out. Nothing throws.
//
// The format is described in README.md and schema.json. One file gives one variant, or as many as
// its `sweep:` and `zip:` span.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "scenarios/scenario.h"

namespace distlab::scenario {

// One thing that is wrong with the input.
struct Diagnostic {
  Place place;  // line 0: the file as a whole, or a command line override (file is then "--set PATH")
  std::string message;

  // "quickstart.yaml:14:7: unknown key 'net_tick_time'; did you mean 'net_ticktime'?"
  std::string text() const;
};

struct Variant {
  Scenario scenario;
  // What the overrides, sweep and zip chose, in this order: {"paths.home-office.delay", "40ms"}.
  // Expectations that vary (with a zip) are left out.
  std::vector<std::pair<std::string, std::string>> labels;
  // All that was run, as YAML: included files merged, overrides and sweep applied, comments gone. It
  // loads to the same scenario, and equal scenarios written with other includes have equal texts.
  std::string canonical;
};

// --set PATH=VALUE: the value of a dotted path, list positions as numbers ("faults.0.at"). VALUE is YAML.
struct Override {
  std::string path;
  std::string value;
};

// "nodes.alice.net_ticktime=8s"; the error is one line.
tl::expected<Override, std::string> parse_override(std::string_view text);

using Loaded = tl::expected<std::vector<Variant>, std::vector<Diagnostic>>;

inline constexpr size_t max_file_size = 4 * 1024 * 1024;  // with all it includes
inline constexpr std::string_view too_large = "larger than 4 MiB, which is the limit for a scenario";
inline constexpr size_t max_variants = 10'000;
inline constexpr size_t max_diagnostics = 20;  // a last one says how many more there are

// Reads a file and those it includes. Places name files as they are reached from here: `path`, and
// beside it the included ones.
Loaded load(const std::string& path, const std::vector<Override>& overrides = {});

// Gives the text of an included file, or one line that says why not. `path` is the including
// file's folder joined with what it names.
using Resolver = std::function<tl::expected<std::string, std::string>(const std::string& path)>;

// The same from memory; `name` stands in the messages.
Loaded load_text(std::string_view text, const std::string& name, const Resolver& resolve = {},
                 const std::vector<Override>& overrides = {});

}  // namespace distlab::scenario
