#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/campaign.h"
#include "cli/commands.h"
#include "cli/determinism.h"
#include "cli/exit_codes.h"
#include "cli/load.h"
#include "cli/outputs.h"
#include "cli/pool.h"
#include "cli/progress.h"
#include "cli/scenario_job.h"

namespace distlab::cli {
namespace {

struct Options {
  std::vector<std::string> files, sets;
  std::string ground = "sim";
  std::string nodes;  // their implementation; empty: as the file says
  bool without_netem = false;
  double max_lateness_ms = 10;
  std::string database = default_database;
  uint64_t seed = 1;
  uint32_t repeat = 1;
  uint32_t jobs = 0;
  std::string pcap, qlog;
  bool check_determinism = false;
  Outputs outputs;
};

std::optional<std::vector<Planned>> plan(const Options& options) {
  std::vector<std::string> sets = options.sets;
  if (!options.nodes.empty()) sets.push_back("nodes.*.implementation=" + options.nodes);
  const auto overrides = parse_overrides(sets);
  if (!overrides) return std::nullopt;
  const GroundKind ground = parse_ground(options.ground).value_or(GroundKind::sim);
  std::vector<Planned> out;
  for (const std::string& file : options.files) {
    const auto variants = load_scenario(file, *overrides);
    if (!variants) return std::nullopt;
    for (const auto& variant : *variants) {
      for (uint32_t i = 0; i < options.repeat; ++i) out.push_back({file, variant, options.seed + i, ground});
    }
  }
  return out;
}

std::string command_line(const Options& options) {
  std::string text = "distlab run";
  for (const std::string& file : options.files) text += " " + file;
  for (const std::string& set : options.sets) text += " --set " + set;
  if (options.ground != "sim") text += " --ground " + options.ground;
  if (!options.nodes.empty()) text += " --nodes " + options.nodes;
  text += fmt::format(" --seed {}", options.seed);
  if (options.repeat > 1) text += fmt::format(" --repeat {}", options.repeat);
  return text;
}

std::string title(const std::vector<Planned>& planned) {
  const std::string& first = planned.front().variant.scenario.name;
  const bool same =
      std::all_of(planned.begin(), planned.end(), [&](const Planned& p) { return p.variant.scenario.name == first; });
  return same ? first : fmt::format("{} and others", first);
}

// The folder of one run's files; of several runs each has its own below it.
std::string folder_for(const std::string& folder, bool alone, size_t index) {
  if (folder.empty() || alone) return folder;
  std::string own = fmt::format("{}/{}", folder, index + 1);
  std::error_code ignored;  // opening the files says what is wrong
  std::filesystem::create_directories(own, ignored);
  return own;
}

// Says what the ground cannot do, before anything is started.
bool ground_allows(const Options& options, const std::vector<Planned>& planned) {
  if (options.ground != "sim" && options.check_determinism) {
    fmt::print(stderr, "distlab: --check-determinism is for the sim ground: real hosts are never twice the same\n");
    return false;
  }
  if (options.ground == "live" && !options.pcap.empty()) {
    fmt::print(stderr, "distlab: --pcap: the live ground does not capture packets; sim and emu do\n");
    return false;
  }
  return no_obstacles(planned, options.without_netem);
}

int run(const Options& options) {
  const auto planned = plan(options);
  if (!planned) return exit_usage;
  if (!ground_allows(options, *planned)) return exit_usage;
  if (!can_write({options.outputs.html, options.outputs.json, options.outputs.junit})) return exit_usage;
  catch_interrupts();
  int code = exit_pass;
  const auto family = open_family(options.database, command_line(options), code);
  if (!family) return code;
  for (const std::string& folder : {options.pcap, options.qlog}) {
    std::error_code error;
    if (!folder.empty()) std::filesystem::create_directories(folder, error);
    if (error) {
      fmt::print(stderr, "distlab: {}: {}\n", folder, error.message());
      return exit_usage;
    }
  }

  Progress progress(title(*planned), planned->size(), options.outputs.quiet);
  DeterminismCheck determinism(options.check_determinism, planned->size());
  const size_t rounds = options.check_determinism ? 2 : 1;
  const Pace pace = pace_of(options.jobs, *planned);
  const auto job = [&](size_t i, JobReporter& reporter) {
    const size_t index = i / rounds, round = i % rounds;
    const Planned& p = (*planned)[index];
    Job work{.variant = &p.variant,
             .ground = p.ground,
             .scenario_file = p.file,
             .seed = p.seed,
             .trace_file = determinism.trace(index, round)};
    work.runs_at_once = pace.at_once;
    work.without_netem = options.without_netem;
    work.max_lateness =
        std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::milli>(options.max_lateness_ms));
    if (round == 0) {
      work.database = options.database;
      work.family = *family;
      const bool alone = planned->size() == 1;
      work.pcap_directory = folder_for(options.pcap, alone, index);
      work.qlog_directory = folder_for(options.qlog, alone, index);
    }
    return run_job(work, reporter);
  };
  PoolCallbacks callbacks;
  callbacks.on_progress = [&](size_t done, double under_way) {
    progress.update(done / rounds, under_way / static_cast<double>(rounds));
  };
  callbacks.on_done = [&](size_t i, const JobOutcome& outcome) {
    const size_t index = i / rounds, round = i % rounds;
    determinism.add(index, round, outcome);
    if (round == 0) code = worse(code, account_for((*planned)[index], outcome, progress));
  };
  run_pool(planned->size() * rounds, pace, job, callbacks);
  progress.clear();

