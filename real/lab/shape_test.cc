#include "real/lab/shape.h"

#include <gmock/gmock.h>

namespace distlab::lab {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// No properties need no commands.
TEST(ShapeTest, NothingIsNothing) {
  EXPECT_THAT(tc_commands("eth0", 1500, {}, {}), IsEmpty());
}

// A rate alone is tbf, with a queue that counts packets and a burst of a millisecond, but of one
// packet at least.
TEST(ShapeTest, RateIsTbf) {
  EXPECT_THAT(tc_commands("eth0", 1500, {}, {.rate_bps = 20'000'000, .queue = 100}),
              ElementsAre("qdisc add dev eth0 root handle 2: tbf rate 20000000bit burst 2500 limit 1073741824",
                          "qdisc add dev eth0 parent 2:1 handle 3: pfifo limit 100"));
  EXPECT_THAT(tc_commands("eth0", 1500, {}, {.rate_bps = 64'000})[0],
              "qdisc add dev eth0 root handle 2: tbf rate 64000bit burst 1514 limit 1073741824");
}

// The rest is netem, above the rate.
TEST(ShapeTest, TheRestIsNetem) {
  const Shape all{.rate_bps = 64'000,
                  .queue = 9,
                  .delay = 40ms,
                  .jitter = 1500ns,
                  .loss = 0.005,
                  .duplicate = 0.01,
                  .reorder = 0.25};
  EXPECT_THAT(tc_commands("eth1", 1500, {}, all),
              ElementsAre("qdisc add dev eth1 root handle 1: netem limit 100000 delay 40000.000us 1.500us "
                          "loss random 0.500000% duplicate 1.000000% reorder 25.000000%",
                          "qdisc add dev eth1 parent 1:1 handle 2: tbf rate 64000bit burst 1514 limit 1073741824",
                          "qdisc add dev eth1 parent 2:1 handle 3: pfifo limit 9"));
}

// Values change in place; a discipline that comes or goes has all made anew.
TEST(ShapeTest, ChangesInPlaceIfItCan) {
  const Shape slow{.rate_bps = 64'000, .queue = 9};
  const Shape fast{.rate_bps = 128'000, .queue = 9};
  EXPECT_THAT(tc_commands("eth0", 1500, slow, fast),
              ElementsAre("qdisc change dev eth0 root handle 2: tbf rate 128000bit burst 1514 limit 1073741824",
                          "qdisc change dev eth0 parent 2:1 handle 3: pfifo limit 9"));
  EXPECT_THAT(tc_commands("eth0", 1500, slow, {}), ElementsAre("qdisc del dev eth0 root"));
  EXPECT_THAT(tc_commands("eth0", 1500, slow, {.loss = 0.5}),
              ElementsAre("qdisc del dev eth0 root",
                          "qdisc add dev eth0 root handle 1: netem limit 100000 loss random 50.000000%"));
}

}  // namespace
}  // namespace distlab::lab
