#include "real/lab/tools.h"

#include <gmock/gmock.h>

namespace distlab::lab {
namespace {

// The number of the line ip and tc complain about leads to the command.
TEST(ToolsTest, NamesTheCommandOfIp) {
  const Script script{Tool::ip, -1, "alice", {"link set eth0 up", "addr add 1/2 dev eth0"}};
  EXPECT_EQ(explain(script, "Error: any valid prefix is expected rather than \"1/2\".\nCommand failed -:2\n"),
            "ip addr add 1/2 dev eth0: Error: any valid prefix is expected rather than \"1/2\". (in alice)");
}

// nft says the line first, and then again where in it.
TEST(ToolsTest, NamesTheCommandOfNft) {
  const Script script{Tool::nft, -1, "bob", {"add table ip x", "add rule ip x y drop"}};
  EXPECT_EQ(explain(script, "/dev/stdin:2:1-20: Error: No such file or directory\nadd rule ip x y drop\n^^^^^^^^\n"),
            "nft add rule ip x y drop: No such file or directory (in bob)");
}

// What is not understood is passed on as it is.
TEST(ToolsTest, PassesOnTheRest) {
  const Script script{Tool::tc, -1, "bob", {"qdisc show"}};
  EXPECT_EQ(explain(script, "Command failed -:77\n"), "tc (commands): Command failed -:77 (in bob)");
  EXPECT_EQ(explain(script, "one\ntwo"), "tc (commands): one; two (in bob)");
}

// Of several scripts the first that fails is the error, and a tool that is killed is one, too.
TEST(ToolsTest, FirstErrorCounts) {
  const std::vector<Script> scripts{{Tool::ip, -1, "here", {"link show lo"}},
                                    {Tool::ip, -1, "there", {"no such command"}},
                                    {Tool::ip, -1, "elsewhere", {"no such command either"}}};
  const Result<void> run = run_scripts(scripts);
  ASSERT_FALSE(run);
  EXPECT_THAT(run.error(), ::testing::HasSubstr("(in there)"));
}

}  // namespace
}  // namespace distlab::lab
