#include "results/schema.h"

#include <SQLiteCpp/Exception.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace distlab::results
