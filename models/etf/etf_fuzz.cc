// Any bytes: decoding must not misbehave, and what decodes must survive being encoded again.
#include <cstdlib>
#include <span>

#include "models/etf/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace distlab::etf;
  const DecodeLimits limits{.max_depth = 200, .max_terms = 100'000, .max_uncompressed = 1 << 20};
  const auto first = decode({data, size}, limits);
  if (!first) return 0;
  if (first->consumed > size || first->term.to_string(2000).size() > 2003) std::abort();
  const auto bytes = encode(first->term);
  const auto second = decode(bytes, {.max_depth = 400, .max_terms = 1'000'000});
  if (!second || !(second->term == first->term) || term_order(second->term, first->term) != 0 ||
      encode(second->term) != bytes)
    std::abort();
  return 0;
}
