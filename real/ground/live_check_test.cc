#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "real/ground/live.h"
#include "scenarios/testing/load.h"

namespace distlab::ground {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

lab::Capabilities everything() {
  const auto can = [](const char* name) { return lab::Capability{name, true, ""}; };
  return {can("lab"), can("tun"), can("veth"), can("tbf"), can("netem"), can("nft")};
}

lab::Capabilities without(lab::Capability lab::Capabilities::*which) {
  lab::Capabilities out = everything();
  (out.*which).available = false;
  (out.*which).reason = "it was left out";
  return out;
}

// Two sites, one node on each.
std::string two_sites(const std::string& home, const std::string& more = "") {
  return "name: two\nduration: 10s\nsites: { home: { " + home +
         " }, office: {} }\n"
         "nodes: { alice: { site: home }, bob: { site: office } }\n" +
         more;
}

std::vector<std::string> obstacles(const std::string& text, const lab::Capabilities& capabilities,
                                   const LiveOptions& options = {}) {
  return live_obstacles(scenario::load_one(text), options, capabilities);
}

const std::string demanding = two_sites("uplink: { delay: 9ms, jitter: 1ms, loss: 0.5%, duplicate: 1%, reorder: 2% }",
                                        "paths: { home-office: { delay: 1500us } }\n"
                                        "faults:\n"
                                        "  - { at: 1s, delay: home, to: 20ms }\n"
                                        "  - { at: 2s, down: bob }\n");

// A kernel that can do everything does everything.
TEST(LiveCheck, AFullKernelHasNoObstacles) {
  EXPECT_THAT(obstacles(demanding, everything()), IsEmpty());
}

// Without netem, all that needs it is named, with its value, in one message that says why.
TEST(LiveCheck, NamesWhatNeedsNetem) {
  const auto said = obstacles(demanding, without(&lab::Capabilities::netem));
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said.front(),
            "it needs netem (it was left out) for\n"
            "  sites.home.uplink.delay: 9ms\n"
            "  sites.home.uplink.jitter: 1ms\n"
            "  sites.home.uplink.loss: 0.5%\n"
            "  sites.home.uplink.duplicate: 1%\n"
            "  sites.home.uplink.reorder: 2%\n"
            "  paths.'home -> office'.delay: 1.5ms\n"
            "  paths.'office -> home'.delay: 1.5ms\n"
            "  x.yaml:7: the fault 'delay' of home");
}

// On request it is left out; the omissions are the same lines.
TEST(LiveCheck, LeavesOutWhatNetemWouldDo) {
  EXPECT_THAT(obstacles(demanding, without(&lab::Capabilities::netem), {.without_netem = true}), IsEmpty());
  const auto omitted = live_omissions(scenario::load_one(demanding));
  EXPECT_EQ(omitted.size(), 8u);
  EXPECT_EQ(omitted.front(), "sites.home.uplink.delay: 9ms");
}

// A lan's default delay is about what the kernel's own links take, and asks for nothing.
TEST(LiveCheck, PlainLinksNeedNoNetem) {
  EXPECT_THAT(obstacles(two_sites(""), without(&lab::Capabilities::netem)), IsEmpty());
  EXPECT_THAT(obstacles(two_sites("lan: { delay: 60us }"), without(&lab::Capabilities::netem)),
              ElementsAre(HasSubstr("sites.home.lan.delay: 0.06ms")));
}

// default_path counts where a pair of sites takes it, and nowhere else.
TEST(LiveCheck, DefaultPathCountsWhereItIsTaken) {
  const auto no_netem = without(&lab::Capabilities::netem);
  const std::string slow = "default_path: { delay: 5ms, rate: 1Mbit/s }\n";
  EXPECT_THAT(obstacles(two_sites("", slow), no_netem), ElementsAre(HasSubstr("default_path.delay: 5ms")));
  const std::string named = slow + "paths: { home-office: { delay: 0s, rate: unlimited } }\n";
  EXPECT_THAT(obstacles(two_sites("", named), no_netem), IsEmpty());
  EXPECT_THAT(obstacles(two_sites("", named), without(&lab::Capabilities::tbf)), IsEmpty());
}

// Rates and holds need tbf.
TEST(LiveCheck, RatesNeedTbf) {
  const auto no_tbf = without(&lab::Capabilities::tbf);
  const auto fault = [](const std::string& one) { return two_sites("", "faults: [{ at: 1s, " + one + " }]\n"); };
  for (const std::string& text : {two_sites("uplink: { rate: 1Mbit/s }"), two_sites("lan: { rate: 1Mbit/s }"),
                                  two_sites("", "default_path: { rate: 1Mbit/s }\n"),
                                  two_sites("", "paths: { home-office: { rate: 1Mbit/s } }\n"),
                                  fault("rate: home, to: 1Mbit/s"), fault("hold: home")}) {
    EXPECT_THAT(obstacles(text, no_tbf), ElementsAre(HasSubstr("needs tbf: it was left out"))) << text;
  }
  EXPECT_THAT(obstacles(fault("down: home"), no_tbf), IsEmpty());
}

// Cuts and partitions need nft; faults of processes need nothing.
TEST(LiveCheck, CutsNeedNft) {
  const auto no_nft = without(&lab::Capabilities::nft);
  const auto fault = [](const std::string& one) { return two_sites("", "faults: [{ at: 1s, " + one + " }]\n"); };
  for (const std::string& text : {fault("down: home"), fault("black_hole: alice"), fault("one_way: home -> office"),
                                  fault("partition: [[home], [office]]")}) {
    EXPECT_THAT(obstacles(text, no_nft), ElementsAre(HasSubstr("needs nft: it was left out"))) << text;
  }
  for (const std::string& text : {fault("kill: bob"), fault("freeze: bob, for: 1s"), fault("rate: home, to: 1Mbit/s")})
    EXPECT_THAT(obstacles(text, no_nft), IsEmpty()) << text;
}

// Without namespaces there is nothing else to say.
TEST(LiveCheck, WithoutALabNothingElseCounts) {
  lab::Capabilities none;
  none.lab = {"lab", false, "it was left out"};
  EXPECT_THAT(obstacles(demanding, none), ElementsAre("the live ground needs namespaces: it was left out"));
  EXPECT_THAT(obstacles(two_sites(""), without(&lab::Capabilities::veth)),
              ElementsAre("the live ground needs veth: it was left out"));
}

// A link for every pair of sites has a limit, which is told with the way out.
TEST(LiveCheck, TooManySites) {
  const auto sites = [](int count) {
    return "name: many\nduration: 1s\nsites: { 's{i}': { count: " + std::to_string(count) +
           " } }\nnodes: { alice: { site: s1 } }\n";
  };
  EXPECT_THAT(obstacles(sites(40), everything()), IsEmpty());
  EXPECT_THAT(obstacles(sites(41), everything()), ElementsAre(HasSubstr("41 sites")));
}

}  // namespace
}  // namespace distlab::ground
