#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "cli/arms.h"
#include "cli/campaign.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/load.h"
#include "cli/outputs.h"
#include "results/compare/output.h"
#include "results/compare/topics.h"
#include "results/output_file.h"

namespace distlab::cli {
namespace {

namespace compare = results::compare;

struct Options {
  std::vector<std::string> what;
  std::vector<int64_t> families;
  std::vector<std::string> grounds, nodes, sets;
  std::string database = default_database;
  uint64_t seed = 1;
  uint32_t repeat = 30;
  uint32_t jobs = 0;
  bool without_netem = false;
  double max_lateness_ms = 10;
  std::string markdown;
  Outputs outputs;
};

int fail(const results::StoreError& error) {
  fmt::print(stderr, "distlab: {}\n", error.message);
  return error.is_user_error ? exit_usage : exit_internal;
}

int usage(const std::string& message) {
  fmt::print(stderr, "distlab: {}\n", message);
  return exit_usage;
}

int code_of(compare::Decision decision) {
  switch (decision) {
    case compare::Decision::agree:
      return exit_pass;
    case compare::Decision::disagree:
      return exit_disagree;
    case compare::Decision::too_few:
      return exit_unknown;
  }
  return exit_internal;
}

int write(const std::string& path, const std::string& text) {
  if (path.empty()) return exit_pass;
  if (path == "-") {
    fmt::print("{}", text);
    return exit_pass;
  }
  const auto written = results::write_file(path, text);
  return written ? exit_pass : fail(written.error());
}

// Beside the database; here, where that folder may not be written.
std::string default_page(const std::string& database, const std::string& name) {
  const auto path = std::filesystem::path(database).parent_path() / fmt::format("compare-{}.html", name);
  return results::can_write(path.string()) ? path.string() : path.filename().string();
}

// `name` is what the page is called after.
int show(const std::vector<compare::Comparison>& all, const Options& options, const std::string& command,
         const std::string& name) {
  const bool json_on_stdout = options.outputs.json == "-";
  const bool talks = !options.outputs.quiet && !json_on_stdout;
  if (talks) fmt::print("{}", compare::to_table(all, results::style_of(STDOUT_FILENO)));
  const std::string html = options.outputs.html.empty() ? default_page(options.database, name) : options.outputs.html;
  for (const auto& [path, text] :
       {std::pair{html, compare::to_html(all, command)},
        {options.outputs.json, options.outputs.json.empty() ? std::string() : compare::to_json(all)},
        {options.outputs.junit, options.outputs.junit.empty() ? std::string() : compare::to_junit(all)},
        {options.markdown, options.markdown.empty() ? std::string() : compare::to_markdown(all)}}) {
    if (const int code = write(path, text); code != exit_pass) return code;
  }
  if (talks) fmt::print("\nreport:   {}\ndatabase: {}\n", html, options.database);
  return code_of(compare::overall(all).decision);
}

int compare_sides(const results::Store& store, const std::vector<compare::Side>& sides, const Options& options,
                  const std::string& command, const std::string& name) {
  const auto topics = compare::topics(store, sides);
  if (!topics) return fail(topics.error());
  std::vector<compare::Comparison> all;
  for (const compare::Topic& topic : *topics) all.push_back(compare::compare(topic));
  return show(all, options, command, name);
}

// ---- what is recorded

// "7", "3-32", "3-10,14": run ids. Nothing when the text is something else.
std::optional<std::vector<int64_t>> parse_runs(const std::string& text) {
  constexpr int64_t most = 100'000;
  std::vector<int64_t> out;
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto number = [&](int64_t& value) {
    const auto [after, error] = std::from_chars(at, end, value);
    if (error != std::errc{} || value < 0) return false;
    at = after;
    return true;
  };
  for (;;) {
    int64_t first = 0, last = 0;
    if (!number(first)) return std::nullopt;
    last = first;
    if (at != end && *at == '-' && (++at, !number(last))) return std::nullopt;
    if (last < first || last - first >= most - static_cast<int64_t>(out.size())) return std::nullopt;
    for (int64_t id = first; id <= last; ++id) out.push_back(id);
    if (at == end) return out;
    if (*at++ != ',') return std::nullopt;
  }
}

int compare_runs(const std::vector<std::vector<int64_t>>& lists, const Options& options) {
  const auto store = results::Store::open(options.database, results::OpenMode::readable);
  if (!store) return fail(store.error());
  std::vector<compare::Side> sides;
  std::string command = "distlab compare", name;
  for (size_t i = 0; i < lists.size(); ++i) {
    compare::Side& side = sides.emplace_back();
    for (const int64_t id : lists[i]) {
      const auto run = store->run(id);
      if (!run) return fail(run.error());
      if (!*run) return usage(fmt::format("{}: there is no run {}; distlab report lists them", options.database, id));
      side.runs.push_back(**run);
    }
    side.name = fmt::format("{} {}", side.runs.size() == 1 ? "run" : "runs", options.what[i]);
    command += " " + options.what[i];
    name += (name.empty() ? "" : "-") + fmt::to_string(lists[i].front());
  }
  return compare_sides(*store, sides, options, command, name);
}

int compare_families(const Options& options) {
  const auto store = results::Store::open(options.database, results::OpenMode::readable);
  if (!store) return fail(store.error());
  std::vector<compare::Side> sides;
  std::string command = "distlab compare --family", name = "family";
  for (const int64_t family : options.families) {
    const auto runs = store->family_runs(family);
    if (!runs) return fail(runs.error());
    if (runs->empty())
      return usage(fmt::format("{}: there is no family {}; distlab report lists them", options.database, family));
    for (compare::Side& side : compare::sides_of(*runs)) {
      if (options.families.size() > 1) side.name = fmt::format("{} of {}", side.name, family);
      sides.push_back(std::move(side));
    }
    command += fmt::format(" {}", family);
    name += fmt::format("-{}", family);
  }
  if (sides.size() < 2)
    return usage(fmt::format("all runs of family {} are of one ground ({}); name a second family",
                             options.families.front(), sides.front().name));
  return compare_sides(*store, sides, options, command, name);
}

// ---- what is run first

std::string command_line(const Options& options) {
  std::string text = "distlab compare " + options.what.front();
  for (const std::string& set : options.sets) text += " --set " + set;
  text += fmt::format(" --grounds {}", fmt::join(options.grounds, ","));
  if (!options.nodes.empty()) text += fmt::format(" --nodes {}", fmt::join(options.nodes, ","));
  return text + fmt::format(" --seed {} --repeat {}", options.seed, options.repeat);
}

// Runs of all arms, seed by seed: what changes on the machine meanwhile then changes for every arm.
std::optional<std::vector<Planned>> plan(const Options& options, const std::vector<Arm>& arms) {
  std::vector<std::vector<scenario::Variant>> variants;
  const auto overrides = parse_overrides(options.sets);
  if (!overrides) return std::nullopt;
  for (const Arm& arm : arms) {
    auto loaded = load_arm(options.what.front(), *overrides, arm);
    if (!loaded) return std::nullopt;
    variants.push_back(std::move(*loaded));
  }
  std::vector<Planned> out;
  for (size_t v = 0; v < variants.front().size(); ++v)
    for (uint32_t i = 0; i < options.repeat; ++i)
      for (size_t a = 0; a < arms.size(); ++a)
        out.push_back({options.what.front(), variants[a][v], options.seed + i, arms[a].ground});
  // Simulated runs leave no time to real ones, so they come first.
  std::stable_partition(out.begin(), out.end(), [](const Planned& p) { return p.ground == GroundKind::sim; });
  return out;
}

// True: all runs were made and recorded, whatever came of them. Else `code` says why not.
bool make_runs(const std::vector<Planned>& planned, int64_t family, const Options& options, int& code) {
  Progress progress(planned.front().variant.scenario.name, planned.size(), options.outputs.quiet);
  size_t first = 0;
  code = exit_pass;
  while (first < planned.size() && !interrupted()) {
    const bool simulated = planned[first].ground == GroundKind::sim;
    size_t last = first;
    while (last < planned.size() && (planned[last].ground == GroundKind::sim) == simulated) ++last;
    const Pace pace = pace_of(options.jobs, std::span(planned).subspan(first, last - first));
    const auto job = [&](size_t i, JobReporter& reporter) {
      const Planned& p = planned[first + i];
      Job work{.variant = &p.variant, .ground = p.ground, .scenario_file = p.file, .seed = p.seed};
      work.database = options.database;
      work.family = family;
      work.runs_at_once = pace.at_once;
      work.without_netem = options.without_netem;
      work.max_lateness =
          std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::milli>(options.max_lateness_ms));
      return run_job(work, reporter);
    };
    PoolCallbacks callbacks;
    callbacks.on_progress = [&](size_t done, double under_way) { progress.update(first + done, under_way); };
    callbacks.on_done = [&](size_t i, const JobOutcome& outcome) {
      code = worse(code, account_for(planned[first + i], outcome, progress));
    };
    run_pool(last - first, pace, job, callbacks);
    first = last;
  }
  // Whether expectations held is not the question here.
  if (interrupted()) code = exit_interrupted;
  return code != exit_internal && code != exit_usage && code != exit_interrupted;
}

int compare_file(const Options& options) {
  const auto arms = parse_arms(options.grounds, options.nodes);
  if (!arms) return usage(arms.error());
  const auto planned = plan(options, *arms);
  if (!planned || !no_obstacles(*planned, options.without_netem)) return exit_usage;
  catch_interrupts();
  int code = exit_pass;
  const auto family = open_family(options.database, command_line(options), code);
  if (!family) return code;
  if (!make_runs(*planned, *family, options, code)) {
    fmt::print(stderr, "distlab: {}; finished runs are kept in {}; to compare them: distlab compare --family {}\n",
               code == exit_interrupted ? "interrupted" : "not all runs could be made", options.database, *family);
    return code;
  }
  const auto store = results::Store::open(options.database, results::OpenMode::existing);
  if (!store) return fail(store.error());
  const auto runs = store->family_runs(*family);
  if (!runs) return fail(runs.error());
  // In the order the user named them: the first one is the reference.
  std::vector<compare::Side> sides = compare::sides_of(*runs), ordered;
  for (const Arm& arm : *arms)
    for (compare::Side& side : sides)
      if (side.name == arm.name()) ordered.push_back(std::move(side));
  return compare_sides(*store, ordered, options, command_line(options),
                       fmt::format("{}-{}", planned->front().variant.scenario.name, *family));
}

int run(const Options& options) {
  const Outputs& out = options.outputs;
  if (!can_write({out.html, out.json, out.junit, options.markdown})) return exit_usage;
  if (!options.families.empty()) {
    if (!options.what.empty()) return usage("--family compares families: leave out " + options.what.front());
    return compare_families(options);
  }
  if (options.what.empty())
    return usage("compare what? A scenario FILE with --grounds, two RUNs, or --family A B (see --help)");
  std::vector<std::vector<int64_t>> lists;
  for (const std::string& text : options.what)
    if (auto list = parse_runs(text)) lists.push_back(std::move(*list));
  if (lists.size() == options.what.size()) {
    if (lists.size() < 2) return usage("a run is compared with another one: distlab compare RUN RUN");
    return compare_runs(lists, options);
  }
  if (options.what.size() > 1) return usage("compare takes one scenario FILE, or RUNs by their numbers");
  return compare_file(options);
}

}  // namespace

