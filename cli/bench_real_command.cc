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

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/outputs.h"
#include "cli/pool.h"
#include "cli/progress.h"
#include "models/host/time.h"
#include "real/bench/emu_capacity.h"
#include "real/bench/relay_bench.h"
#include "real/emu/network.h"

namespace distlab::cli {
namespace {

using bench::EmuCapacity;
using bench::EmuStep;
using bench::Flood;
using nlohmann::json;

struct Options {
  size_t sessions = 500;
  size_t tunnels = 2'000;
  size_t loads = 1;
  size_t window = 1;
  double seconds = 2;
  size_t rounds = 3;
  std::string only;
  std::string json;
  bool quiet = false;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

template <typename Value>
double median_of(const std::vector<Flood>& rounds, Value value) {
  std::vector<double> values;
  for (const Flood& flood : rounds) values.push_back(value(flood));
  return median(std::move(values));
}

Flood median_of(const std::vector<Flood>& rounds) {
  Flood out;
  for (double Flood::*field : {&Flood::messages_per_s, &Flood::bytes_per_s, &Flood::p50_s, &Flood::p99_s,
                               &Flood::forwarder_cpu, &Flood::load_cpu, &Flood::others_cpu, &Flood::frames_per_message})
    out.*field = median_of(rounds, [&](const Flood& flood) { return flood.*field; });
  return out;
}

double cpu_per_message(const std::vector<Flood>& rounds) {
  return median_of(rounds, [](const Flood& flood) { return flood.cpu_per_message_s(); });
}

Duration from_seconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

double milliseconds(Duration time) {
  return to_seconds(time) * 1e3;
}

// ---- what a person reads

void print_flood(const std::string& name, const std::vector<Flood>& rounds) {
  const Flood flood = median_of(rounds);
  fmt::print("  {:<18} {:8.0f} messages/s {:7.1f} MB/s   {:6.2f} us CPU per message   {:3.0f} % of a core\n", name,
             flood.messages_per_s, flood.bytes_per_s / 1e6, cpu_per_message(rounds) * 1e6, flood.forwarder_cpu * 100);
}

void print_latency(const std::string& name, const Flood& flood) {
  fmt::print("  {:<18} p50 {:.1f} ms, p99 {:.1f} ms\n", name, flood.p50_s * 1e3, flood.p99_s * 1e3);
}

void print_size(const bench::Size& size) {
  fmt::print("messages of {} B, frames of {} B at the relay:\n", size.payload, size.frame_bytes);
  print_flood("relay", size.relay);
  print_flood("bare QUIC", size.quic);
  print_flood("bare UDP", size.udp);
  const double relay = cpu_per_message(size.relay);
  const Flood median = median_of(size.relay);
  fmt::print("  {:<18} {:.2f} to bare QUIC, {:.1f} to bare UDP, of CPU per message\n", "ratio",
             relay / cpu_per_message(size.quic), relay / cpu_per_message(size.udp));
  fmt::print("  {:<18} {:.0f} messages/s if the relay had a core to itself; {:.2f} frames per message\n", "by its CPU",
             1 / relay, median.frames_per_message);
  fmt::print("  {:<18} the load {:.0f} % of a core, others {:.0f} %\n", "beside the relay", median.load_cpu * 100,
             median.others_cpu * 100);
  print_latency("latency", median);
}

void print_relay(const bench::RelayBenchResult& result) {
  fmt::print("relay on real sockets, {} sessions and {} tunnels of native nodes over loopback, median of {} rounds\n",
             result.sessions, result.tunnels, result.paced.size());
  for (const bench::Size& size : result.sizes) print_size(size);
  const Flood paced = median_of(result.paced);
  fmt::print("at {:.0f} messages/s of {} B:\n", result.paced_rate, result.sizes.front().payload);
  print_flood("relay", result.paced);
  print_latency("latency", paced);
  const auto per = [](uint64_t from, uint64_t to, size_t count) {
    return (static_cast<double>(to) - static_cast<double>(from)) / 1e3 / static_cast<double>(count);
  };
  const bench::Memory& memory = result.memory;
  fmt::print(
      "memory of the relay: {:.1f} kB per session, {:.2f} kB per tunnel; {:.1f} MB when set up, {:.1f} MB after\n",
      per(memory.empty, memory.with_sessions, result.sessions),
      per(memory.with_sessions, memory.with_tunnels, result.tunnels), static_cast<double>(memory.with_tunnels) / 1e6,
      static_cast<double>(memory.after_load) / 1e6);
  const bench::Ledger& ledger = result.ledger;
  fmt::print("ledger: {} sent, {} received, {} missing, {} twice, {} garbled, {} dropped by the relay: {}\n",
             ledger.sent, ledger.received, ledger.missing, ledger.duplicates, ledger.garbled, ledger.relay_dropped,
             ledger.clean() ? "nothing lost" : "NOT CLEAN");
}

void print_emu(const std::string& kind, const EmuCapacity& capacity) {
  const EmuStep& best = capacity.best;
  fmt::print("emu through {} ports: {:.0f} packets/s, late p50 {:.2f} ms, p99 {:.2f} ms, max {:.2f} ms\n", kind,
             best.carried_per_s, milliseconds(best.late_p50), milliseconds(best.late_p99), milliseconds(best.late_max));
  const auto print_cost = [](const std::string& name, const EmuStep& step, const char* more) {
    fmt::print(
        "  {:<18} {:8.0f} packets/s, {:.2f} us CPU of the network per packet, {:.0f} % of a core; others {:.0f} %{}\n",
        name, step.carried_per_s, step.carried_per_s > 0 ? step.network_cpu / step.carried_per_s * 1e6 : 0,
        step.network_cpu * 100, step.others_cpu * 100, more);
  };
  print_cost("most tries", best, capacity.limited_by_generator ? "; the generator could not send more" : "");
  print_cost("the best try", capacity.peak, "");
}

// ---- what a program reads

json to_json(const std::vector<Flood>& rounds) {
  json out = json::array();
  for (const Flood& flood : rounds) {
    out.push_back({{"messages_per_s", flood.messages_per_s},
                   {"bytes_per_s", flood.bytes_per_s},
                   {"p50_s", flood.p50_s},
                   {"p99_s", flood.p99_s},
                   {"cpu", flood.forwarder_cpu},
                   {"cpu_per_message_s", flood.cpu_per_message_s()},
                   {"load_cpu", flood.load_cpu},
                   {"others_cpu", flood.others_cpu},
                   {"frames_per_message", flood.frames_per_message}});
  }
  return out;
}

json to_json(const bench::RelayBenchResult& result) {
  json sizes = json::array();
  for (const bench::Size& size : result.sizes) {
    sizes.push_back({{"payload", size.payload},
                     {"frame_bytes", size.frame_bytes},
                     {"relay", to_json(size.relay)},
                     {"quic", to_json(size.quic)},
                     {"udp", to_json(size.udp)}});
  }
  const bench::Memory& memory = result.memory;
  const bench::Ledger& ledger = result.ledger;
  return {{"sessions", result.sessions},
          {"tunnels", result.tunnels},
          {"sizes", sizes},
          {"paced_rate", result.paced_rate},
          {"paced", to_json(result.paced)},
          {"memory",
           {{"empty", memory.empty},
            {"with_sessions", memory.with_sessions},
            {"with_tunnels", memory.with_tunnels},
            {"after_load", memory.after_load}}},
          {"ledger",
           {{"sent", ledger.sent},
            {"received", ledger.received},
            {"missing", ledger.missing},
            {"duplicates", ledger.duplicates},
            {"garbled", ledger.garbled},
            {"relay_dropped", ledger.relay_dropped},
            {"clean", ledger.clean()}}}};
}

json to_json(const EmuStep& step) {
  return {{"offered_per_s", step.offered_per_s},
          {"carried_per_s", step.carried_per_s},
          {"sent", step.sent},
          {"received", step.received},
          {"duplicates", step.duplicates},
          {"late_p50_ns", step.late_p50.count()},
          {"late_p99_ns", step.late_p99.count()},
          {"late_max_ns", step.late_max.count()},
          {"network_cpu", step.network_cpu},
          {"others_cpu", step.others_cpu},
          {"in_time", step.in_time}};
}

json to_json(const EmuCapacity& capacity) {
  json tries = json::array();
  for (const EmuStep& step : capacity.tries) tries.push_back(to_json(step));
  return {{"best", to_json(capacity.best)}, {"limited_by_generator", capacity.limited_by_generator}, {"tries", tries}};
}

// ---- the two halves

using OnProgress = std::function<bool(const std::string& what, double share)>;

OnProgress on_progress(const Options& options) {
  auto progress = std::make_shared<Progress>("bench real", 1, options.quiet);
  return [progress, last = std::string()](const std::string& what, double share) mutable {
    if (what != last) progress->step("bench real: " + what);
    last = what;
    progress->update(0, share);
    return !interrupted();
  };
}

int fail(const std::string& what, const std::string& why) {
  fmt::print(stderr, "distlab: bench real: {}: {}\n", what, why);
  return exit_internal;
}

int relay_half(const Options& options, json& out) {
  bench::RelayBenchOptions wanted;
  wanted.sessions = options.sessions;
  wanted.tunnels = options.tunnels;
  wanted.loads = options.loads;
  wanted.window = options.window;
  wanted.seconds = from_seconds(options.seconds);
  wanted.rounds = options.rounds;
  wanted.on_progress = on_progress(options);
  const auto result = bench::bench_relay(wanted);
  wanted.on_progress = {};  // takes its line away
  if (!result) return fail("relay", result.error());
  if (result->interrupted) return exit_interrupted;
  print_relay(*result);
  out["relay"] = to_json(*result);
  return result->ledger.clean() ? exit_pass : exit_failed;
}

int emu_half(const Options& options, json& out) {
  using Kind = lab::Attachment::Kind;
  for (const auto& [name, kind] : {std::pair{"TUN", Kind::tun}, std::pair{"veth", Kind::veth}}) {
    bench::EmuOptions wanted;
    wanted.seconds = from_seconds(options.seconds);
    wanted.make_wan = [kind = kind](const scenario::Scenario& scenario) {
      return emu::make_network(scenario, {.ports = kind});
    };
    wanted.on_progress = on_progress(options);
    const auto capacity = bench::bench_emu(wanted);
    wanted.on_progress = {};
    if (!capacity) return fail(fmt::format("emu through {} ports", name), capacity.error());
    if (capacity->interrupted) return exit_interrupted;
    print_emu(name, *capacity);
    out["emu"][name] = to_json(*capacity);
  }
  return exit_pass;
}

int bench_real(const Options& options) {
  if (const size_t most = options.sessions * ((options.sessions - 1) / 2); options.tunnels > most) {
    fmt::print(stderr, "distlab: --tunnels: with {} sessions there can be {} at most\n", options.sessions, most);
    return exit_usage;
  }
  if (options.loads > options.sessions) {
    fmt::print(stderr, "distlab: --loads: more processes than sessions\n");
    return exit_usage;
  }
  catch_interrupts();
  if (!can_write({options.json})) return exit_usage;
  JsonOutput output(options.json);
  json out = {{"cores", std::thread::hardware_concurrency()}};
  int code = exit_pass;
  if (options.only != "emu") code = relay_half(options, out);
  if ((code == exit_pass || code == exit_failed) && options.only != "relay")
    if (const int emu = emu_half(options, out); emu != exit_pass) code = emu;
  if (code == exit_interrupted) fmt::print(stderr, "distlab: interrupted\n");
  if (code != exit_pass && code != exit_failed) return code;
  return output.write(out.dump(2)) ? code : exit_usage;
}

}  // namespace

void add_bench_real_command(CLI::App& bench, int& code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = bench.add_subcommand("real", "Measure a relay on real sockets, and the emu ground's network");
  command->add_option("--sessions", options->sessions, "nodes, each with a session of the relay")
      ->check(CLI::Range(3, 10'000))
      ->capture_default_str();
  command->add_option("--tunnels", options->tunnels, "between pairs of nodes")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command->add_option("--loads", options->loads, "processes that have the nodes")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  command->add_option("--window", options->window, "messages under way in each direction of a tunnel, at saturation")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  command->add_option("--seconds", options->seconds, "of each measurement")
      ->check(CLI::Range(0.1, 3'600.0))
      ->capture_default_str();
  command->add_option("--rounds", options->rounds, "measurements of each kind; the median counts")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  command->add_option("--only", options->only, "one half: relay or emu")->check(CLI::IsMember({"relay", "emu"}));
  command->add_option("--json", options->json, "also write the measurements as JSON; - for standard output");
  command->add_flag("--quiet", options->quiet, "no progress");
  command->footer(
      "relay: native nodes send each other numbered Erlang messages through tunnels over one relay, all on\n"
      "this machine; beside it, forwarders of bare QUIC and bare UDP with as much under way. Exit code 1 if\n"
      "any message was lost, came twice or was garbled.\n"
      "emu: packets per second through ns-3 in real time before it is late (10 ms at the 99th percentile) or\n"
      "loses any. Needs what `run --ground emu` needs.\n"
      "Example: distlab bench real --sessions 100 --tunnels 400 --only relay");
  command->callback([options, &bench, &code] {
    if (bench.get_option("FILE")->count() > 0) throw CLI::ExcludesError("FILE", "real");
    code = bench_real(*options);
  });
}

}  // namespace distlab::cli
