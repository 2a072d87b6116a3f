#include "scenarios/cast/machines.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/testing/load.h"

namespace distlab::cast {
namespace {

using scenario::load_one;
using testing::ElementsAre;

// Relays come first, machines that nodes share once; addresses count within their site, sites by name.
TEST(Machines, HaveAddressesByTheirSites) {
  const scenario::Scenario scenario = load_one(
      "name: x\nduration: 9s\nsites: { office: {}, home: {} }\nrelays: { z: { site: office, host: relay.test } }\n"
      "nodes:\n"
      "  b: { site: office, name: b@m1.test }\n"
      "  a: { site: office, name: a@m1.test }\n"
      "  c: { site: home, name: c@m2.test }\n"
      "  d: { site: office, name: d@relay.test }\n"
      "  e: { site: office, name: e@m3.test }\n");
  std::vector<std::string> found;
  for (const Machine& machine : machines(scenario))
    found.push_back(machine.name + " " + machine.site + " " + machine.address.to_string());
  EXPECT_THAT(found, ElementsAre("relay.test office 10.0.2.1", "m1.test office 10.0.2.2", "m2.test home 10.0.1.1",
                                 "m3.test office 10.0.2.3"));
  EXPECT_EQ(network_of(scenario, "office").to_string(), "10.0.2.0");
}

// As many machines as a scenario may have in a site, and as many sites, keep apart.
TEST(Machines, FillASite) {
  const scenario::Scenario full = load_one(
      "name: x\nduration: 9s\nsites: { 's{i}': { count: 300 } }\n"
      "nodes: { 'n{i}': { count: 253, site: s9 }, m: { site: s300 } }\n");
  const std::vector<Machine> all = machines(full);
  ASSERT_EQ(all.size(), 254u);
  EXPECT_EQ(all.back().address.bits & 0xffu, 253u);
  EXPECT_EQ(network_of(full, "s299").bits, network_of(full, "s3").bits - 0x100u) << "sites are in the order of names";
}

}  // namespace
}  // namespace distlab::cast
