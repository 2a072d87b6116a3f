#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/beside.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/outputs.h"
#include "cli/pool.h"
#include "cli/progress.h"
#include "models/host/time.h"
#include "real/bench/beam_bench.h"

namespace distlab::cli {
namespace {

using bench::BeamBenchResult;
using bench::CallRound;
using bench::FloodRound;
using bench::Part;
using bench::Way;
using bench::WayResult;
using nlohmann::json;

// The targets of the relay tunnel: goodput beside TLS distribution, latency beside plain TCP.
constexpr double least_goodput_of_tls = 0.5;
constexpr double most_added_s = 300e-6;

struct Options {
  std::vector<std::string> ways;
  std::vector<size_t> messages = {65'536, 1'048'576};
  size_t call = 64;
  size_t window = 4'194'304;
  double seconds = 2;
  size_t rounds = 3;
  bool quick = false;
  std::string json;
  bool quiet = false;
};

std::string named(Way way) {
  switch (way) {
    case Way::tcp:
      return "inet_tcp_dist";
    case Way::tls:
      return "TLS distribution";
    case Way::macula:
      return "relay, macula";
    case Way::unmodified:
      return "relay, unmodified";
  }
  return "";
}

template <typename Round, typename Value>
double median_of(const std::vector<Round>& rounds, Value value) {
  std::vector<double> values;
  for (const Round& round : rounds) values.push_back(value(round));
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

double p50(const WayResult& way) {
  return median_of(way.calls, [](const CallRound& round) { return round.p50_s; });
}
double p99(const WayResult& way) {
  return median_of(way.calls, [](const CallRound& round) { return round.p99_s; });
}
double goodput(const std::vector<FloodRound>& rounds) {
  return median_of(rounds, [](const FloodRound& round) { return round.bytes_per_s; });
}

template <typename Round>
double cpu_of(const std::vector<Round>& rounds, bench::PartTimes Round::*times, Part part) {
  return median_of(rounds, [&](const Round& round) { return to_seconds((round.*times)[static_cast<size_t>(part)]); });
}

const WayResult* find(const BeamBenchResult& result, Way way) {
  const auto found =
      std::find_if(result.ways.begin(), result.ways.end(), [&](const WayResult& one) { return one.way == way; });
  return found == result.ways.end() ? nullptr : &*found;
}

bool relayed(Way way) {
  return way == Way::macula || way == Way::unmodified;
}

// ---- what a person reads

// CPU of each process in microseconds, as "beams 20+20, agents 30+31, relay 25".
template <typename Round>
std::string cpu_text(Way way, const std::vector<Round>& rounds, bench::PartTimes Round::*times, double unit) {
  const auto of = [&](Part part) { return cpu_of(rounds, times, part) / unit; };
  std::string out = fmt::format("BEAMs {:.1f} + {:.1f}", of(Part::near_beam), of(Part::far_beam));
  if (relayed(way))
    out += fmt::format(", agents {:.1f} + {:.1f}, relay {:.1f}", of(Part::near_agent), of(Part::far_agent),
                       of(Part::relay));
  return out;
}

void print_calls(const BeamBenchResult& result, size_t bytes) {
  fmt::print("gen_server:call of {} B, one after the other:\n", bytes);
  const WayResult* const tcp = find(result, Way::tcp);
  for (const WayResult& way : result.ways) {
    std::string beside;
    if (tcp != nullptr && &way != tcp)
      beside = fmt::format(", {:+.0f} us, {:.1f} times TCP", (p50(way) - p50(*tcp)) * 1e6, p50(way) / p50(*tcp));
    fmt::print("  {:<18} p50 {:6.0f} us, p99 {:6.0f} us{}\n", named(way.way), p50(way) * 1e6, p99(way) * 1e6, beside);
    fmt::print("  {:<18} CPU per call in us: {}\n", "", cpu_text(way.way, way.calls, &CallRound::cpu_per_call, 1e-6));
  }
}

void print_floods(const BeamBenchResult& result, size_t size, size_t bytes) {
  fmt::print("messages of {} B:\n", bytes);
  const WayResult* const tls = find(result, Way::tls);
  for (const WayResult& way : result.ways) {
    std::string beside;
    if (tls != nullptr && &way != tls)
      beside = fmt::format(", {:.2f} times TLS", goodput(way.floods[size]) / goodput(tls->floods[size]));
    const double cores = median_of(way.floods[size], [](const FloodRound& round) { return round.machine_cpu; });
    fmt::print("  {:<18} {:7.1f} MB/s{}; {:.1f} cores busy\n", named(way.way), goodput(way.floods[size]) / 1e6, beside,
               cores);
    fmt::print("  {:<18} CPU per MB in ms: {}\n", "",
               cpu_text(way.way, way.floods[size], &FloodRound::cpu_per_megabyte, 1e-3));
  }
}

struct Reached {
  std::optional<double> goodput_of_tls;  // the worst of all sizes
  std::optional<double> added_s;
};

Reached reached(const BeamBenchResult& result) {
  Reached out;
  const WayResult *const tcp = find(result, Way::tcp), *const tls = find(result, Way::tls),
                         *const relay = find(result, Way::macula);
  if (relay != nullptr && tcp != nullptr) out.added_s = p50(*relay) - p50(*tcp);
  if (relay == nullptr || tls == nullptr) return out;
  for (size_t size = 0; size < tls->floods.size(); ++size) {
    const double ratio = goodput(relay->floods[size]) / goodput(tls->floods[size]);
    out.goodput_of_tls = std::min(out.goodput_of_tls.value_or(ratio), ratio);
  }
  return out;
}

void print_targets(const BeamBenchResult& result) {
  const Reached have = reached(result);
  const auto verdict = [](bool met) { return met ? "met" : "missed"; };
  if (have.goodput_of_tls)
    fmt::print("target: relay's goodput at least {:.1f} times TLS: {:.2f}, {}\n", least_goodput_of_tls,
               *have.goodput_of_tls, verdict(*have.goodput_of_tls >= least_goodput_of_tls));
  if (have.added_s)
    fmt::print("target: relay's p50 at most {:.0f} us above TCP: {:.0f} us, {}\n", most_added_s * 1e6,
               *have.added_s * 1e6, verdict(*have.added_s <= most_added_s));
}

// ---- what a program reads

json parts_json(const bench::PartTimes& times) {
  json out = json::object();
  for (const Part part : bench::all_parts) {
    const Duration time = times[static_cast<size_t>(part)];
    if (time.count() != 0) out[std::string(to_string(part))] = to_seconds(time);
  }
  return out;
}

json to_json(const BeamBenchResult& result, const bench::BeamBenchOptions& wanted) {
  json ways = json::array();
  for (const WayResult& way : result.ways) {
    json one{{"way", std::string(to_string(way.way))}, {"calls", json::array()}, {"messages", json::array()}};
    for (const CallRound& round : way.calls) {
      one["calls"].push_back({{"calls", round.calls},
                              {"p50_s", round.p50_s},
                              {"p99_s", round.p99_s},
                              {"mean_s", round.mean_s},
                              {"cpu_per_call_s", parts_json(round.cpu_per_call)}});
    }
    for (size_t size = 0; size < way.floods.size(); ++size) {
      json rounds = json::array();
      for (const FloodRound& round : way.floods[size])
        rounds.push_back({{"bytes_per_s", round.bytes_per_s},
                          {"machine_cpu", round.machine_cpu},
                          {"cpu_per_megabyte_s", parts_json(round.cpu_per_megabyte)}});
      one["messages"].push_back({{"bytes", wanted.message_bytes[size]}, {"rounds", rounds}});
    }
    ways.push_back(std::move(one));
  }
  const Reached have = reached(result);
  json out{{"cores", std::thread::hardware_concurrency()},
           {"call_bytes", wanted.call_bytes},
           {"window_bytes", wanted.window_bytes},
           {"ways", ways}};
  if (have.goodput_of_tls) out["relay_goodput_of_tls"] = *have.goodput_of_tls;
  if (have.added_s) out["relay_added_p50_s"] = *have.added_s;
  return out;
}

// ---- the command

Duration from_seconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

bench::BeamBenchOptions wanted_of(const Options& options) {
  const std::string here = beside_us("");
  bench::BeamBenchOptions out;
  out.programs = {.daemon = here + "distlab-daemon", .applications = here + "../real/beam"};
  if (!options.ways.empty()) out.ways.clear();
  for (const Way way : bench::all_ways)
    if (std::find(options.ways.begin(), options.ways.end(), to_string(way)) != options.ways.end())
      out.ways.push_back(way);
  out.call_bytes = options.call;
  out.message_bytes = options.messages;
  out.window_bytes = options.window;
  out.rounds = options.quick ? 1 : options.rounds;
  out.seconds = options.quick ? std::chrono::milliseconds{300} : from_seconds(options.seconds);
  out.warm_up =
      options.quick ? std::chrono::milliseconds{100} : std::min<Duration>(out.seconds / 4, std::chrono::seconds{1});
  return out;
}

int bench_beam(const Options& options) {
  catch_interrupts();
  if (!can_write({options.json})) return exit_usage;
  JsonOutput output(options.json);
  bench::BeamBenchOptions wanted = wanted_of(options);
  Progress progress("bench beam", 1, options.quiet);
  wanted.on_progress = [&progress, last = std::string()](const std::string& what, double share) mutable {
    if (what != last) progress.step("bench beam: " + what);
    last = what;
    progress.update(0, share);
    return !interrupted();
  };
  const auto result = bench::bench_beam(wanted);
  wanted.on_progress = {};
  if (!result) {
    fmt::print(stderr, "distlab: bench beam: {}\n", result.error());
    return result.error().find("erlang-base") != std::string::npos ? exit_unavailable : exit_internal;
  }
  if (result->interrupted) {
    fmt::print(stderr, "distlab: interrupted\n");
    return exit_interrupted;
  }
  fmt::print("two BEAMs on this machine, {} cores, median of {} rounds\n", std::thread::hardware_concurrency(),
             wanted.rounds);
  print_calls(*result, wanted.call_bytes);
  for (size_t size = 0; size < wanted.message_bytes.size(); ++size)
    print_floods(*result, size, wanted.message_bytes[size]);
  print_targets(*result);
  return output.write(to_json(*result, wanted).dump(2)) ? exit_pass : exit_usage;
}

}  // namespace

void add_bench_beam_command(CLI::App& bench, int& code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = bench.add_subcommand("beam", "Measure two real Erlang nodes over TCP, TLS and a relay");
  command->add_option("--ways", options->ways, "only these: tcp, tls, macula, unmodified")
      ->delimiter(',')
      ->check(CLI::IsMember({"tcp", "tls", "macula", "unmodified"}));
  command->add_option("--messages", options->messages, "sizes of messages in bytes, for the goodput")
      ->delimiter(',')
      ->check(CLI::Range(1, 64 << 20))
      ->capture_default_str();
  command->add_option("--window", options->window, "bytes of messages under way")
      ->check(CLI::Range(1, 1 << 30))
      ->capture_default_str();
  command->add_option("--call", options->call, "bytes of a call's argument")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  command->add_option("--seconds", options->seconds, "of each measurement")
      ->check(CLI::Range(0.1, 3'600.0))
      ->capture_default_str();
  command->add_option("--rounds", options->rounds, "measurements of each kind; the median counts")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  command->add_flag("--quick", options->quick, "one round of 0.3 s: does it work?");
  command->add_option("--json", options->json, "also write the measurements as JSON; - for standard output");
  command->add_flag("--quiet", options->quiet, "no progress");
  command->footer(
      "Two OTP nodes on this machine call each other and send messages, over\n"
      "  tcp         OTP's inet_tcp_dist\n"
      "  tls         OTP's TLS distribution, both sides verified, with certificates made for the occasion\n"
      "  macula      the carrier macula: node, agent, relay, agent, node\n"
      "  unmodified  the same, the agents playing EPMD and listener\n"
      "The ways take turns. CPU is that of whole processes, warming up included.\n"
      "Example: distlab bench beam --ways tcp,macula --rounds 5");
  command->callback([options, &bench, &code] {
    if (bench.get_option("FILE")->count() > 0) throw CLI::ExcludesError("FILE", "beam");
    code = bench_beam(*options);
  });
}

}  // namespace distlab::cli
