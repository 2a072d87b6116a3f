// The parts of a scenario: which processes it has, where they run and when they start. Every ground
// starts them in this order.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/host/time.h"
#include "scenarios/scenario.h"

namespace distlab::cast {

enum class Kind { epmd, relay, node };

std::string_view to_string(Kind kind);
std::optional<Kind> parse_kind(std::string_view text);

struct Part {
  std::string key;  // of the node or the relay; "epmd:<machine>:<port>". The name of the process's Host.
  Kind kind = Kind::node;
  std::string machine;  // host name; parts of an equal one share a machine
  Duration start{0};    // since the begin of the run; ties in the order of the list
  bool autostart = true;
  uint16_t port = 0;  // of an EPMD

  bool operator==(const Part&) const = default;
};

// EPMDs first (nodes expect theirs to be there), then relays, then nodes, each in the order of their names.
// An EPMD is a process of its own on every machine that has nodes of the carrier tcp, one for each port.
std::vector<Part> parts(const scenario::Scenario& scenario, uint64_t seed);

// The actions of each node, in the order of the file, with exact times.
std::map<std::string, std::vector<scenario::Action>> actions(const scenario::Scenario& scenario, uint64_t seed);

// The seed of the n-th life (from 0) of a process: every life draws differently, as every real one would.
uint64_t life_seed(uint64_t seed, uint32_t life);

}  // namespace distlab::cast
