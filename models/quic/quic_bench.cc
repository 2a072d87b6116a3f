// What QUIC costs in memory: handshakes, bulk data, and small messages through many connections.
#include <cstdlib>

#include <benchmark/benchmark.h>

#include "models/quic/testing/peers.h"

namespace {

using namespace distlab;
using namespace std::chrono_literals;
using quic::StreamId;
using quic::testing::Pair;
using quic::testing::Peer;

void require(bool condition) {
  if (!condition) std::abort();
}

// Both ends of a handshake, with credentials loaded once.
void handshake(benchmark::State& state) {
  Pair pair;
  pair.world.set_max_events(UINT64_MAX);
  if (state.range(0) != 0) {
    pair.client_settings.verify = quic::TlsVerify::peer;
    pair.client_settings.server_name = "relay.test";
    pair.client_settings.credentials = quic::ClientCredentials::load(quic::testing::authority().certificate()).value();
  }
  pair.listen();
  for (auto _ : state) {
    pair.dial();
    require(pair.world.run_until([&] { return pair.client.connects == 1; }, 5s));
    pair.client.connects = 0;
    pair.client.connection.reset();
    pair.servers.clear();
  }
  state.SetItemsProcessed(int64_t(state.iterations()));
}

// One way over one stream, both ends on one core.
void bulk(benchmark::State& state) {
  Pair pair;
  pair.world.set_max_events(UINT64_MAX);
  pair.world.set_default_delay(1ms);
  require(pair.connect());
  const StreamId stream = pair.client.connection->open_stream().value();
  size_t arrived = 0;
  pair.server().on_data = [&](StreamId id, Bytes data, bool) {
    arrived += data.size();
    pair.server().received[id].clear();
  };
  const std::string piece(1 << 20, 'x');
  size_t wanted = 0;
  for (auto _ : state) {
    wanted += pair.client.write(stream, piece);
    require(pair.world.run_until([&] { return arrived >= wanted; }, 1min));
  }
  state.SetBytesProcessed(int64_t(wanted));
}

// A server with many connections, each echoing a small message now and then, as a relay's sessions do.
void sessions(benchmark::State& state) {
  constexpr size_t count = 100;
  Pair pair;
  pair.world.set_max_events(UINT64_MAX);
  pair.listen();
  std::vector<std::unique_ptr<Peer>> clients;
  std::vector<StreamId> streams;
  for (size_t i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<Peer>());
    clients[i]->connection =
        pair.client_socket->connect(quic::testing::server_endpoint, pair.client_settings, *clients[i]);
  }
  require(pair.world.run_until([&] { return pair.servers.size() == count; }, 10s));
  pair.world.run_for(1s);
  for (const auto& server : pair.servers) {
    server->on_data = [&server](StreamId stream, Bytes data, bool) { server->connection->write(stream, data); };
  }
  for (const auto& client : clients) streams.push_back(client->connection->open_stream().value());
  const std::string message(300, 'x');
  for (auto _ : state) {
    for (size_t i = 0; i < count; ++i) clients[i]->write(streams[i], message);
    pair.world.run_for(1s);
  }
  state.SetItemsProcessed(int64_t(state.iterations() * count));
}

}  // namespace

BENCHMARK(handshake)->ArgName("verify")->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);
BENCHMARK(bulk)->Unit(benchmark::kMillisecond);
BENCHMARK(sessions)->Unit(benchmark::kMillisecond);

BENCHMARK_MAIN();
