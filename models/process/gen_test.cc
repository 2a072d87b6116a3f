#include "models/process/gen.h"

#include <gtest/gtest.h>

namespace distlab::process {
namespace {

const Pid pid{"a@hosta.test", 1, 0, 1};
const Ref ref{"a@hosta.test", 1, {1, 2, 3}};

// A call is taken apart into what it was made of; anything else is none.
TEST(Gen, CallsAndCasts) {
  const auto call = as_gen_call(gen_call(pid, alias_tag(ref), Term(7)));
  ASSERT_TRUE(call);
  EXPECT_EQ(call->from, pid);
  EXPECT_EQ(call->tag, alias_tag(ref));
  EXPECT_EQ(call->request, Term(7));
  EXPECT_EQ(as_gen_cast(gen_cast(Term(8))), Term(8));
  EXPECT_FALSE(as_gen_call(gen_cast(Term(8))));
  EXPECT_FALSE(as_gen_call(etf::tuple(etf::atom("$gen_call"), pid, Term(7))));
  EXPECT_FALSE(as_gen_call(etf::tuple(etf::atom("$gen_call"), etf::tuple(Term(1), Term(2)), Term(7))));
}

// gen:reply/2 answers through the alias of [alias|Ref] and of [[alias|Ref]|_], and of nothing else.
TEST(Gen, AliasesInTags) {
  EXPECT_EQ(alias_of(alias_tag(ref)), ref);
  EXPECT_EQ(alias_of(etf::improper_list({alias_tag(ref)}, Term(5))), ref);
  EXPECT_EQ(alias_of(ref), std::nullopt);
  EXPECT_EQ(alias_of(etf::list({etf::atom("alias"), ref})), std::nullopt);
  EXPECT_EQ(alias_of(etf::improper_list({etf::atom("other")}, ref)), std::nullopt);
  EXPECT_EQ(alias_of(etf::list({})), std::nullopt);
}

}  // namespace
}  // namespace distlab::process
