// What the coordinator of a run tells a process at its start: one CBOR document, read from a descriptor.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "models/host/endpoint.h"
#include "models/host/time.h"
#include "real/actor/command.h"

namespace distlab::actor {

struct Plan {
  std::string scenario;  // the canonical text (scenario::Variant::canonical)
  std::string process;   // key of a cast::Part
  uint64_t seed = 1;     // of the run
  uint32_t life = 0;     // how often the process was started before
  // CLOCK_MONOTONIC when the run began or will begin: the same for all processes of the run.
  std::chrono::nanoseconds origin{0};
  Duration started{0};          // when this life was started, since the begin of the run; booting counts from there
  std::optional<Ipv4> address;  // where its packets come from; nothing: the kernel's choice
  std::map<std::string, Ipv4> hosts;  // machines by name; no other name is found
  std::set<std::string> quiet_kinds;  // events nobody wants
  std::string qlog_directory;         // empty: none
  std::vector<HarmMessage> harms;     // armed by earlier lives, and not done yet

  bool operator==(const Plan&) const = default;
};

inline constexpr size_t max_plan_size = 32 * 1024 * 1024;

std::vector<uint8_t> encode(const Plan& plan);
// The error is one line that says what is wrong with it.
tl::expected<Plan, std::string> decode_plan(Bytes bytes);

}  // namespace distlab::actor
