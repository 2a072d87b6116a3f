// The relay engine's own rate and memory: frames from the bytes of one session's stream to the bytes for
// another's, without QUIC.
#include <cstdlib>
#include <new>

#include <benchmark/benchmark.h>
#include <malloc.h>

#include "models/mesh/relay_core.h"

namespace {

size_t allocated = 0;  // bytes, as the allocator rounds them

void* counted(size_t size) {
  void* block = std::malloc(size);
  if (block == nullptr) throw std::bad_alloc();
  allocated += malloc_usable_size(block);
  return block;
}

void uncounted(void* block) noexcept {
  if (block != nullptr) allocated -= malloc_usable_size(block);
  std::free(block);
}

}  // namespace

void* operator new(size_t size) {
  return counted(size);
}
void operator delete(void* block) noexcept {
  uncounted(block);
}
void operator delete(void* block, size_t) noexcept {
  uncounted(block);
}

namespace distlab::mesh {
namespace {

struct Relay {
  SessionId join(const std::string& identity) {
    const SessionId id = core.open(run_start, Endpoint{Ipv4{++address}, 4433});
    ingress.open(id);
    feed(id, encode(Connect{"io.macula", identity}).bytes());
    drain(id);
    return id;
  }
  void feed(SessionId id, Bytes bytes) {
    if (!ingress.on_bytes(run_start, id, bytes)) std::abort();
    while (const auto served = ingress.next(run_start)) core.on_frame(run_start, served->session, served->frame);
  }
  size_t drain(SessionId id) {
    size_t total = 0;
    for (Bytes out = core.output(id); !out.empty(); out = core.output(id)) {
      total += out.size();
      core.consumed(id, out.size());
    }
    core.take_touched();
    return total;
  }

  RelayCore core{{.name = "bench"}};
  Ingress ingress{{}};
  uint32_t address = 0;
};

std::string topic_of(int tunnel, const char* direction) {
  std::string number = std::to_string(tunnel);
  return "_dist.data." + std::string(24 - number.size(), 'A') + number + direction;
}

// As many sessions as given, in pairs with a tunnel each; one pair talks.
void publish(benchmark::State& state) {
  Relay relay;
  std::vector<SessionId> sessions;
  for (int i = 0; i < int(state.range(1)); ++i) {
    sessions.push_back(relay.join("node" + std::to_string(i) + "@host.example"));
    relay.feed(sessions.back(), encode(Subscribe{topic_of(i, ".in")}).bytes());
  }
  relay.core.take_events();
  const std::vector<uint8_t> payload(size_t(state.range(0)));
  const Frame frame = encode(Publish{topic_of(1, ".in"), payload, {}});
  for (auto _ : state) {
    relay.feed(sessions[0], frame.bytes());
    if (relay.drain(sessions[1]) != frame.size()) std::abort();
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

// A call and its answer.
void call(benchmark::State& state) {
  Relay relay;
  const SessionId caller = relay.join("a@host"), callee = relay.join("b@host");
  relay.feed(callee, encode(Advertise{"_dist.tunnel.b@host"}).bytes());
  const Frame ask = encode(Call{1, "_dist.tunnel.b@host", {{"from_node", "a@host"}, {"target_node", "b@host"}}});
  uint64_t number = 0;
  for (auto _ : state) {
    relay.feed(caller, ask.bytes());
    relay.drain(callee);
    relay.feed(callee, encode(Reply{++number, Json("answer")}).bytes());
    if (relay.drain(caller) == 0) std::abort();
  }
  state.SetItemsProcessed(state.iterations());
}

// Counters: bytes of memory per idle session, and per tunnel, which is a subscription at either end.
void memory(benchmark::State& state) {
  constexpr int count = 2000;
  for (auto _ : state) {
    Relay relay;
    std::vector<SessionId> sessions;
    sessions.reserve(count);
    const size_t empty = allocated;
    for (int i = 0; i < count; ++i) sessions.push_back(relay.join("node" + std::to_string(i) + "@host.example"));
    relay.core.take_events();
    const size_t joined = allocated;
    for (int i = 0; i < 10 * count; ++i) {
      relay.feed(sessions[size_t(i % count)], encode(Subscribe{topic_of(i, ".in")}).bytes());
      relay.feed(sessions[size_t((i + 1) % count)], encode(Subscribe{topic_of(i, ".out")}).bytes());
    }
    state.counters["session"] = double(joined - empty) / count;
    state.counters["tunnel"] = double(allocated - joined) / (10 * count);
  }
}

BENCHMARK(publish)->Args({32, 2})->Args({1488, 2})->Args({1488, 1000})->Args({1488, 10000});
BENCHMARK(call);
BENCHMARK(memory)->Iterations(1);

}  // namespace
}  // namespace distlab::mesh

BENCHMARK_MAIN();
