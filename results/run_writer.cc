#include <cassert>

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include "results/store_impl.h"

namespace distlab::results {

namespace {

// Row ids in the database's table of names, by index into the spool's.
std::vector<int64_t> intern(SQLite::Database& db, const std::vector<std::string>& names) {
  SQLite::Statement find(db, "SELECT id FROM names WHERE text = ?");
  SQLite::Statement add(db, "INSERT INTO names(text) VALUES (?)");
  std::vector<int64_t> ids;
  ids.reserve(names.size());
  for (const std::string& name : names) {
    find.bindNoCopy(1, name);
    if (find.executeStep()) {
      ids.push_back(find.getColumn(0).getInt64());
    } else {
      add.bindNoCopy(1, name);
      add.exec();
      add.reset();
      ids.push_back(db.getLastInsertRowid());
    }
    find.reset();
  }
  return ids;
}

// Millions of rows go through here: the C interface, without SQLiteCpp's checks per column.
class Insert {
 public:
  Insert(SQLite::Database& db, const char* sql, int64_t run) : db_(db) {
    db.check(sqlite3_prepare_v3(db.getHandle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr));
    db.check(sqlite3_bind_int64(statement_, 1, run));
  }
  Insert(const Insert&) = delete;
  Insert& operator=(const Insert&) = delete;
  ~Insert() { sqlite3_finalize(statement_); }

  sqlite3_stmt* get() const { return statement_; }
  void step() {
    if (sqlite3_step(statement_) != SQLITE_DONE) db_.check(sqlite3_extended_errcode(db_.getHandle()));
    sqlite3_reset(statement_);
  }

 private:
  SQLite::Database& db_;
  sqlite3_stmt* statement_ = nullptr;
};

void insert_rows(SQLite::Database& db, int64_t run, const Spool& spool) {
  const std::vector<int64_t> ids = intern(db, spool.names());
  Insert event(db,
               "INSERT INTO events(run, n, time_ns, host, subject, kind, fields) "
               "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
               run);
  Insert sample(db, "INSERT INTO samples(run, n, metric, subject, time_ns, value) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                run);
  int64_t events = 0, samples = 0;
  const bool read = spool.visit([&](const Spool::Row& row) {
    if (row.type == Spool::Row::Type::event) {
      sqlite3_bind_int64(event.get(), 2, events++);
      sqlite3_bind_int64(event.get(), 3, row.time_ns);
      sqlite3_bind_int64(event.get(), 4, ids[row.a]);
      sqlite3_bind_int64(event.get(), 5, ids[row.b]);
      sqlite3_bind_int64(event.get(), 6, ids[row.c]);
      if (row.json.empty()) {
        sqlite3_bind_null(event.get(), 7);
      } else {
        sqlite3_bind_text(event.get(), 7, row.json.data(), static_cast<int>(row.json.size()), SQLITE_STATIC);
      }
      event.step();
    } else {
      sqlite3_bind_int64(sample.get(), 2, samples++);
      sqlite3_bind_int64(sample.get(), 3, ids[row.a]);
      sqlite3_bind_int64(sample.get(), 4, ids[row.b]);
      sqlite3_bind_int64(sample.get(), 5, row.time_ns);
      sqlite3_bind_double(sample.get(), 6, row.value);
      sample.step();
    }
  });
  if (!read) throw SQLite::Exception("the temporary file cannot be read back", SQLITE_IOERR);
}

void insert_verdicts(SQLite::Database& db, int64_t run, const std::vector<Verdict>& verdicts) {
  SQLite::Statement insert(db,
                           "INSERT INTO verdicts(run, n, name, text, outcome, why, file, line) "
                           "VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  for (size_t i = 0; i < verdicts.size(); ++i) {
    const Verdict& v = verdicts[i];
    insert.bind(1, run);
    insert.bind(2, static_cast<int64_t>(i));
    insert.bind(3, v.name);
    insert.bind(4, v.text);
    insert.bind(5, std::string(to_string(v.outcome)));
    insert.bind(6, v.why);
    insert.bind(7, v.file);
    insert.bind(8, v.line);
    insert.exec();
    insert.reset();
  }
}

void update_run(SQLite::Database& db, int64_t run, int64_t event_count, const RunEnd& end) {
  SQLite::Statement update(db,
                           "UPDATE runs SET status = ?, error = ?, wall_s = ?, virtual_s = ?, trace_hash = ?, "
                           "clock_p50_ns = ?, clock_p99_ns = ?, clock_max_ns = ?, wake_p50_ns = ?, wake_p99_ns = ?, "
                           "wake_max_ns = ?, event_count = ? WHERE id = ?");
  update.bind(1, std::string(to_string(end.status)));
  update.bind(2, end.error);
  update.bind(3, end.wall_seconds);
  update.bind(4, end.virtual_seconds);
  update.bind(5, end.trace_hash);
  int column = 6;
  for (const auto& lateness : {end.clock_lateness, end.wake_lateness}) {
    if (lateness) {
      update.bind(column, lateness->p50_ns);
      update.bind(column + 1, lateness->p99_ns);
      update.bind(column + 2, lateness->max_ns);
    }
    column += 3;
  }
  update.bind(column++, event_count);
  update.bind(column, run);
  update.exec();
}

}  // namespace

RunWriter::RunWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RunWriter::RunWriter(RunWriter&&) noexcept = default;
RunWriter& RunWriter::operator=(RunWriter&&) noexcept = default;

RunWriter::~RunWriter() {
  if (!impl_ || impl_->committed) return;
  // When this fails too, the next open finds the process gone and does the same.
  impl_->store->db->tryExec(
      fmt::format("UPDATE runs SET status = 'incomplete' WHERE id = {} AND status = 'running'", impl_->id));
}

int64_t RunWriter::run_id() const {
  return impl_->id;
}

void RunWriter::add(const EventRecord& event) {
  impl_->spool.add(event);
}

void RunWriter::add(const SampleRecord& sample) {
  impl_->spool.add(sample);
}

std::vector<EventRecord> RunWriter::events() const {
  std::vector<EventRecord> events;
  events.reserve(static_cast<size_t>(impl_->spool.event_count()));
  const std::vector<std::string>& names = impl_->spool.names();
  impl_->spool.visit([&](const Spool::Row& row) {
    if (row.type != Spool::Row::Type::event) return;
    auto fields = fields_from_json(row.json);
    assert(fields);
    events.push_back({row.time_ns, names[row.a], names[row.b], names[row.c], std::move(*fields)});
  });
  return events;
}

StoreResult<void> RunWriter::commit(const RunEnd& end, const std::vector<Verdict>& verdicts) {
  assert(!impl_->committed && end.status != RunStatus::running);
  if (const int error = impl_->spool.error(); error != 0)
    return tl::unexpected(store_error(impl_->store->path, error == ENOSPC ? SQLITE_FULL : SQLITE_IOERR, error, ""));
  return guarded(*impl_->store, [&] {
    SQLite::Database& db = *impl_->store->db;
    SQLite::Transaction transaction(db, SQLite::TransactionBehavior::IMMEDIATE);
    insert_rows(db, impl_->id, impl_->spool);
    insert_verdicts(db, impl_->id, verdicts);
    update_run(db, impl_->id, impl_->spool.event_count(), end);
    transaction.commit();
    impl_->committed = true;
  });
}

}  // namespace distlab::results
