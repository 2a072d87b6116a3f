// What a PUBLISH costs to write and to read: by hand, and through a tree of Json as other frames are.
#include <cstdlib>

#include <benchmark/benchmark.h>

#include "models/mesh/cbor.h"
#include "models/mesh/message.h"

namespace distlab::mesh {
namespace {

constexpr const char* topic = "_dist.data.AAAAAAAAAAAAAAAAAAAAAA==.out";

std::vector<uint8_t> payload_of(const benchmark::State& state) {
  return std::vector<uint8_t>(size_t(state.range(0)), 'x');
}

void encode_by_hand(benchmark::State& state) {
  const auto payload = payload_of(state);
  for (auto _ : state) benchmark::DoNotOptimize(encode(Publish{topic, payload, {}}));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void encode_by_tree(benchmark::State& state) {
  const auto payload = payload_of(state);
  for (auto _ : state) {
    const Json body = {{"topic", topic},
                       {"payload", Json::binary(payload)},
                       {"qos", 0},
                       {"retain", false},
                       {"message_id", Json::binary(std::vector<uint8_t>(16))}};
    benchmark::DoNotOptimize(encode_cbor(body));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void decode_by_hand(benchmark::State& state) {
  const Frame frame = encode(Publish{topic, payload_of(state), {}});
  for (auto _ : state) {
    const auto publish = decode_publish(frame);
    if (!publish) std::abort();
    benchmark::DoNotOptimize(publish);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void decode_by_tree(benchmark::State& state) {
  const Frame frame = encode(Publish{topic, payload_of(state), {}});
  for (auto _ : state) {
    const auto body = decode_cbor(frame.body());
    if (!body) std::abort();
    benchmark::DoNotOptimize(body);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

// A tick is 32 bytes of ciphertext, a full chunk 1488 (facts relay-distribution.md sections 1.2, 1.3).
BENCHMARK(encode_by_hand)->Arg(32)->Arg(1488);
BENCHMARK(encode_by_tree)->Arg(32)->Arg(1488);
BENCHMARK(decode_by_hand)->Arg(32)->Arg(1488);
BENCHMARK(decode_by_tree)->Arg(32)->Arg(1488);

}  // namespace
}  // namespace distlab::mesh

BENCHMARK_MAIN();