void add_compare_command(CLI::App& app, int& code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("compare", "Say with statistics whether grounds agree");
  command->add_option("WHAT", options->what, "a scenario file to run, or recorded runs: 7, 3-32, 3-10,14");
  command
      ->add_option("--family", options->families,
                   "compare what is recorded: two or more invocations, or the grounds of one")
      ->expected(1, 16);
  command->add_option("--grounds", options->grounds, "the first is the reference: sim, emu, live (default: sim,emu)")
      ->delimiter(',');
  command
      ->add_option("--nodes", options->nodes,
                   "implementations of the nodes: native, beam, macula; sim has native ones only")
      ->delimiter(',');
  command->add_option("--repeat", options->repeat, "runs of each arm and variant, with seeds SEED, SEED+1, ...")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "the first seed; every arm has the same")->capture_default_str();
  command->add_option("-j,--jobs", options->jobs,
                      "runs at once (default: one per core in sim, one on real hosts, where they disturb each other)");
  command->add_option("--set", options->sets, "override a value: PATH=VALUE, as in compare.call_latency.ratio=1.5");
  command->add_flag("--without-netem", options->without_netem, "live: as in distlab run");
  command
      ->add_option(
          "--max-lateness", options->max_lateness_ms,
          "emu, live: a run whose packets or processes were later than this (milliseconds, 99th percentile) is "
          "left out")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--db", options->database, "database the runs are added to, or taken from")
      ->capture_default_str();
  command->add_option("--html", options->outputs.html, "where to write the report (default: beside the database)");
  command->add_option("--json", options->outputs.json, "also write the comparison as JSON; - for standard output");
  command->add_option("--junit", options->outputs.junit, "also write it as JUnit XML");
  command->add_option("--markdown", options->markdown, "also write it as a Markdown table, for documents; - as above");
  command->add_flag("-q,--quiet", options->outputs.quiet, "no progress and no table");
  command->footer(
      "An arm is a ground, or a ground with an implementation of nodes. Each one is held against the first, metric by\n"
      "metric. They agree when the difference lies within the scenario's margin (its section compare:) with 95%\n"
      "confidence to either side, and disagree when it lies outside with the same; else more runs are needed, and\n"
      "it is said how many. 30 runs are about the least that can agree.\n\n"
      "Examples:\n"
      "  distlab compare scenarios/tick-timeout.yaml --grounds sim,emu --repeat 30 -j 2\n"
      "  distlab compare scenarios/stall.yaml --grounds sim,emu --nodes native,beam\n"
      "  distlab compare --family 4            the grounds of family 4 once more (distlab report lists families)\n"
      "  distlab compare --family 4 9          the same scenario before and after a change\n"
      "  distlab compare 1-30 31-60 --json -\n\n"
      "Exit codes: 0 agree, 4 disagree, 2 too few samples, 64 usage, 70 internal error, 130 interrupted.");
  command->callback([options, &code] {
    if (options->grounds.empty()) options->grounds = {"sim", "emu"};
    code = run(*options);
  });
}

}  // namespace distlab::cli
