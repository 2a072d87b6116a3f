// Overlapping partitions: what a mesh of three does when one link breaks (facts
// otp-distribution.md section 1).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/process/global.h"
#include "models/process/testing/cluster.h"

namespace distlab::process {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

struct Mesh {
  explicit Mesh(bool prevent, size_t size = 3) {
    for (size_t i = 0; i < size; ++i) {
      nodes.push_back(&cluster.add("n" + std::to_string(i + 1)));
      nodes.back()->start_services(
          {.pg = false,
           .global = true,
           .global_options = {.connect_all = true, .prevent_overlapping_partitions = prevent}});
    }
    for (size_t i = 0; i + 1 < size; ++i) {
      EXPECT_TRUE(cluster.connect(*nodes[i], *nodes[i + 1]));
    }
    EXPECT_TRUE(cluster.run_until([&] { return complete(); }, 60s));
    cluster.run_for(5s);
  }
  bool complete() const {
    for (const TestNode* node : nodes) {
      if (const_cast<TestNode*>(node)->services().global()->synced().size() != nodes.size() - 1) return false;
    }
    return true;
  }
  TestNode& n(size_t i) { return *nodes[i - 1]; }

  Cluster cluster;
  std::vector<TestNode*> nodes;
};

// As measured on OTP 25: in a mesh of three, cutting one link leaves nodes() == [] on all three.
TEST(OverlappingPartitions, CutOneLinkOfThree) {
  Mesh mesh(true);
  mesh.cluster.cut(mesh.n(1), mesh.n(2));
  mesh.cluster.run_for(1s);
  for (size_t i = 1; i <= 3; ++i) {
    EXPECT_THAT(mesh.n(i).visible_nodes(), IsEmpty()) << i;
    EXPECT_THAT(mesh.n(i).services().global()->known(), IsEmpty()) << i;
  }
  // n3 was told by both; it asked them to disconnect, and they did.
  EXPECT_THAT(mesh.cluster.logs(mesh.n(3)),
              Contains("'global' at node n3 requested disconnect from node n1 in order to prevent overlapping "
                       "partitions"));
  EXPECT_THAT(mesh.cluster.logs(mesh.n(1)),
              Contains("'global' at node n1 disconnected node n3 in order to prevent overlapping partitions"));
}

// With prevent_overlapping_partitions false only the cut link goes.
TEST(OverlappingPartitions, NotPrevented) {
  Mesh mesh(false);
  mesh.cluster.cut(mesh.n(1), mesh.n(2));
  mesh.cluster.run_for(1s);
  EXPECT_THAT(mesh.n(1).visible_nodes(), ElementsAre("n3"));
  EXPECT_THAT(mesh.n(2).visible_nodes(), ElementsAre("n3"));
  EXPECT_THAT(mesh.n(3).visible_nodes(), ElementsAre("n1", "n2"));
}

// In a larger mesh both ends of the cut link are expelled, and the rest stays whole.
TEST(OverlappingPartitions, TheRestStaysWhole) {
  Mesh mesh(true, 5);
  mesh.cluster.cut(mesh.n(1), mesh.n(2));
  mesh.cluster.run_for(1s);
  EXPECT_THAT(mesh.n(1).visible_nodes(), IsEmpty());
  EXPECT_THAT(mesh.n(2).visible_nodes(), IsEmpty());
  EXPECT_THAT(mesh.n(3).visible_nodes(), ElementsAre("n4", "n5"));
  EXPECT_THAT(mesh.n(5).visible_nodes(), ElementsAre("n3", "n4"));
}

// lost_connection carries who lost whom, and is sent once by each node that hears of it.
TEST(OverlappingPartitions, LostConnectionOnTheWire) {
  Mesh mesh(true);
  mesh.cluster.forget_wires();
  mesh.cluster.cut(mesh.n(1), mesh.n(2));
  mesh.cluster.run_for(1s);
  std::vector<Term> told;
  for (const Wire& wire : mesh.cluster.wires(mesh.n(1), mesh.n(3))) {
    if (wire.op == 6 && !wire.payload->as_tagged("lost_connection", 5).empty()) told.push_back(*wire.payload);
  }
  ASSERT_FALSE(told.empty());
  const auto parts = told[0].as_tuple(5);
  EXPECT_TRUE(parts[1].is_atom("n1"));
  EXPECT_GT(*parts[2].as_int(), 0);
  EXPECT_TRUE(parts[3].as_int());
  EXPECT_TRUE(parts[4].is_atom("n2"));
}

// A node that is expelled may come back: the mesh is complete again.
TEST(OverlappingPartitions, Recovers) {
  Mesh mesh(true);
  mesh.cluster.cut(mesh.n(1), mesh.n(2));
  mesh.cluster.run_for(1s);
  mesh.cluster.forbid(mesh.n(1), mesh.n(2), false);
  ASSERT_TRUE(mesh.cluster.connect(mesh.n(1), mesh.n(3)));
  ASSERT_TRUE(mesh.cluster.connect(mesh.n(2), mesh.n(3)));
  EXPECT_TRUE(mesh.cluster.run_until([&] { return mesh.complete(); }, 60s));
}

// connect_all false: nodes do not join through each other, and nothing is disconnected.
TEST(OverlappingPartitions, WithoutConnectAll) {
  Cluster cluster;
  std::vector<TestNode*> nodes;
  for (const char* name : {"n1", "n2", "n3"}) {
    nodes.push_back(&cluster.add(name));
    nodes.back()->start_services({.pg = false, .global = true, .global_options = {.connect_all = false}});
  }
  cluster.run_for(1ms);
  ASSERT_TRUE(cluster.connect(*nodes[0], *nodes[1]));
  ASSERT_TRUE(cluster.connect(*nodes[1], *nodes[2]));
  cluster.run_for(10s);
  EXPECT_THAT(nodes[0]->visible_nodes(), ElementsAre("n2"));
  cluster.cut(*nodes[0], *nodes[1]);
  cluster.run_for(1s);
  EXPECT_THAT(nodes[2]->visible_nodes(), ElementsAre("n2"));
}

}  // namespace
}  // namespace distlab::process
