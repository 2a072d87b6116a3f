// What joins the hosts of a scenario: on the emu ground ns-3 in real time, on the live ground the kernel.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "models/host/endpoint.h"
#include "real/ground/loop.h"
#include "real/lab/lab.h"
#include "real/lateness.h"
#include "scenarios/scenario.h"

namespace distlab::ground {

class Wan {
 public:
  struct Machine {
    lab::HostId host{};
    Ipv4 address;
  };

  virtual ~Wan() = default;
  // Makes a host of the lab for every machine of the scenario, and the network between them. The run has
  // not begun yet: the loop's clock will say when it does, and is right once the loop runs.
  virtual lab::Result<void> build(lab::Lab& lab, Loop& loop) = 0;
  const std::map<std::string, Machine>& machines() const { return machines_; }  // by host name

  // A fault of a link, or a partition.
  virtual lab::Result<void> apply(const scenario::FaultStep& step) = 0;

  virtual real::Lateness lateness() const { return {}; }  // of packets, where we carry them
  virtual uint64_t packets() const { return 0; }          // that reached a machine, where we carry them

 protected:
  std::map<std::string, Machine> machines_;
};

}  // namespace distlab::ground
