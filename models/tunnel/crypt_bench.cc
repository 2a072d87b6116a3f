// What one tunnel message costs in encryption, beside the nonce it needs.
#include <cstdlib>
#include <vector>

#include <benchmark/benchmark.h>

#include "models/host/test_host.h"
#include "models/tunnel/crypt.h"

namespace {

using namespace distlab::tunnel;

void seal(benchmark::State& state) {
  Cipher cipher(tunnel_key("cookie"));
  const std::vector<uint8_t> plaintext(size_t(state.range(0)), 'x');
  Nonce nonce{};
  for (auto _ : state) {
    ++nonce[0];
    benchmark::DoNotOptimize(cipher.seal(nonce, plaintext).data());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void open(benchmark::State& state) {
  Cipher cipher(tunnel_key("cookie"));
  const std::vector<uint8_t> plaintext(size_t(state.range(0)), 'x');
  const auto sealed = cipher.seal(Nonce{}, plaintext);
  const std::vector<uint8_t> message(sealed.begin(), sealed.end());
  for (auto _ : state) {
    if (!cipher.open(message)) std::abort();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void open_garbage(benchmark::State& state) {
  Cipher cipher(tunnel_key("cookie"));
  const std::vector<uint8_t> message(size_t(state.range(0)) + overhead, 'x');
  for (auto _ : state) {
    if (cipher.open(message)) std::abort();
  }
}

void make_cipher(benchmark::State& state) {
  const Key key = tunnel_key("cookie");
  for (auto _ : state) benchmark::DoNotOptimize(Cipher(key));
}

void nonce(benchmark::State& state) {
  distlab::TestWorld world;
  distlab::TestHost& host = world.add_host("a", distlab::Ipv4{0x0a000001});
  Nonce nonce;
  for (auto _ : state) {
    host.fill_secret(nonce);
    benchmark::DoNotOptimize(nonce);
  }
}

}  // namespace

BENCHMARK(seal)->Arg(4)->Arg(32)->Arg(256)->Arg(1460);
BENCHMARK(open)->Arg(4)->Arg(32)->Arg(256)->Arg(1460);
BENCHMARK(open_garbage)->Arg(1460);
BENCHMARK(make_cipher);
BENCHMARK(nonce);

BENCHMARK_MAIN();
