#include "real/bench/relay_process.h"

#include <algorithm>
#include <chrono>
#include <functional>

#include "models/mesh/relay.h"
#include "models/quic/credentials.h"
#include "real/asio_host.h"
#include "real/bench/host_options.h"

namespace distlab::bench {
namespace {

constexpr Duration report_interval = std::chrono::milliseconds{10};

mesh::RelaySettings settings(Host& host, uint16_t port, size_t sessions) {
  quic::Secret secret;
  host.fill_secret(secret);
  mesh::RelaySettings out;
  out.port = port;
  out.credentials = quic::ServerCredentials::load(quic::self_signed({"localhost", {"localhost"}}, secret)).value();
  // All nodes live at one address here.
  mesh::RelayLimits& limits = out.limits;
  limits.sessions = std::max(limits.sessions, sessions);
  limits.sessions_per_address = limits.sessions;
  return out;
}

void report(const mesh::RelayStats& stats, RelayCounts& counts) {
  counts.sessions = stats.sessions;
  counts.subscriptions = stats.subscriptions;
  counts.frames_in = stats.frames_in;
  counts.bytes_in = stats.bytes_in;
  counts.frames_out = stats.frames_out;
  counts.bytes_out = stats.bytes_out;
  counts.queued_bytes = stats.queued_bytes;
  uint64_t dropped = 0;
  for (const auto& reason : stats.dropped) dropped += reason.messages;
  counts.dropped = dropped;
}

}  // namespace

int run_relay(Board& board, uint16_t port, size_t sessions) {
  real::AsioLoop loop;
  real::AsioHost host(loop, host_options("relay"));
  const mesh::Relay relay(host, settings(host, port, sessions));
  board.relay.state = relay.listening() ? 1 : 2;
  if (!relay.listening()) return 1;
  Timer timer(host);
  const std::function<void()> tick = [&] {
    report(relay.stats(), board.relay);
    timer.start(report_interval, tick);
  };
  tick();
  loop.run();
  return 0;
}

}  // namespace distlab::bench
