// How a process of a benchmark meets the operating system: events are not recorded, names not looked up.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "real/asio_host.h"

namespace distlab::bench {

inline real::AsioHostOptions host_options(std::string name, uint64_t seed = 1) {
  real::AsioHostOptions out;
  out.name = std::move(name);
  out.seed = seed;
  out.resolver = false;
  return out;
}

}  // namespace distlab::bench
