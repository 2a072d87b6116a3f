#include "models/mesh/relay_load.h"

#include <gtest/gtest.h>

namespace distlab::mesh {
namespace {

// What is measured really goes through: every message comes out at the other end of its tunnel, whole.
TEST(RelayLoad, WhatGoesInComesOut) {
  RelayLoad load(10);
  load.add_tunnels(20);
  const uint64_t one = load.publish(1, 1000);
  EXPECT_GT(one, 1000u);
  EXPECT_LT(one, 1200u);
  EXPECT_EQ(load.publish(50, 1000), 50 * one);
}

// Each call reaches the callee and each answer the caller, more of them than may wait at once.
TEST(RelayLoad, CallsAreAnswered) {
  RelayLoad load(2);
  const uint64_t one = load.call(1);
  EXPECT_GT(one, 100u);
  EXPECT_GE(load.call(100), 100 * one);
}

}  // namespace
}  // namespace distlab::mesh
