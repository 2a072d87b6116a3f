// What a message costs on its way from a Message to frames on a stream, and back.
#include <cstdlib>

#include <benchmark/benchmark.h>

#include "models/dist/channel.h"
#include "models/dist/testing/samples.h"

namespace {

using namespace distlab::dist;
using distlab::Bytes;
using distlab::etf::atom;
using distlab::etf::tuple;

Message gen_call() {
  const Pid from = testing::pid(testing::node_a, 80);
  const Ref ref = testing::ref(testing::node_a, 5);
  const Term tag = distlab::etf::improper_list({atom("alias")}, ref);
  return {RegSend{from, "echo"}, tuple(atom("$gen_call"), tuple(from, tag), tuple(atom("echo"), 42))};
}

Message megabyte() {
  return {SendSender{testing::pid(testing::node_a, 80), testing::pid(testing::node_b, 81)},
          distlab::etf::binary(std::vector<uint8_t>(1 << 20, 'x'))};
}

ChannelConfig config(bool sender) {
  ChannelConfig out;
  out.names =
      sender ? ChannelNames{testing::node_a, testing::node_b, 1} : ChannelNames{testing::node_b, testing::node_a, 1};
  out.flags = default_flags(true);
  return out;
}

void drain(Channel& channel, std::vector<uint8_t>* stream) {
  for (Bytes out; !(out = channel.output()).empty();) {
    if (stream != nullptr) stream->insert(stream->end(), out.begin(), out.end());
    channel.consumed(out.size());
  }
}

void encode_message(benchmark::State& state, const Message& message) {
  Channel channel(config(true));
  std::vector<uint8_t> stream;
  channel.send(message);
  drain(channel, &stream);
  for (auto _ : state) {
    channel.send(message);
    drain(channel, nullptr);
  }
  state.SetBytesProcessed(int64_t(state.iterations() * stream.size()));
}

void decode_message(benchmark::State& state, const Message& message) {
  Channel sender(config(true)), receiver(config(false));
  std::vector<uint8_t> stream;
  sender.send(message);
  drain(sender, &stream);
  for (auto _ : state) {
    receiver.on_bytes(stream);
    auto next = receiver.next();
    if (!next || !*next || receiver.next()) std::abort();
    benchmark::DoNotOptimize(next);
  }
  state.SetBytesProcessed(int64_t(state.iterations() * stream.size()));
}

}  // namespace

BENCHMARK_CAPTURE(encode_message, gen_call, gen_call());
BENCHMARK_CAPTURE(decode_message, gen_call, gen_call());
BENCHMARK_CAPTURE(encode_message, one_megabyte, megabyte());
BENCHMARK_CAPTURE(decode_message, one_megabyte, megabyte());

BENCHMARK_MAIN();
