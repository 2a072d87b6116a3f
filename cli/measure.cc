#include "cli/measure.h"

#include <string>
#include <variant>

#include <malloc.h>
#include <sys/resource.h>

#include "models/host/event_kinds.h"
#include "models/mesh/relay_load.h"
#include "sim/crypto_cost.h"
#include "sim/ground.h"
#include "sim/traffic.h"

namespace distlab::cli {
namespace {

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
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

// Of memory in use, as the allocator counts it.
double allocated() {
  return static_cast<double>(mallinfo2().uordblks);
}

// How often per second `work`, done `count` times, can be done.
template <typename Work>
double rate(size_t count, Work work) {
  work(count / 10);  // warm
  const double before = cpu_seconds();
  work(count);
  return static_cast<double>(count) / (cpu_seconds() - before);
}

}  // namespace

std::optional<WholeCost> measure_whole(const scenario::Scenario& scenario, uint64_t seed) {
  const double before = cpu_seconds();
  const auto ran = sim::run(scenario, {.seed = seed}, [](const results::EventRecord&) {});
  if (!ran) return std::nullopt;
  return WholeCost{cpu_seconds() - before, ran->packets};
}

// The run that notes down what is written is not measured.
std::optional<BareCost> measure_bare(const scenario::Scenario& scenario, uint64_t seed) {
  sim::TrafficLog log;
  sim::TunnelTraffic tunnels;
  sim::RunOptions options{.seed = seed};
  options.traffic_log = &log;
  const auto count = [&](const results::EventRecord& event) {
    const sim::TunnelTraffic more = tunnel_traffic(event);
    tunnels.messages += more.messages;
    tunnels.bytes += more.bytes;
  };
  if (!sim::run(scenario, options, count)) return std::nullopt;
  BareCost cost{.tunnel_messages = tunnels.messages};
  const double start = cpu_seconds();
  cost.ours_packets = sim::replay(scenario, seed, log, sim::ReplayNetwork::ours).packets;
  const double ours = cpu_seconds();
  cost.stock_packets = sim::replay(scenario, seed, log, sim::ReplayNetwork::stock).packets;
  const double stock = cpu_seconds();
  if (!scenario.relays.empty()) sim::do_cryptography(log, tunnels);
  cost.ours_cpu_s = ours - start;
  cost.stock_cpu_s = stock - ours;
  cost.crypto_cpu_s = cpu_seconds() - stock;
  return cost;
}

RelayCost measure_relay(size_t sessions, size_t tunnels) {
  RelayCost cost;
  const double empty = allocated();
  mesh::RelayLoad load(sessions);
  const double joined = allocated();
  load.add_tunnels(tunnels);
  cost.bytes_per_session = (joined - empty) / static_cast<double>(sessions);
  cost.bytes_per_tunnel = (allocated() - joined) / static_cast<double>(tunnels);
  cost.messages_per_s = rate(1'000'000, [&](size_t n) { load.publish(n, 32); });
  cost.large_messages_per_s = rate(1'000'000, [&](size_t n) { load.publish(n, RelayCost::large_bytes); });
  cost.large_bytes_per_s = cost.large_messages_per_s * static_cast<double>(RelayCost::large_bytes);
  cost.calls_per_s = rate(100'000, [&](size_t n) { load.call(n); });
  return cost;
}

}  // namespace distlab::cli
