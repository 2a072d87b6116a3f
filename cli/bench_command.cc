#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/load.h"
#include "cli/measure.h"
#include "cli/outputs.h"
#include "cli/pool.h"
#include "cli/progress.h"
#include "models/host/time.h"

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

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

// What the rounds of one scenario gave.
struct Rounds {
  std::vector<double> whole, ours, stock, crypto;
  uint64_t packets = 0, ours_packets = 0, stock_packets = 0, tunnel_messages = 0;

  void add(const json& result) {
    if (result.contains("whole")) {
      whole.push_back(result.at("whole"));
      packets = result.at("packets");
      return;
    }
    ours.push_back(result.at("ours"));
    stock.push_back(result.at("stock"));
    crypto.push_back(result.at("crypto"));
    ours_packets = result.at("ours_packets");
    stock_packets = result.at("stock_packets");
    tunnel_messages = result.at("tunnel_messages");
  }
  bool complete(size_t rounds) const { return whole.size() == rounds && ours.size() == rounds; }
};

int whole_job(const scenario::Scenario& scenario, uint64_t seed, JobReporter& reporter) {
  const auto cost = measure_whole(scenario, seed);
  if (!cost) return exit_usage;
  reporter.result(json{{"whole", cost->cpu_s}, {"packets", cost->packets}}.dump());
  return exit_pass;
}

int bare_job(const scenario::Scenario& scenario, uint64_t seed, JobReporter& reporter) {
  const auto cost = measure_bare(scenario, seed);
  if (!cost) return exit_usage;
  reporter.result(json{{"ours", cost->ours_cpu_s},
                       {"ours_packets", cost->ours_packets},
                       {"stock", cost->stock_cpu_s},
                       {"stock_packets", cost->stock_packets},
                       {"crypto", cost->crypto_cpu_s},
                       {"tunnel_messages", cost->tunnel_messages}}
                      .dump());
  return exit_pass;
}

Rounds do_rounds(const scenario::Scenario& scenario, const Options& options) {
  Rounds rounds;
  Progress progress("bench " + scenario.name, options.rounds * 2, false);
  const auto job = [&](size_t i, JobReporter& reporter) {
    return i % 2 == 0 ? whole_job(scenario, options.seed, reporter) : bare_job(scenario, options.seed, reporter);
  };
  PoolCallbacks callbacks;
  callbacks.on_progress = [&](size_t done, double under_way) { progress.update(done, under_way); };
  callbacks.on_done = [&](size_t, const JobOutcome& outcome) {
    const json result = json::parse(outcome.result, nullptr, false);
    if (result.is_object()) rounds.add(result);
  };
  run_pool(options.rounds * 2, Pace{}, job, callbacks);
  progress.clear();
  return rounds;
}

void print_line(const char* name, double cpu, double simulated, uint64_t packets) {
  fmt::print("  {:<12} {:8.2f} s CPU   {:6.0f} simulated s per s   {:6.1f} us per packet   ({} packets)\n", name, cpu,
             simulated / cpu, cpu * 1e6 / static_cast<double>(std::max<uint64_t>(packets, 1)), packets);
}

// Nothing: a run failed, and it has been said.
std::optional<json> bench_scenario(const std::string& file, const scenario::Variant& variant, const Options& options) {
  const scenario::Scenario& scenario = variant.scenario;
  const Rounds rounds = do_rounds(scenario, options);
  if (interrupted() || !rounds.complete(options.rounds)) {
    fmt::print(stderr, "distlab: {}: the benchmark did not finish\n", file);
    return std::nullopt;
  }
  const double simulated = to_seconds(scenario.duration);
  const double whole = median(rounds.whole), ours = median(rounds.ours), stock = median(rounds.stock);
  const double crypto = median(rounds.crypto);
  fmt::print("{}: {} nodes, {:.0f} s simulated, median of {} rounds\n", scenario.name, scenario.nodes.size(), simulated,
             options.rounds);
  print_line("distlab", whole, simulated, rounds.packets);
  print_line("bare ns-3", ours, simulated, rounds.ours_packets);
  print_line("stock ns-3", stock, simulated, rounds.stock_packets);
  if (!scenario.relays.empty()) {
    fmt::print("  {:<12} {:8.2f} s CPU   of QUIC's packets and {} tunnel messages, done again by itself\n",
               "cryptography", crypto, rounds.tunnel_messages);
  }
  fmt::print("  ratio        {:8.2f} to bare ns-3, {:.2f} to stock ns-3, without the cryptography {:.2f} and {:.2f}\n",
             whole / ours, whole / stock, (whole - crypto) / ours, (whole - crypto) / stock);
  return json{{"scenario", scenario.name},
              {"file", file},
              {"nodes", scenario.nodes.size()},
              {"simulated_s", simulated},
              {"packets", rounds.packets},
              {"distlab_cpu_s", rounds.whole},
              {"bare_packets", rounds.ours_packets},
              {"bare_ns3_cpu_s", rounds.ours},
              {"stock_packets", rounds.stock_packets},
              {"stock_ns3_cpu_s", rounds.stock},
              {"ratio", whole / ours},
              {"stock_ratio", whole / stock},
              {"crypto_cpu_s", rounds.crypto},
              {"tunnel_messages", rounds.tunnel_messages}};
}

