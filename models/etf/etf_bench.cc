// Speed of the codec, beside libei doing the same.
#include <cstring>
#include <string>

#include <benchmark/benchmark.h>
#include <ei.h>

#include "models/etf/codec.h"

namespace distlab::etf {
namespace {

const std::string node = "alice@home.example";

// {'$gen_call', {From, [alias | Ref]}, {is_auth, 'bob@office.example'}}
Term gen_call() {
  const Pid from{node, 105, 0, 1'700'000'000};
  const Ref ref{node, 1'700'000'000, {123'456, 987'654'321, 123'456'789}};
  return tuple(atom("$gen_call"), tuple(Term(from), improper_list({atom("alias")}, Term(ref))),
               tuple(atom("is_auth"), atom("bob@office.example")));
}

Term numbers() {
  Terms elements;
  for (int64_t i = 0; i < 1000; ++i) elements.emplace_back(int64_t{i * 1'000});
  return list(std::move(elements));
}

void encode_term(benchmark::State& state, const Term& term) {
  std::vector<uint8_t> out;
  for (auto _ : state) {
    out.clear();
    encode(term, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(out.size()));
}

void decode_term(benchmark::State& state, const Term& term) {
  const std::vector<uint8_t> bytes = encode(term);
  for (auto _ : state) benchmark::DoNotOptimize(decode(bytes));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}

BENCHMARK_CAPTURE(encode_term, gen_call, gen_call());
BENCHMARK_CAPTURE(encode_term, binary_1k, binary(std::vector<uint8_t>(1024, 7)));
BENCHMARK_CAPTURE(encode_term, list_1000, numbers());
BENCHMARK_CAPTURE(decode_term, gen_call, gen_call());
BENCHMARK_CAPTURE(decode_term, binary_1k, binary(std::vector<uint8_t>(1024, 7)));
BENCHMARK_CAPTURE(decode_term, list_1000, numbers());

// The same with libei. It writes into one growing buffer as we do; when reading it fills fixed
// structures and checks no bounds.
struct Buffer {
  ei_x_buff x{};
  Buffer() { ei_x_new(&x); }
  ~Buffer() { ei_x_free(&x); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
};

void put_gen_call(ei_x_buff& x, const erlang_pid& pid, const erlang_ref& ref) {
  ei_x_encode_version(&x);
  ei_x_encode_tuple_header(&x, 3);
  ei_x_encode_atom(&x, "$gen_call");
  ei_x_encode_tuple_header(&x, 2);
  ei_x_encode_pid(&x, &pid);
  ei_x_encode_list_header(&x, 1);
  ei_x_encode_atom(&x, "alias");
  ei_x_encode_ref(&x, &ref);
  ei_x_encode_tuple_header(&x, 2);
  ei_x_encode_atom(&x, "is_auth");
  ei_x_encode_atom(&x, "bob@office.example");
}

void libei_encode_gen_call(benchmark::State& state) {
  Buffer buffer;
  erlang_pid pid{};
  std::strncpy(pid.node, node.c_str(), sizeof pid.node - 1);
  pid.num = 105;
  pid.creation = 1'700'000'000;
  erlang_ref ref{};
  std::strncpy(ref.node, node.c_str(), sizeof ref.node - 1);
  ref.len = 3;
  ref.n[0] = 123'456;
  ref.n[1] = 987'654'321;
  ref.n[2] = 123'456'789;
  ref.creation = 1'700'000'000;
  for (auto _ : state) {
    buffer.x.index = 0;
    put_gen_call(buffer.x, pid, ref);
    benchmark::DoNotOptimize(buffer.x.buff);
  }
}
BENCHMARK(libei_encode_gen_call);

void libei_encode_binary_1k(benchmark::State& state) {
  Buffer buffer;
  const std::vector<uint8_t> bytes(1024, 7);
  for (auto _ : state) {
    buffer.x.index = 0;
    ei_x_encode_version(&buffer.x);
    ei_x_encode_binary(&buffer.x, bytes.data(), static_cast<int>(bytes.size()));
    benchmark::DoNotOptimize(buffer.x.buff);
  }
}
BENCHMARK(libei_encode_binary_1k);

void libei_encode_list_1000(benchmark::State& state) {
  Buffer buffer;
  for (auto _ : state) {
    buffer.x.index = 0;
    ei_x_encode_version(&buffer.x);
    ei_x_encode_list_header(&buffer.x, 1000);
    for (long i = 0; i < 1000; ++i) ei_x_encode_long(&buffer.x, i * 1'000);
    ei_x_encode_empty_list(&buffer.x);
    benchmark::DoNotOptimize(buffer.x.buff);
  }
}
BENCHMARK(libei_encode_list_1000);

void libei_decode_gen_call(benchmark::State& state) {
  const std::vector<uint8_t> bytes = encode(gen_call());
  const char* raw = reinterpret_cast<const char*>(bytes.data());
  for (auto _ : state) {
    int index = 0, version = 0, arity = 0, failures = 0;
    char text[MAXATOMLEN_UTF8];
    erlang_pid pid;
    erlang_ref ref;
    failures += ei_decode_version(raw, &index, &version);
    failures += ei_decode_tuple_header(raw, &index, &arity);
    failures += ei_decode_atom(raw, &index, text);
    failures += ei_decode_tuple_header(raw, &index, &arity);
    failures += ei_decode_pid(raw, &index, &pid);
    failures += ei_decode_list_header(raw, &index, &arity);
    failures += ei_decode_atom(raw, &index, text);
    failures += ei_decode_ref(raw, &index, &ref);
    failures += ei_decode_tuple_header(raw, &index, &arity);
    failures += ei_decode_atom(raw, &index, text);
    failures += ei_decode_atom(raw, &index, text);
    if (failures != 0) state.SkipWithError("libei cannot read our bytes");
    benchmark::DoNotOptimize(ref);
  }
}
BENCHMARK(libei_decode_gen_call);

void libei_decode_binary_1k(benchmark::State& state) {
  const std::vector<uint8_t> bytes = encode(binary(std::vector<uint8_t>(1024, 7)));
  const char* raw = reinterpret_cast<const char*>(bytes.data());
  std::vector<uint8_t> out(1024);
  for (auto _ : state) {
    int index = 0, version = 0;
    long size = 0;
    ei_decode_version(raw, &index, &version);
    if (ei_decode_binary(raw, &index, out.data(), &size) != 0) state.SkipWithError("libei cannot read our bytes");
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(libei_decode_binary_1k);

void libei_decode_list_1000(benchmark::State& state) {
  const std::vector<uint8_t> bytes = encode(numbers());
  const char* raw = reinterpret_cast<const char*>(bytes.data());
  std::vector<long> out(1000);
  for (auto _ : state) {
    int index = 0, version = 0, arity = 0;
    ei_decode_version(raw, &index, &version);
    ei_decode_list_header(raw, &index, &arity);
    for (int i = 0; i < arity; ++i) ei_decode_long(raw, &index, &out[static_cast<size_t>(i)]);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(libei_decode_list_1000);

}  // namespace
}  // namespace distlab::etf

BENCHMARK_MAIN();
