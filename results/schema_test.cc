#include "results/schema.h"

#include <SQLiteCpp/Exception.h>
#include <gtest/gtest.h>

#include "results/store.h"
#include "results/testing/temp_dir.h"

namespace distlab::results {
namespace {

// An older file, as a dump of it says, gets the missing steps and keeps its rows; both happen or none.
TEST(Schema, MigratesAnOlderFile) {
  TempDir dir;
  {
    SQLite::Database old(dir / "x.db", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    old.exec(
        "PRAGMA application_id = 1684824418; PRAGMA user_version = 1;"
        "CREATE TABLE families(id INTEGER PRIMARY KEY, command TEXT NOT NULL, started_at TEXT NOT NULL);"
        "INSERT INTO families VALUES (1, 'distlab run old.yaml', '2026-01-01T00:00:00Z');");
  }
  SQLite::Database db(dir / "x.db", SQLite::OPEN_READWRITE);
  std::vector<const char*> steps = {"syntax error: step 1 must not run again",
                                    "ALTER TABLE families ADD COLUMN user TEXT NOT NULL DEFAULT 'nobody'",
                                    "CREATE TABLE notes(id INTEGER PRIMARY KEY); this step fails"};
  EXPECT_EQ(schema_state(db, steps), SchemaState::older);
  EXPECT_THROW(migrate(db, steps), SQLite::Exception);
  EXPECT_EQ(db.execAndGet("PRAGMA user_version").getInt(), 1);
  EXPECT_FALSE(db.tableExists("notes"));
  steps.pop_back();
  migrate(db, steps);
  EXPECT_EQ(schema_state(db, steps), SchemaState::current);
  EXPECT_EQ(db.execAndGet("SELECT command || user FROM families").getString(), "distlab run old.yamlnobody");
  EXPECT_EQ(schema_state(db, {steps[0]}), SchemaState::newer);
}

// A file of the first version gets what the second one added, and its runs lack it.
TEST(Schema, BringsTheFirstVersionUpToDate) {
  TempDir dir;
  {
    SQLite::Database old(dir / "x.db", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    migrate(old, {migrations().front()});
    old.exec(
        "INSERT INTO scenario_texts VALUES (1, 'h', 'name: x');"
        "INSERT INTO runs(family, scenario, labels, scenario_file, scenario_text, ground, seed, commit_id, machine, "
        "versions, started_at, nodes, owner, status, clock_p50_ns, clock_p99_ns, clock_max_ns, event_count) "
        "VALUES (1, 'x', '{}', 'x.yaml', 1, 'emu', 7, '', '', '', '', '{}', '', 'complete', 1, 2, 3, 4)");
  }
  const auto store = Store::open(dir / "x.db", OpenMode::readable);
  ASSERT_TRUE(store) << store.error().message;
  const RunRecord run = store->runs().value().at(0);
  EXPECT_EQ(run.clock_lateness, (ClockLateness{1, 2, 3}));
  EXPECT_FALSE(run.wake_lateness);
  EXPECT_EQ(run.event_count, 4);
}

}  // namespace
}  // namespace distlab::results
