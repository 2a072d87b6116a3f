// The relay engine's own rate, without QUIC. Its memory and the same rates beside a scenario's: `distlab bench`.
#include <cstdlib>

#include <benchmark/benchmark.h>

#include "models/mesh/relay_load.h"

namespace distlab::mesh {
namespace {

// As many sessions as given, with a tunnel each; one pair talks.
void publish(benchmark::State& state) {
  const auto payload = size_t(state.range(0)), sessions = size_t(state.range(1));
  RelayLoad load(sessions);
  load.add_tunnels(sessions);
  for (auto _ : state) {
    if (load.publish(1, payload) < payload) std::abort();
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

// A call and its answer.
void call(benchmark::State& state) {
  RelayLoad load(2);
  for (auto _ : state) {
    if (load.call(1) == 0) std::abort();
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(publish)->Args({32, 2})->Args({1488, 2})->Args({1488, 1000})->Args({1488, 10000});
BENCHMARK(call);

}  // namespace
}  // namespace distlab::mesh

BENCHMARK_MAIN();
