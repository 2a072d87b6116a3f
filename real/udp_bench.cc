// What a datagram costs between two sockets of one loop: bursts of 1,200 bytes over loopback.
#include <memory>
#include <vector>

#include <benchmark/benchmark.h>

#include "real/asio_host.h"

namespace distlab::real {
namespace {

struct Counter final : UdpHandler {
  void on_datagram(Endpoint, Bytes) override { ++count; }
  int64_t count = 0;
};

void burst(benchmark::State& state) {
  AsioLoop loop;
  AsioHost host(loop, AsioHostOptions{});
  Counter sink, unused;
  const auto to = std::move(*host.open_udp({loopback_address, 0}, sink));
  const auto from = std::move(*host.open_udp({loopback_address, 0}, unused));
  const std::vector<uint8_t> datagram(1'200);
  int64_t sent = 0, lost = 0;
  for (auto step : state) {
    for (int64_t i = 0; i < state.range(0); ++i) from->send_to(to->local(), datagram);
    sent += state.range(0);
    if (!loop.run_until([&] { return sink.count + lost >= sent; }, std::chrono::milliseconds{50})) {
      lost = sent - sink.count;
    }
  }
  state.SetItemsProcessed(sink.count);
  state.counters["lost"] = static_cast<double>(lost);
}
BENCHMARK(burst)->Arg(1)->Arg(8)->Arg(32)->Arg(64)->Arg(256);

}  // namespace
}  // namespace distlab::real

BENCHMARK_MAIN();