  if (options.check_determinism && !interrupted()) {
    const auto name = [&](size_t index) { return job_name((*planned)[index]); };
    if (!determinism.report(name, options.outputs.json == "-" ? stderr : stdout))
      code = worse(code, exit_nondeterminism);
  }
  const int shown = show_outputs(options.database, *family, options.outputs);
  if (interrupted()) {
    fmt::print(stderr, "distlab: interrupted; finished runs are kept in {}\n", options.database);
    return exit_interrupted;
  }
  return worse(code, shown);
}

}  // namespace

void add_run_command(CLI::App& app, int& code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("run", "Run scenarios and judge what they expect");
  command->add_option("FILE", options->files, "scenario files (YAML)")->required();
  command
      ->add_option("--ground", options->ground,
                   "sim (ns-3, virtual time), emu (real processes, ns-3 in real time) or live (real processes,\n"
                   "the kernel's network)")
      ->check(CLI::IsMember({"sim", "emu", "live"}))
      ->capture_default_str();
  command
      ->add_option("--nodes", options->nodes,
                   "who plays the nodes, whatever the file says: native (ours), beam (an unmodified Erlang node) or\n"
                   "macula (Erlang with -proto_dist macula); the last two on emu and live")
      ->check(CLI::IsMember({"native", "beam", "macula"}));
  command->add_flag("--without-netem", options->without_netem,
                    "live: leave out delay, jitter, loss, duplicates and reordering, for kernels without netem");
  command
      ->add_option(
          "--max-lateness", options->max_lateness_ms,
          "emu, live: a run whose packets or processes were later than this (milliseconds, 99th percentile) is "
          "unknown")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--seed", options->seed, "decides every random draw")->capture_default_str();
  command->add_option("--repeat", options->repeat, "run with this many seeds: SEED, SEED+1, ...")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("-j,--jobs", options->jobs, "runs at once (default: one per core)");
  command->add_option("--set", options->sets, "override a value: PATH=VALUE, as in nodes.alice.net_ticktime=8s");
  command->add_option("--db", options->database, "database the runs are added to")->capture_default_str();
  command->add_option("--html", options->outputs.html, "where to write the report (default: beside the database)");
  command->add_option("--json", options->outputs.json, "also write the results as JSON; - for standard output");
  command->add_option("--junit", options->outputs.junit, "also write them as JUnit XML");
  command->add_option("--qlog", options->qlog, "write a qlog file of every QUIC connection into this folder");
  command->add_option("--pcap", options->pcap, "capture every machine's packets into this folder");
  command->add_flag("--check-determinism", options->check_determinism,
                    "run each seed twice and show the first event that differs");
  command->add_flag("-q,--quiet", options->outputs.quiet, "no progress and no table");
  command->footer(
      "Examples:\n"
      "  distlab run scenarios/quickstart.yaml\n"
      "  distlab run scenarios/tick-timeout.yaml --repeat 200 --junit results.xml\n"
      "  distlab run scenarios/relay-restart.yaml --ground emu\n"
      "  distlab run scenarios/relay-restart.yaml --ground emu --nodes beam\n"
      "  distlab run scenarios/quickstart.yaml --set nodes.alice.net_ticktime=20s\n\n"
      "Exit codes: 0 all held, 1 an expectation failed, 2 unknown (nothing to judge, or not complete),\n"
      "3 two runs of one seed differ, 64 usage, 70 internal error, 130 interrupted.");
  command->callback([options, &code] { code = run(*options); });
}

}  // namespace distlab::cli
