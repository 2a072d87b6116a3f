#include "models/process/global_tables.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace distlab::process {
namespace {

// The order in which lists:sort/1 of OTP 25.2.3 puts these pids (measured).
TEST(GlobalTables, PidOrderIsErlangs) {
  std::vector<Pid> sorted;
  for (const uint32_t serial : {0u, 1u}) {
    for (const uint32_t id : {1u, 2u}) {
      for (const char* node : {"a@h", "b@h"}) {
        for (const uint32_t creation : {1u, 2u}) sorted.push_back(Pid{node, id, serial, creation});
      }
    }
  }
  std::vector<Pid> shuffled = sorted;
  std::reverse(shuffled.begin(), shuffled.end());
  std::sort(shuffled.begin(), shuffled.end(), pid_less);
  EXPECT_EQ(shuffled, sorted);
}

// Names are found by name, by the pid and by the monitor.
TEST(GlobalTables, Names) {
  GlobalTables tables;
  const Pid pid{"a@h", 1, 0, 1};
  const Ref ref{"a@h", 1, {1, 0, 0}};
  tables.put_name({etf::tuple(etf::atom("n"), Term(1)), pid, etf::atom("m"), ref});
  ASSERT_NE(tables.find_name(etf::tuple(etf::atom("n"), Term(1))), nullptr);
  EXPECT_EQ(tables.find_name(etf::atom("n")), nullptr);
  EXPECT_TRUE(tables.has_pid(pid));
  ASSERT_NE(tables.name_of(ref), nullptr);
  EXPECT_EQ(tables.name_count(), 1u);
  tables.erase_name(etf::tuple(etf::atom("n"), Term(1)));
  EXPECT_FALSE(tables.has_pid(pid));
}

// A lock can be set by its requester again, by nobody else, and by all once it is gone.
TEST(GlobalTables, Locks) {
  GlobalTables tables;
  const Pid pid{"a@h", 1, 0, 1};
  const Ref ref{"a@h", 1, {1, 0, 0}};
  const Term resource = etf::atom("global");
  EXPECT_TRUE(tables.can_set_lock(resource, Term(1)));
  tables.put_lock({resource, Term(1), {{pid, ref}}});
  EXPECT_TRUE(tables.can_set_lock(resource, Term(1)));
  EXPECT_FALSE(tables.can_set_lock(resource, Term(2)));
  EXPECT_EQ(tables.locks_with(ref), std::vector<Term>{resource});
  tables.erase_lock(resource);
  EXPECT_TRUE(tables.can_set_lock(resource, Term(2)));
}

}  // namespace
}  // namespace distlab::process
