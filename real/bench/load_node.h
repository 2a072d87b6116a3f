// A native node as the load has it: mesh client, tunnels, net_kernel, processes; on a host of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "models/mesh/membership.h"
#include "models/node/node.h"
#include "real/asio_host.h"

namespace distlab::bench {

// A message between two nodes: {Flow, Number, DueAt, Size, Binary of this size}. Time is that of the run's clock.
struct Message {
  uint64_t flow = 0;
  uint64_t number = 0;  // of its flow, from 1
  Time due{};
  size_t payload = 0;
};

class LoadNode {
 public:
  struct Settings {
    size_t number = 0;
    uint16_t relay_port = 0;
    uint64_t seed = 1;
  };
  // Nothing: it was no message of ours.
  using Arrived = std::function<void(const std::optional<Message>& message)>;

  LoadNode(real::AsioLoop& loop, const Settings& settings, const Arrived& arrived);

  bool in_session();  // and the node is ready
  void connect(size_t peer, std::function<void(bool)> done);
  void send(size_t peer, const Message& message, const etf::Term& payload);

 private:
  real::AsioHost host_;
  mesh::Membership membership_;
  node::Node node_;
};

}  // namespace distlab::bench
