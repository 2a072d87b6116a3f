// Any bytes as any message of EPMD; requests that decode must decode to the same again.
#include <cstdlib>
#include <span>

#include "models/epmd/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace distlab::epmd;
  const std::span<const uint8_t> bytes(data, size);
  if (const auto request = decode_request(bytes); request && *request) {
    const auto again = encode(**request);
    const auto second = decode_request(again);
    if (!second || !*second || encode(**second) != again) std::abort();
  }
  (void)decode_alive2_response(bytes);
  (void)decode_port2_response(bytes);
  (void)decode_names_response(bytes);
  return 0;
}
