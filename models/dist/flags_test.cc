#include "models/dist/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace distlab::dist {
namespace {

using ::testing::ElementsAre;

// The sets have the values measured on and read in OTP 25 (facts otp-distribution.md section 3).
TEST(Flags, SetsHaveTheMeasuredValues) {
  EXPECT_EQ(mandatory_25, 0x1070f94u);
  EXPECT_EQ(mandatory_26, 0x1070f94u | Flags{0x400000000} | 0x2000000u);
  EXPECT_EQ(mandatory_27, mandatory_26 | 0x4000000u);
  EXPECT_EQ(default_flags(true), Flags{0xd075f5fbc} + 1 + 0x800000);
  EXPECT_EQ(default_flags(false), Flags{0xd075f5fbc} + 0x800000);
}

// What we announce satisfies every release, visible or hidden.
TEST(Flags, DefaultsSatisfyEveryRelease) {
  for (const bool visible : {true, false}) {
    for (const Flags mandatory : {mandatory_25, mandatory_26, mandatory_27}) {
      EXPECT_THAT(check_mandatory(default_flags(visible), mandatory), ElementsAre());
    }
  }
}

// The digest of OTP 25 alone stands for the flags it digests, and for nothing that came later.
TEST(Flags, DigestStandsForItsFlags) {
  const Flags expanded = expand_mandatory_25(flag::mandatory_25_digest);
  EXPECT_THAT(check_mandatory(expanded), ElementsAre());
  EXPECT_THAT(check_mandatory(expanded, mandatory_26), ElementsAre("V4_NC", "UNLINK_ID"));
  EXPECT_EQ(expand_mandatory_25(flag::spawn), flag::spawn);
}

// Every single missing flag is named.
TEST(Flags, EachMissingFlagIsNamed) {
  for (const auto& name : flags_to_names(mandatory_25)) {
    EXPECT_THAT(check_mandatory(mandatory_25 & ~*parse_flag(name)), ElementsAre(name));
  }
}

// Names and bits belong together, and what has no name is printed as dist_util does.
TEST(Flags, NamesRoundTrip) {
  for (int bit = 0; bit < 64; ++bit) {
    const Flags flags = Flags{1} << bit;
    const auto names = flags_to_names(flags);
    ASSERT_EQ(names.size(), 1u);
    if (names[0].rfind("UNKNOWN<", 0) == 0) continue;
    EXPECT_EQ(parse_flag(names[0]), flags);
    EXPECT_EQ(parse_flag("DFLAG_" + names[0]), flags);
  }
  EXPECT_THAT(flags_to_names(Flags{0x8000} | flag::alias), ElementsAre("UNKNOWN<8000>", "ALIAS"));
  EXPECT_EQ(parse_flag("NO_SUCH_FLAG"), std::nullopt);
}

// The line OTP 25 logged when a native node left out UTF8_ATOMS, word for word.
TEST(Flags, LogLineForOneMissingFlag) {
  EXPECT_EQ(missing_flags_log("a@hosta.test", "native@hostb.test", Direction::outgoing, {"UTF8_ATOMS"}),
            "** 'a@hosta.test': Connection attempt to node 'native@hostb.test' aborted since it cannot handle "
            "[\"UTF8_ATOMS\"].**");
  EXPECT_EQ(missing_flags_log("a@hosta", "c@hostb", Direction::incoming, {"SPAWN"}),
            "** a@hosta: Connection attempt from node c@hostb rejected since it cannot handle [\"SPAWN\"].**");
}

// io_lib's ~p puts one string per line once the list does not fit into 80 columns (seen with erl).
TEST(Flags, LogLineForSeveralMissingFlagsIsBrokenAsErlangBreaksIt) {
  const std::string line =
      missing_flags_log("a@hosta.test", "native@hostb.test", Direction::outgoing, {"MAP_TAG", "UTF8_ATOMS"});
  EXPECT_EQ(line,
            "** 'a@hosta.test': Connection attempt to node 'native@hostb.test' aborted since it cannot handle "
            "[\"MAP_TAG\",\n" +
                std::string(98, ' ') + "\"UTF8_ATOMS\"].**");
}

}  // namespace
}  // namespace distlab::dist
