// Any bytes as a plan, a command, a report: what is read must be read again from what we write of it.
#include <cstdlib>

#include "real/actor/command.h"
#include "real/actor/plan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace distlab::actor;
  const distlab::Bytes bytes(data, size);
  if (const auto plan = decode_plan(bytes); plan && decode_plan(encode(*plan)) != plan) std::abort();
  if (const auto command = decode_command(bytes); command && decode_command(encode(*command)) != command) std::abort();
  if (const auto report = decode_report(bytes); report && decode_report(encode(*report)) != report) std::abort();
  return 0;
}
