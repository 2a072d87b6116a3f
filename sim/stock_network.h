// The scenario's network as a user of plain ns-3 would build it: nodes, PointToPoint links, IP routers with
// static routes, nothing of ours. Only to measure how fast that is; loss, jitter and faults are left out.
//
//   machine == lan == site router == uplink and half of default_path == core router
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include <ns3/node.h>
#include <ns3/ptr.h>

#include "models/host/endpoint.h"
#include "scenarios/cast/machines.h"
#include "scenarios/scenario.h"

namespace distlab::sim {

class StockNetwork {
 public:
  // `on_delivery`: for every packet that reaches a machine.
  StockNetwork(const scenario::Scenario& scenario, std::function<void()> on_delivery);

  // Machines by the addresses they have in Network, too.
  const std::map<Ipv4, ns3::Ptr<ns3::Node>>& machines() const { return machines_; }

 private:
  struct Router {
    ns3::Ptr<ns3::Node> node;
    uint32_t prefix = 0;
  };
  void add_machine(const cast::Machine& machine, const scenario::LinkProperties& lan);

  std::function<void()> on_delivery_;
  std::map<std::string, Router> routers_;
  std::map<Ipv4, ns3::Ptr<ns3::Node>> machines_;
};

}  // namespace distlab::sim
