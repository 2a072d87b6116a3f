#include "real/lab/capabilities.h"

#include <gmock/gmock.h>

#include "real/lab/testing/run.h"

namespace distlab::lab {
namespace {

using ::testing::HasSubstr;

class CapabilitiesTest : public LabTest {};

// Whatever is not there comes with a reason of one line, and what is there with none.
TEST_P(CapabilitiesTest, EveryNoHasAReason) {
  run_as(GetParam(), [] {
    const Capabilities found = capabilities();
    for (const Capability* capability : found.all()) {
      EXPECT_EQ(capability->available, capability->reason.empty()) << capability->name;
      EXPECT_EQ(capability->reason.find('\n'), std::string::npos) << capability->reason;
      std::printf("%s: %s\n", capability->name.c_str(), capability->available ? "yes" : capability->reason.c_str());
    }
  });
}

// A device file closed to ordinary users is named in the reason, and the way to open it too; veth
// ports need no such file.
TEST_P(CapabilitiesTest, ClosedTunFileIsTheReason) {
  run_as(GetParam(), [] {
    const Capabilities found = capabilities();
    if (!found.lab.available) return;  // EveryNoHasAReason has seen why
    EXPECT_TRUE(found.veth.available) << found.veth.reason;
    if (::access("/dev/net/tun", R_OK | W_OK) == 0) {
      EXPECT_TRUE(found.tun.available) << found.tun.reason;
    } else {
      EXPECT_THAT(found.tun.reason, HasSubstr("/dev/net/tun"));
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Users, CapabilitiesTest, ::testing::ValuesIn(users()), ::testing::PrintToStringParamName());

}  // namespace
}  // namespace distlab::lab
