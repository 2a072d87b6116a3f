// The machines of a scenario and their addresses, the same on every ground.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/host/endpoint.h"
#include "scenarios/scenario.h"

namespace distlab::cast {

struct Machine {
  std::string name;  // host name
  std::string site;
  Ipv4 address;
};

// One for every host name among relays and nodes, relays first. The m-th machine of the s-th site (both from 1,
// sites in the order of their names) has the address 10.s.s.m, s over two bytes.
std::vector<Machine> machines(const scenario::Scenario& scenario);

// The network of a site: 10.s.s.0/24.
Ipv4 network_of(const scenario::Scenario& scenario, const std::string& site);

}  // namespace distlab::cast
