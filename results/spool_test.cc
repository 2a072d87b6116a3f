#include "results/spool.h"

#include <cerrno>
#include <filesystem>

#include <gtest/gtest.h>

#include "results/testing/temp_dir.h"

namespace distlab::results {
namespace {

EventRecord an_event(int64_t i) {
  return {i * 1000, "a", "a->b", "message_sent", {{"seq", i}, {"note", std::string("x")}, {"load", 0.5}}};
}

// What outgrows memory goes through a nameless file and comes back in order.
TEST(Spool, KeepsOrderBeyondItsMemory) {
  TempDir dir;
  Spool spool(dir.path(), 1000);
  for (int64_t i = 0; i < 500; ++i) spool.add(an_event(i));
  int64_t next = 0;
  const auto check = [&](const Spool::Row& row) {
    EXPECT_EQ(row.time_ns, next * 1000);
    EXPECT_EQ(row.json, fields_to_json(an_event(next).fields));
    ++next;
  };
  EXPECT_TRUE(spool.visit(check));
  EXPECT_EQ(next, 500);
  for (int64_t i = 500; i < 600; ++i) spool.add(an_event(i));
  next = 0;
  EXPECT_TRUE(spool.visit(check));
  EXPECT_EQ(next, 600);
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

// A spool that cannot make its file says so instead of losing rows silently.
TEST(Spool, ReportsThatItCannotWrite) {
  Spool spool("/no/such/folder", 100);
  for (int64_t i = 0; i < 10; ++i) spool.add(an_event(i));
  EXPECT_EQ(spool.error(), ENOENT);
}

}  // namespace
}  // namespace distlab::results
