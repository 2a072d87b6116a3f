// Any bytes as a message of the probe; what decodes can be recorded.
#include <cstdlib>

#include "real/beam/probe_link.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace distlab::beam;
  const auto message = decode_probe({data, size});
  if (!message) return 0;
  if (const auto* events = std::get_if<std::vector<ProbeEvent>>(&*message))
    for (const ProbeEvent& event : *events)
      if (event.view().fields.size() != event.fields.size()) std::abort();
  return 0;
}
