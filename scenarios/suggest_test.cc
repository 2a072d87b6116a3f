#include "scenarios/suggest.h"

#include <gtest/gtest.h>

namespace distlab::scenario {
namespace {

// Each kind of slip costs one.
TEST(Suggest, CountsSlips) {
  EXPECT_EQ(edit_distance("delay", "delay"), 0U);
  EXPECT_EQ(edit_distance("delay", "dealy"), 1U);   // swap
  EXPECT_EQ(edit_distance("delay", "dely"), 1U);    // letter missing
  EXPECT_EQ(edit_distance("delay", "dellay"), 1U);  // one too many
  EXPECT_EQ(edit_distance("delay", "delai"), 1U);   // a wrong one
  EXPECT_EQ(edit_distance("", "abc"), 3U);
}

// A word that is near is suggested, whatever its case; one that is far is not.
TEST(Suggest, FindsTheNearest) {
  const std::vector<std::string> keys{"net_ticktime", "net_tickintensity", "site", "name"};
  EXPECT_EQ(nearest("net_tick_time", keys), "net_ticktime");
  EXPECT_EQ(nearest("SITE", keys), "site");
  EXPECT_EQ(nearest("queue", keys), "");
  EXPECT_EQ(nearest("x", {"y"}), "");  // nothing of it is left
  EXPECT_EQ(nearest(std::string(10'000, 'n'), keys), "");
  EXPECT_EQ(did_you_mean("nmae", keys), "; did you mean 'name'?");
  EXPECT_EQ(did_you_mean("queue", keys), "");
}

}  // namespace
}  // namespace distlab::scenario
