// A connection against any bytes: framing, headers, fragments, control messages.
// Input: one byte of choices, then what the peer sends.
#include <algorithm>
#include <cstdlib>

#include "models/dist/channel.h"
#include "models/dist/testing/samples.h"

namespace {

using namespace distlab::dist;
using distlab::Bytes;

void require(bool condition) {
  if (!condition) std::abort();
}

ChannelConfig config(uint8_t choices) {
  ChannelConfig out;
  out.names = {testing::node_b, testing::node_a, 1};
  out.flags = default_flags(true);
  if ((choices & 1) != 0) out.flags &= ~flag::fragments;
  if ((choices & 2) != 0) out.flags &= ~(flag::exit_payload | flag::unlink_id);
  out.frame_limit = 1 << 16;
  out.assembler.max_sequences = 3;
  out.assembler.max_bytes = 1 << 16;
  out.assembler.terms.max_depth = 50;
  out.assembler.terms.max_terms = 10'000;
  out.assembler.terms.max_uncompressed = 1 << 16;
  return out;
}

// What was understood can be said again, and is then understood the same way.
void check(const Message& message) {
  for (const bool exit_payload : {true, false}) {
    const auto encoded = encode(message, exit_payload);
    const auto control = distlab::etf::decode(encoded.control);
    require(control.has_value());
    std::optional<Term> payload;
    if (!encoded.payload.empty()) payload = distlab::etf::decode(encoded.payload).value().term;
    const auto again = decode(control->term, payload);
    require(again && again->control.index() == message.control.index());
    require(again->payload.has_value() == message.payload.has_value());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  Channel channel(config(data[0]));
  const Bytes input(data + 1, size - 1);
  const size_t chunk = (data[0] & 4) != 0 ? std::max<size_t>(1, input.size()) : 1 + (data[0] >> 3);
  for (size_t i = 0; i < input.size(); i += chunk) {
    channel.on_bytes(input.subspan(i, std::min(chunk, input.size() - i)));
    while (const auto next = channel.next()) {
      if (!*next) {
        require(!next->error().what.empty() && !next->error().reason.empty());
        return 0;
      }
      check(**next);
      channel.send(**next);
    }
  }
  for (Bytes out; !(out = channel.output()).empty();) channel.consumed(out.size());
  require(channel.stats().pending_bytes == 0 && channel.queued_bytes() == 0);
  return 0;
}
