#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/load.h"
#include "results/output_file.h"
#include "results/report/html.h"
#include "results/store.h"

namespace distlab::cli {
namespace {

struct Options {
  std::string database = default_database;
  int64_t run = 0;
  int64_t family = 0;
  std::string output;
};

int fail(const results::StoreError& error) {
  fmt::print(stderr, "distlab: {}\n", error.message);
  return error.is_user_error ? exit_usage : exit_internal;
}

int list_runs(const results::Store& store) {
  const auto runs = store.runs();
  if (!runs) return fail(runs.error());
  fmt::print("{:>6} {:>6}  {:<20} {:<24} {:<6} {:>6}  {:<10} {}\n", "run", "family", "started", "scenario", "ground",
             "seed", "status", "labels");
  for (const auto& run : *runs) {
    fmt::print("{:>6} {:>6}  {:<20} {:<24} {:<6} {:>6}  {:<10} {}\n", run.id, run.family, run.started_at, run.scenario,
               run.ground, run.seed, to_string(run.status), results::label_text(run));
  }
  return exit_pass;
}

int report(const Options& options) {
  auto store = results::Store::open(options.database, results::OpenMode::readable);
  if (!store) return fail(store.error());
  if (options.run == 0 && options.family == 0) return list_runs(*store);
  const auto page =
      options.run != 0 ? results::run_report(*store, options.run) : results::family_report(*store, options.family);
  if (!page) return fail(page.error());
  const std::string path = !options.output.empty() ? options.output
                           : options.run != 0      ? fmt::format("run-{}.html", options.run)
                                                   : fmt::format("family-{}.html", options.family);
  if (auto written = results::write_file(path, *page); !written) return fail(written.error());
  fmt::print("{}\n", path);
  return exit_pass;
}

}  // namespace

void add_report_command(CLI::App& app, int& code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("report", "List recorded runs, or draw one again as HTML");
  command->add_option("--db", options->database, "database of runs")->capture_default_str();
  auto* run = command->add_option("--run", options->run, "draw this run");
  command->add_option("--family", options->family, "draw all runs of one invocation of `run`")->excludes(run);
  command->add_option("-o,--output", options->output, "where to write the page");
  command->footer("Without --run or --family, all runs are listed.");
  command->callback([options, &code] { code = report(*options); });
}

}  // namespace distlab::cli
