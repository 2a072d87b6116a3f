#include "results/schema.h"

#include <string>

#include <SQLiteCpp/Transaction.h>

namespace distlab::results {

namespace {

// events is clustered on (run, n): a run is written in one go, in that order, and read by run, so
// no other index slows the writing. Strings that repeat (hosts, subjects, kinds) are numbers into
// names; events_v and samples_v put them back.
constexpr const char* version_1 = R"sql(
CREATE TABLE families(
  id INTEGER PRIMARY KEY,
  command TEXT NOT NULL,
  started_at TEXT NOT NULL);
CREATE TABLE scenario_texts(
  id INTEGER PRIMARY KEY,
  hash TEXT NOT NULL,
  text TEXT NOT NULL);
CREATE INDEX scenario_texts_by_hash ON scenario_texts(hash);
CREATE TABLE runs(
  id INTEGER PRIMARY KEY,
  family INTEGER NOT NULL REFERENCES families(id),
  scenario TEXT NOT NULL,
  labels TEXT NOT NULL,
  scenario_file TEXT NOT NULL,
  scenario_text INTEGER NOT NULL REFERENCES scenario_texts(id),
  ground TEXT NOT NULL,
  seed INTEGER NOT NULL,
  commit_id TEXT NOT NULL,
  machine TEXT NOT NULL,
  versions TEXT NOT NULL,
  started_at TEXT NOT NULL,
  nodes TEXT NOT NULL,
  owner TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('running', 'complete', 'incomplete', 'failed')),
  error TEXT NOT NULL DEFAULT '',
  wall_s REAL NOT NULL DEFAULT 0,
  virtual_s REAL NOT NULL DEFAULT 0,
  trace_hash TEXT NOT NULL DEFAULT '',
  clock_p50_ns INTEGER,
  clock_p99_ns INTEGER,
  clock_max_ns INTEGER,
  event_count INTEGER NOT NULL DEFAULT 0);
CREATE INDEX runs_by_family ON runs(family);
CREATE TABLE names(
  id INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE);
CREATE TABLE events(
  run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
  n INTEGER NOT NULL,
  time_ns INTEGER NOT NULL,
  host INTEGER NOT NULL REFERENCES names(id),
  subject INTEGER NOT NULL REFERENCES names(id),
  kind INTEGER NOT NULL REFERENCES names(id),
  fields TEXT,
  PRIMARY KEY (run, n)) WITHOUT ROWID;
CREATE TABLE samples(
  run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
  n INTEGER NOT NULL,
  metric INTEGER NOT NULL REFERENCES names(id),
  subject INTEGER NOT NULL REFERENCES names(id),
  time_ns INTEGER NOT NULL,
  value REAL,
  PRIMARY KEY (run, n)) WITHOUT ROWID;
CREATE TABLE verdicts(
  run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
  n INTEGER NOT NULL,
  name TEXT NOT NULL,
  text TEXT NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('pass', 'fail', 'unknown')),
  why TEXT NOT NULL,
  file TEXT NOT NULL,
  line INTEGER NOT NULL,
  PRIMARY KEY (run, n)) WITHOUT ROWID;
CREATE VIEW runs_v AS
  SELECT r.id AS run, r.family, r.scenario, r.labels, r.ground, r.seed, r.status, r.error, r.started_at,
         r.wall_s, r.virtual_s, r.trace_hash, r.event_count, r.commit_id, r.machine, r.versions,
         t.hash AS scenario_hash, t.text AS scenario_text,
         CASE WHEN EXISTS (SELECT 1 FROM verdicts v WHERE v.run = r.id AND v.outcome = 'fail') THEN 'fail'
              WHEN r.status <> 'complete' THEN 'unknown'
              WHEN EXISTS (SELECT 1 FROM verdicts v WHERE v.run = r.id AND v.outcome = 'unknown') THEN 'unknown'
              ELSE 'pass' END AS outcome
  FROM runs r JOIN scenario_texts t ON t.id = r.scenario_text;
CREATE VIEW events_v AS
  SELECT e.run, e.n, e.time_ns, e.time_ns / 1e9 AS time_s, h.text AS host, s.text AS subject, k.text AS kind,
         e.fields
  FROM events e JOIN names h ON h.id = e.host JOIN names s ON s.id = e.subject JOIN names k ON k.id = e.kind;
CREATE VIEW calls_v AS
  SELECT e.run, e.time_ns / 1e9 AS time_s, s.text AS subject, json_extract(e.fields, '$.result') AS result,
         json_extract(e.fields, '$.elapsed_ns') / 1e6 AS elapsed_ms
  FROM events e JOIN names s ON s.id = e.subject
  WHERE e.kind = (SELECT id FROM names WHERE text = 'call_done');
CREATE VIEW samples_v AS
  SELECT a.run, m.text AS metric, s.text AS subject, a.time_ns, a.time_ns / 1e9 AS time_s, a.value
  FROM samples a JOIN names m ON m.id = a.metric JOIN names s ON s.id = a.subject;
)sql";

// How late processes were woken (emu, live).
constexpr const char* version_2 = R"sql(
ALTER TABLE runs ADD COLUMN wake_p50_ns INTEGER;
ALTER TABLE runs ADD COLUMN wake_p99_ns INTEGER;
ALTER TABLE runs ADD COLUMN wake_max_ns INTEGER;
)sql";

int pragma(SQLite::Database& db, const char* name) {
  return db.execAndGet(std::string("PRAGMA ") + name).getInt();
}

}  // namespace

const std::vector<const char*>& migrations() {
  static const std::vector<const char*> steps = {version_1, version_2};
  return steps;
}

SchemaState schema_state(SQLite::Database& db, const std::vector<const char*>& steps) {
  // One snapshot for all three questions: another process may be creating the file meanwhile.
  const SQLite::Transaction snapshot(db);
  const int version = pragma(db, "user_version");
  const bool ours = pragma(db, "application_id") == application_id;
  const bool empty = db.execAndGet("SELECT count(*) FROM sqlite_schema").getInt() == 0;
  if (!ours && !(empty && version == 0)) return SchemaState::foreign;
  const int current = static_cast<int>(steps.size());
  if (version > current) return SchemaState::newer;
  return version < current ? SchemaState::older : SchemaState::current;
}

void migrate(SQLite::Database& db, const std::vector<const char*>& steps) {
  SQLite::Transaction transaction(db, SQLite::TransactionBehavior::IMMEDIATE);
  // Read inside the transaction: another process may have just done it.
  for (size_t version = static_cast<size_t>(pragma(db, "user_version")); version < steps.size(); ++version)
    db.exec(steps[version]);
  db.exec("PRAGMA application_id = " + std::to_string(application_id));
  db.exec("PRAGMA user_version = " + std::to_string(steps.size()));
  transaction.commit();
}

}  // namespace distlab::results
