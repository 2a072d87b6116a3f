#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/load.h"
#include "cli/pool.h"
#include "cli/progress.h"
#include "models/host/event_kinds.h"
#include "sim/crypto_cost.h"
#include "sim/ground.h"
#include "sim/traffic.h"

namespace distlab::cli {
namespace {

using nlohmann::json;

struct Options {
  std::vector<std::string> files;
  std::vector<std::string> sets;
  uint32_t rounds = 3;
  uint64_t seed = 1;
  std::string json;
};

// CPU time, since the two sides take turns on a machine that others use too.
double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// The whole stack: nodes, workload, recording of nothing.
int measure_whole(const scenario::Scenario& scenario, uint64_t seed, JobReporter& reporter) {
  const double before = cpu_seconds();
  const auto ran = sim::run(scenario, {.seed = seed}, [](const results::EventRecord&) {});
  if (!ran) return exit_usage;
  reporter.result(
      json{{"whole", cpu_seconds() - before}, {"packets", ran->packets}, {"events", ran->simulator_events}}.dump());
  return exit_pass;
}

// What the tunnels of a run carried, by their last counters.
sim::TunnelTraffic tunnel_traffic(const results::EventRecord& event) {
  sim::TunnelTraffic out;
  if (event.kind != kinds::tunnel_metrics) return out;
  for (const auto& [name, value] : event.fields) {
    const auto* count = std::get_if<int64_t>(&value);
    if (count == nullptr) continue;
    if (name == "msgs_out") out.messages = static_cast<uint64_t>(*count);
    if (name == "bytes_out") out.bytes = static_cast<uint64_t>(*count);
  }
  return out;
}

// Bare ns-3: the same writes on the same connections, without our nodes; and the same cryptography,
// without anything else. The run that notes them down is not measured.
int measure_bare(const scenario::Scenario& scenario, uint64_t seed, JobReporter& reporter) {
  sim::TrafficLog log;
  sim::TunnelTraffic tunnels;
  sim::RunOptions options{.seed = seed};
  options.traffic_log = &log;
  const auto count = [&](const results::EventRecord& event) {
    const sim::TunnelTraffic more = tunnel_traffic(event);
    tunnels.messages += more.messages;
    tunnels.bytes += more.bytes;
  };
  if (!sim::run(scenario, options, count)) return exit_usage;
  const double before = cpu_seconds();
  const sim::ReplayResult replayed = sim::replay(scenario, seed, log);
  const double bare = cpu_seconds();
  const uint64_t bytes = scenario.relays.empty() ? 0 : sim::do_cryptography(log, tunnels);
  reporter.result(json{{"bare", bare - before},
                       {"packets", replayed.packets},
                       {"crypto", cpu_seconds() - bare},
                       {"crypto_bytes", bytes},
                       {"tunnel_messages", tunnels.messages}}
                      .dump());
  return exit_pass;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

// Nothing: a run failed, and it has been said.
std::optional<json> bench_scenario(const std::string& file, const scenario::Variant& variant, const Options& options) {
  const scenario::Scenario& scenario = variant.scenario;
  std::vector<double> whole, bare, crypto;
  uint64_t packets = 0, bare_packets = 0, tunnel_messages = 0;
  bool failed = false;
  Progress progress("bench " + scenario.name, options.rounds * 2, false);
  const auto job = [&](size_t i, JobReporter& reporter) {
    return i % 2 == 0 ? measure_whole(scenario, options.seed, reporter)
                      : measure_bare(scenario, options.seed, reporter);
  };
  PoolCallbacks callbacks;
  callbacks.on_progress = [&](size_t done, double under_way) { progress.update(done, under_way); };
  callbacks.on_done = [&](size_t i, const JobOutcome& outcome) {
    const json result = json::parse(outcome.result, nullptr, false);
    if (!result.is_object()) {
      failed = true;
    } else if (i % 2 == 0) {
      whole.push_back(result.value("whole", 0.0));
      packets = result.value("packets", uint64_t{0});
    } else {
      bare.push_back(result.value("bare", 0.0));
      bare_packets = result.value("packets", uint64_t{0});
      crypto.push_back(result.value("crypto", 0.0));
      tunnel_messages = result.value("tunnel_messages", uint64_t{0});
    }
  };
  run_pool(options.rounds * 2, 1, job, callbacks);
  progress.clear();
  if (failed || interrupted() || whole.empty() || bare.empty()) {
    fmt::print(stderr, "distlab: {}: the benchmark did not finish\n", file);
    return std::nullopt;
  }
  const double simulated = to_seconds(scenario.duration);
  const double w = median(whole), b = median(bare), c = median(crypto);
  fmt::print("{}: {} nodes, {:.0f} s simulated, {} packets\n", scenario.name, scenario.nodes.size(), simulated,
             packets);
  fmt::print("  distlab    {:8.2f} s CPU   {:8.0f} simulated s per s   {:6.1f} us per packet\n", w, simulated / w,
             w * 1e6 / static_cast<double>(std::max<uint64_t>(packets, 1)));
  fmt::print("  bare ns-3  {:8.2f} s CPU   {:8.0f} simulated s per s   {:6.1f} us per packet   ({} packets)\n", b,
             simulated / b, b * 1e6 / static_cast<double>(std::max<uint64_t>(bare_packets, 1)), bare_packets);
  if (!scenario.relays.empty())
    fmt::print("  crypto     {:8.2f} s CPU   of QUIC's packets and {} tunnel messages, done again by itself\n", c,
               tunnel_messages);
  fmt::print("  ratio      {:8.2f}  (median of {} rounds, same network, same writes)\n", w / b, options.rounds);
  if (!scenario.relays.empty()) fmt::print("  without the cryptography: {:.2f}\n", (w - c) / b);
  return json{{"scenario", scenario.name},
              {"file", file},
              {"nodes", scenario.nodes.size()},
              {"simulated_s", simulated},
              {"packets", packets},
              {"distlab_cpu_s", whole},
              {"bare_packets", bare_packets},
              {"bare_ns3_cpu_s", bare},
              {"ratio", w / b},
              {"crypto_cpu_s", crypto},
              {"tunnel_messages", tunnel_messages}};
}

int bench(const Options& options) {
  const auto overrides = parse_overrides(options.sets);
  if (!overrides) return exit_usage;
  catch_interrupts();
  json all = json::array();
  for (const std::string& file : options.files) {
    const auto variants = load_scenario(file, *overrides);
    if (!variants) return exit_usage;
    for (const auto& variant : *variants) {
      const auto result = bench_scenario(file, variant, options);
      if (interrupted()) return exit_interrupted;
      if (!result) return exit_internal;
      all.push_back(*result);
    }
  }
  if (options.json.empty()) return exit_pass;
  std::FILE* out = options.json == "-" ? stdout : std::fopen(options.json.c_str(), "w");
  if (out == nullptr) {
    fmt::print(stderr, "distlab: cannot write {}\n", options.json);
    return exit_usage;
  }
  fmt::print(out, "{}\n", all.dump(2));
  return out == stdout || std::fclose(out) == 0 ? exit_pass : exit_usage;
}

}  // namespace

void add_bench_command(CLI::App& app, int& code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("bench", "Measure the speed of the sim ground against bare ns-3");
  command->add_option("FILE", options->files, "scenarios to measure")->required();
  command->add_option("--rounds", options->rounds, "measurements of each side; the median counts")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "of every run")->capture_default_str();
  command->add_option("--set", options->sets, "override a value: PATH=VALUE");
  command->add_option("--json", options->json, "also write the measurements as JSON; - for standard output");
  command->footer(
      "Each round runs the scenario, then replays the same writes on the same network with plain ns-3\n"
      "sockets. CPU seconds are compared. Over relays, the cryptography of the run is also done again by\n"
      "itself. Codecs and engines, the relay's own rate among them: the programs *_bench (configure with\n"
      "DISTLAB_BENCH=ON).\n"
      "Example: distlab bench scenarios/bench/mesh-100.yaml");
  command->callback([options, &code] { code = bench(*options); });
}

}  // namespace distlab::cli
