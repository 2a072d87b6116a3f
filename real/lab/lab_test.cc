#include "real/lab/lab.h"

#include <chrono>

#include <gmock/gmock.h>

#include "real/lab/testing/net.h"
#include "real/lab/testing/run.h"

namespace distlab::lab {
namespace {

using ::testing::HasSubstr;

class LabHostsTest : public LabTest {};

// A hundred hosts with ports, and a hundred on links of a router; how long that took is printed.
TEST_P(LabHostsTest, AHundredHosts) {
  run_in_lab(GetParam(), [](Lab& lab) {
    using Milliseconds = std::chrono::duration<double, std::milli>;
    const auto start = std::chrono::steady_clock::now();
    std::vector<Attachment> attachments;
    for (int i = 1; i <= 100; ++i) {
      const Result<HostId> host = lab.add_host("host" + std::to_string(i));
      ASSERT_TRUE(host) << host.error();
      attachments.push_back({.host = *host, .address = "10.0.1." + std::to_string(i)});
    }
    const Milliseconds hosts = std::chrono::steady_clock::now() - start;
    Result<std::vector<Port>> ports = lab.attach(attachments);
    ASSERT_TRUE(ports) << ports.error();
    EXPECT_EQ(ports->size(), 100U);
    const Milliseconds attached = std::chrono::steady_clock::now() - start;
    const HostId router = *lab.add_host("router", Role::router);
    for (const Attachment& attachment : attachments) {
      const LinkId link = lab.link({.host = attachment.host, .address = attachment.address}, {.host = router});
      lab.route(link, Side::a, "default");
      lab.route(link, Side::b, attachment.address);
      lab.shape(link, Direction::a_to_b, {.rate_bps = 100'000'000});
      lab.shape(link, Direction::b_to_a, {.rate_bps = 100'000'000});
    }
    const Result<void> applied = lab.apply();
    ASSERT_TRUE(applied) << applied.error();
    const Milliseconds linked = std::chrono::steady_clock::now() - start;
    std::printf("100 hosts: %.0f ms, their ports: %.0f ms, their links: %.0f ms\n", hosts.count(),
                (attached - hosts).count(), (linked - attached).count());
    EXPECT_TRUE(ping(lab, attachments.front().host, attachments.back().address));
  });
}

// A name must be one that gethostname can say.
TEST_P(LabHostsTest, NamesHaveALength) {
  run_in_lab(GetParam(), [](Lab& lab) {
    EXPECT_TRUE(lab.add_host(std::string(64, 'x')));
    for (const std::string& name : {std::string(65, 'x'), std::string()}) {
      const Result<HostId> added = lab.add_host(name);
      ASSERT_FALSE(added);
      EXPECT_THAT(added.error(), HasSubstr("adding host " + name));
      EXPECT_THAT(added.error(), HasSubstr("Invalid argument"));
    }
  });
}

// No process starts in a network that is only written down.
TEST_P(LabHostsTest, AppliesBeforeProcesses) {
  run_in_lab(GetParam(), [](Lab& lab) {
    const HostId a = *lab.add_host("a");
    lab.link({.host = a}, {.host = *lab.add_host("b")});
    const Result<Child> child = lab.spawn(a, {.arguments = {"/bin/true"}});
    ASSERT_FALSE(child);
    EXPECT_EQ(child.error(), "starting a process in a: apply() first");
  });
}

// Commands of one's own run in the host, and their errors come back.
TEST_P(LabHostsTest, RunsOtherCommands) {
  run_in_lab(GetParam(), [](Lab& lab) {
    const HostId a = *lab.add_host("a");
    const HostId b = *lab.add_host("b");
    const LinkId link = lab.link({.host = a, .address = "10.0.1.1"}, {.host = b, .address = "10.0.2.1"});
    lab.route(link, Side::a, "default");
    lab.route(link, Side::b, "default");
    ASSERT_TRUE(lab.apply());
    EXPECT_EQ(lab.interface(link, Side::b), "eth0");
    EXPECT_TRUE(ping(lab, a, "10.0.2.1"));
    const Result<void> done =
        lab.run(b, Tool::nft,
                {"add table ip own", "add chain ip own out { type filter hook output priority 0 ; }",
                 "add rule ip own out oifname " + lab.interface(link, Side::b) + " drop"});
    EXPECT_TRUE(done) << done.error();
    EXPECT_FALSE(ping(lab, a, "10.0.2.1", 50));
    const Result<void> failed = lab.run(a, Tool::ip, {"link set eth7 up"});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error(), "ip link set eth7 up: Cannot find device \"eth7\" (in a)");
  });
}

INSTANTIATE_TEST_SUITE_P(Users, LabHostsTest, ::testing::ValuesIn(users()), ::testing::PrintToStringParamName());

}  // namespace
}  // namespace distlab::lab
