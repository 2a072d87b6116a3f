// Who has a tunnel to whom, and the flows of numbered messages in it: one in either direction.
#pragma once

#include <cstddef>
#include <string>

#include <fmt/format.h>

namespace distlab::bench {

struct Layout {
  size_t sessions = 0;
  size_t tunnels = 0;  // at most max_tunnels()
  size_t loads = 1;    // processes that have the nodes

  // Every pair of nodes has at most one.
  size_t max_tunnels() const { return sessions * ((sessions - 1) / 2); }
  size_t dialler(size_t tunnel) const { return tunnel % sessions; }
  size_t acceptor(size_t tunnel) const { return (tunnel + 1 + tunnel / sessions) % sessions; }

  size_t flows() const { return tunnels * 2; }
  size_t source(size_t flow) const { return flow % 2 == 0 ? dialler(flow / 2) : acceptor(flow / 2); }
  size_t sink(size_t flow) const { return source(flow ^ 1u); }

  size_t load_of(size_t node) const { return node % loads; }
};

inline std::string node_name(size_t node) {
  return fmt::format("n{}@bench.example", node);
}

}  // namespace distlab::bench
