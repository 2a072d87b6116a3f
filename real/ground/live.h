// The live ground's network: the kernel's own. Every machine is a namespace, every site has two routers,
//
//   machine --lan-- inner router --uplink-- outer router --path-- outer router of another site ...
//
// joined by veth pairs with tbf for rates and netem for the rest. Addresses are those of the sim ground.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "real/ground/wan.h"
#include "real/lab/capabilities.h"
#include "scenarios/scenario.h"

namespace distlab::ground {

struct LiveOptions {
  bool without_netem = false;  // leave out what only netem can do
};

// What of the scenario this kernel cannot do, one line for each: "sites.home.uplink.delay: 9ms needs netem:
// ...". Empty: all is well.
std::vector<std::string> live_obstacles(const scenario::Scenario& scenario, const LiveOptions& options,
                                        const lab::Capabilities& capabilities);
// What is left out because of `without_netem`: "sites.home.uplink.delay: 9ms".
std::vector<std::string> live_omissions(const scenario::Scenario& scenario);

// The scenario must outlive it.
std::unique_ptr<Wan> make_live_network(const scenario::Scenario& scenario, const LiveOptions& options);

}  // namespace distlab::ground