// In a process of its own, whose memory has seen nothing else.
std::optional<json> bench_relay(size_t sessions, size_t tunnels) {
  std::optional<json> out;
  const auto job = [&](size_t, JobReporter& reporter) {
    const RelayCost cost = measure_relay(sessions, tunnels);
    reporter.result(json{{"sessions", sessions},
                         {"tunnels", tunnels},
                         {"messages_per_s", cost.messages_per_s},
                         {"large_messages_per_s", cost.large_messages_per_s},
                         {"large_bytes_per_s", cost.large_bytes_per_s},
                         {"calls_per_s", cost.calls_per_s},
                         {"bytes_per_session", cost.bytes_per_session},
                         {"bytes_per_tunnel", cost.bytes_per_tunnel}}
                        .dump());
    return exit_pass;
  };
  PoolCallbacks callbacks;
  callbacks.on_done = [&](size_t, const JobOutcome& outcome) {
    json result = json::parse(outcome.result, nullptr, false);
    if (result.is_object()) out = std::move(result);
  };
  run_pool(1, Pace{}, job, callbacks);
  return out;
}

void print_relay(const json& cost) {
  fmt::print("relay engine by itself, {} sessions and {} tunnels:\n", cost.at("sessions").get<size_t>(),
             cost.at("tunnels").get<size_t>());
  fmt::print("  {:.2f} M messages/s of 32 B, {:.2f} M of {} B ({:.0f} MB/s), {:.0f} k calls/s\n",
             cost.at("messages_per_s").get<double>() / 1e6, cost.at("large_messages_per_s").get<double>() / 1e6,
             RelayCost::large_bytes, cost.at("large_bytes_per_s").get<double>() / 1e6,
             cost.at("calls_per_s").get<double>() / 1e3);
  fmt::print("  memory: {:.0f} B per session, {:.0f} B per tunnel\n", cost.at("bytes_per_session").get<double>(),
             cost.at("bytes_per_tunnel").get<double>());
}

int bench(const Options& options) {
  const auto overrides = parse_overrides(options.sets);
  if (!overrides) return exit_usage;
  catch_interrupts();
  if (!can_write({options.json})) return exit_usage;
  JsonOutput output(options.json);
  json all = json::array();
  bool relays = false;
  for (const std::string& file : options.files) {
    const auto variants = load_scenario(file, *overrides);
    if (!variants) return exit_usage;
    for (const auto& variant : *variants) {
      const auto result = bench_scenario(file, variant, options);
      if (interrupted()) return exit_interrupted;
      if (!result) return exit_internal;
      all.push_back(*result);
      relays = relays || !variant.scenario.relays.empty();
    }
  }
  if (relays) {
    const auto cost = bench_relay(1000, 10'000);
    if (interrupted()) return exit_interrupted;
    if (!cost) return exit_internal;
    print_relay(*cost);
    all.push_back(json{{"relay", *cost}});
  }
  return output.write(all.dump(2)) ? exit_pass : exit_usage;
}

}  // namespace

void add_bench_command(CLI::App& app, int& code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("bench", "Measure the speed of the sim ground against bare ns-3");
  command->add_option("FILE", options->files, "scenarios to measure");
  command->add_option("--rounds", options->rounds, "measurements of each side; the median counts")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "of every run")->capture_default_str();
  command->add_option("--set", options->sets, "override a value: PATH=VALUE");
  command->add_option("--json", options->json, "also write the measurements as JSON; - for standard output");
  command->footer(
      "Each round runs the scenario, then sends the same bytes at the same times with plain ns-3 sockets:\n"
      "over the network distlab uses (bare), and over ns-3's own links and IP routers (stock). CPU seconds\n"
      "are compared. Over relays, the cryptography of the run is done again by itself, and the relay's\n"
      "engine is measured alone. Codecs and other engines: the programs *_bench (configure with\n"
      "DISTLAB_BENCH=ON).\n"
      "Real sockets, and the emu ground: distlab bench real.\n"
      "Example: distlab bench scenarios/bench/mesh-100.yaml");
  command->require_subcommand(0, 1);
  add_bench_real_command(*command, code);
  add_bench_beam_command(*command, code);
  command->callback([options, command, &code] {
    if (!command->get_subcommands().empty()) return;
    if (options->files.empty()) throw CLI::RequiredError("FILE");
    code = bench(*options);
  });
}

}  // namespace distlab::cli
