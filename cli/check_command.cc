#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/load.h"

namespace distlab::cli {
namespace {

struct Options {
  std::vector<std::string> files, sets;
  bool canonical = false;
};

int check(const Options& options) {
  const auto overrides = parse_overrides(options.sets);
  if (!overrides) return exit_usage;
  bool good = true;
  for (const std::string& file : options.files) {
    const auto variants = load_scenario(file, *overrides);
    good &= variants.has_value();
    if (!variants) continue;
    if (options.canonical) {
      for (const auto& variant : *variants) fmt::print("{}", variant.canonical);
      continue;
    }
    const scenario::Scenario& s = variants->front().scenario;
    fmt::print("{}: ok: {} ({} sites, {} nodes, {} faults, {} expectations{})\n", file, s.name, s.sites.size(),
               s.nodes.size(), s.faults.size(), s.expect.size(),
               variants->size() > 1 ? fmt::format(", {} variants", variants->size()) : "");
  }
  return good ? exit_pass : exit_usage;
}

}  // namespace

void add_check_command(CLI::App& app, int& code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("check", "Check scenario files without running them");
  command->add_option("FILE", options->files, "scenario files (YAML)")->required();
  command->add_option("--set", options->sets, "override a value: PATH=VALUE, as in nodes.alice.net_ticktime=8s");
  command->add_flag("--canonical", options->canonical, "print what would be run: includes merged, sweep resolved");
  command->footer("Exit codes: 0 all are right, 64 something is wrong (file:line:column and what).");
  command->callback([options, &code] { code = check(*options); });
}

}  // namespace distlab::cli
