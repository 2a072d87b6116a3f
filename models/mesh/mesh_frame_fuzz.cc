// Any bytes as the stream of a peer, cut anyhow: what decodes must encode and decode to the same again.
// The first byte says how the rest is cut.
#include <algorithm>
#include <cstdlib>
#include <optional>
#include <vector>

#include "models/mesh/message.h"

namespace distlab::mesh {
namespace {

bool same(Bytes a, Bytes b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

void check_frame(const Frame& frame) {
  if (const auto publish = decode_publish(frame)) {
    const Frame again = encode(*publish);
    const auto second = decode_publish(again);
    if (!second || second->topic != publish->topic || !same(second->payload, publish->payload)) std::abort();
    if (second->id != publish->id) std::abort();
  }
  if (const auto message = decode(frame)) {
    const Frame again = encode(*message);
    const auto second = decode(again);
    if (!second || !same(encode(*second).bytes(), again.bytes())) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t step = size_t{data[0]} + 1;
  const Bytes stream(data + 1, size - 1);
  FrameReader reader(64 * 1024);
  size_t given_out = 0;
  for (size_t at = 0; at < stream.size(); at += step) {
    const auto taken = reader.push(stream.subspan(at, std::min(step, stream.size() - at)));
    while (const auto frame = reader.next()) {
      given_out += frame->size();
      check_frame(*frame);
    }
    if (!taken) return 0;
  }
  if (given_out + reader.buffered() != stream.size()) std::abort();
  return 0;
}

}  // namespace distlab::mesh
