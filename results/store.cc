#include "results/store.h"

#include <cassert>
#include <cerrno>
#include <chrono>
#include <thread>
#include <unordered_map>

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "results/owner.h"
#include "results/schema.h"
#include "results/store_impl.h"

namespace distlab::results {

namespace {

using Json = nlohmann::ordered_json;

// Commits of parallel runs wait for each other; one takes seconds when it holds millions of events.
constexpr int busy_timeout_ms = 300'000;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool may_be_written(const std::string& path) {
  return ::access(path.c_str(), W_OK) == 0 && ::access(folder_of(path).c_str(), W_OK | X_OK) == 0;
}

// A "file:" address, in which ?, # and % mean something.
std::string immutable_uri(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '?' || c == '#' || c == '%') {
      uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

// What can be said about the path before SQLite sees it; SQLite's own words are poorer.
std::optional<StoreError> look_at(const std::string& path, OpenMode mode) {
  struct stat info {};
  const auto error = [&](int code) {
    return StoreError{fmt::format("{}: cannot open the database: {}", path, strerror(code)), true};
  };
  if (::stat(path.c_str(), &info) != 0) {
    if (errno != ENOENT || mode != OpenMode::create) return error(errno);
    if (::access(folder_of(path).c_str(), W_OK | X_OK) != 0) return error(errno);
    return std::nullopt;
  }
  if (S_ISDIR(info.st_mode)) return error(EISDIR);
  if (!S_ISREG(info.st_mode)) return StoreError{fmt::format("{}: not a regular file", path), true};
  if (::access(path.c_str(), R_OK) != 0) return error(errno);
  if (mode != OpenMode::read_only && ::access(path.c_str(), W_OK) != 0) return error(errno);
  return std::nullopt;
}

void prepare_for_writing(SQLite::Database& db, int64_t max_bytes) {
  // WAL: readers and the one writer do not wait for each other, and a killed writer leaves nothing.
  // NORMAL survives any death of a process; a power failure may cost the last runs, not the file.
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = OFF");
  if (max_bytes > 0) {
    const int64_t page = db.execAndGet("PRAGMA page_size").getInt64();
    db.exec(fmt::format("PRAGMA max_page_count = {}", std::max<int64_t>(1, max_bytes / page)));
  }
}

// A reader of a WAL database needs to write beside it. Where it must not, the file may be read as
// it is, provided no writer has left work in the log.
void open_for_reading(Store::Impl& store) {
  try {
    store.db.emplace(store.path, SQLite::OPEN_READONLY, busy_timeout_ms);
    store.db->execAndGet("SELECT count(*) FROM sqlite_schema");
  } catch (const SQLite::Exception& error) {
    const int code = error.getErrorCode();
    struct stat log {};
    const bool log_is_empty = ::stat((store.path + "-wal").c_str(), &log) != 0 || log.st_size == 0;
    if ((code != SQLITE_CANTOPEN && code != SQLITE_READONLY) || !log_is_empty) throw;
    store.db.emplace(immutable_uri(store.path), SQLite::OPEN_READONLY | SQLite::OPEN_URI, busy_timeout_ms);
  }
}

void mark_the_dead(SQLite::Database& db) {
  std::vector<int64_t> dead;
  SQLite::Statement running(db, "SELECT id, owner FROM runs WHERE status = 'running'");
  while (running.executeStep())
    if (owner_is_gone(running.getColumn(1).getString())) dead.push_back(running.getColumn(0).getInt64());
  running.reset();
  for (const int64_t id : dead)
    db.exec(
        fmt::format("UPDATE runs SET status = 'incomplete', error = 'the process ended in the middle of the run' "
                    "WHERE id = {} AND status = 'running'",
                    id));
}

std::optional<StoreError> open_now(Store::Impl& store, int64_t max_bytes) {
  if (store.mode == OpenMode::read_only) {
    open_for_reading(store);
  } else {
    const int create = store.mode == OpenMode::create ? SQLite::OPEN_CREATE : 0;
    store.db.emplace(store.path, SQLite::OPEN_READWRITE | create, busy_timeout_ms);
  }
  SQLite::Database& db = *store.db;
  const SchemaState state = schema_state(db);
  const bool writable = store.mode != OpenMode::read_only;
  const auto user = [&](const char* text) { return StoreError{fmt::format("{}: {}", store.path, text), true}; };
  if (state == SchemaState::foreign) return user("this is the database of another program, not of distlab");
  if (state == SchemaState::newer) return user("made by a newer distlab than this one; use that one to read it");
  if (state == SchemaState::older && db.execAndGet("PRAGMA user_version").getInt() == 0 &&
      store.mode != OpenMode::create)
    return user("an empty database, it holds no run");
  if (state == SchemaState::older && !writable)
    return user("made by an older distlab, and it cannot be brought up to date without writing to it");
  if (writable) {
    prepare_for_writing(db, max_bytes);
    if (state == SchemaState::older) migrate(db);
    mark_the_dead(db);
  }
  return std::nullopt;
}

constexpr const char* select_runs =
    "SELECT r.id, r.family, r.scenario, r.labels, r.scenario_file, t.text, t.hash, r.ground, r.seed, r.commit_id, "
    "r.machine, r.versions, r.started_at, r.nodes, r.owner, r.status, r.error, r.wall_s, r.virtual_s, r.trace_hash, "
    "r.clock_p50_ns, r.clock_p99_ns, r.clock_max_ns, r.wake_p50_ns, r.wake_p99_ns, r.wake_max_ns, r.event_count "
    "FROM runs r JOIN scenario_texts t ON t.id = r.scenario_text";

RunStatus parse_status(const std::string& text, const std::string& owner) {
  for (const RunStatus status : {RunStatus::complete, RunStatus::incomplete, RunStatus::failed})
    if (text == to_string(status)) return status;
  return owner_is_gone(owner) ? RunStatus::incomplete : RunStatus::running;
}

// The text columns of a damaged file may hold anything; what is no JSON object counts as empty.
template <typename Add>
void for_each_member(const std::string& json, Add add) {
  const Json object = Json::parse(json, nullptr, false);
  if (!object.is_object()) return;
  for (const auto& [key, value] : object.items())
    if (value.is_string()) add(key, value.template get<std::string>());
}

RunRecord run_of_row(SQLite::Statement& row) {
  RunRecord run;
  int i = 0;
  const auto text = [&] { return row.getColumn(i++).getString(); };
  run.id = row.getColumn(i++).getInt64();
  run.family = row.getColumn(i++).getInt64();
  run.scenario = text();
  for_each_member(text(), [&](const std::string& k, const std::string& v) { run.labels.emplace_back(k, v); });
  run.scenario_file = text();
  run.scenario_text = text();
  run.scenario_hash = text();
  run.ground = text();
  run.seed = static_cast<uint64_t>(row.getColumn(i++).getInt64());
  run.commit = text();
  run.host = text();
  run.versions = text();
  run.started_at = text();
  for_each_member(text(), [&](const std::string& k, const std::string& v) { run.nodes.emplace(k, v); });
  const std::string owner = text();
  run.status = parse_status(text(), owner);
  run.error = text();
  run.wall_seconds = row.getColumn(i++).getDouble();
  run.virtual_seconds = row.getColumn(i++).getDouble();
  run.trace_hash = text();
  for (auto* lateness : {&run.clock_lateness, &run.wake_lateness}) {
    if (!row.getColumn(i).isNull())
      *lateness =
          ClockLateness{row.getColumn(i).getInt64(), row.getColumn(i + 1).getInt64(), row.getColumn(i + 2).getInt64()};
    i += 3;
  }
  run.event_count = row.getColumn(i).getInt64();
  return run;
}

std::vector<RunRecord> read_runs(SQLite::Database& db, const std::string& where) {
  SQLite::Statement select(db, fmt::format("{} {} ORDER BY r.id", select_runs, where));
  std::vector<RunRecord> runs;
  while (select.executeStep()) runs.push_back(run_of_row(select));
  return runs;
}

int64_t text_id(SQLite::Database& db, const RunRecord& run) {
  SQLite::Statement find(db, "SELECT id FROM scenario_texts WHERE hash = ? AND text = ?");
  find.bindNoCopy(1, run.scenario_hash);
  find.bindNoCopy(2, run.scenario_text);
  if (find.executeStep()) return find.getColumn(0).getInt64();
  SQLite::Statement add(db, "INSERT INTO scenario_texts(hash, text) VALUES (?, ?)");
  add.bindNoCopy(1, run.scenario_hash);
  add.bindNoCopy(2, run.scenario_text);
  add.exec();
  return db.getLastInsertRowid();
}

int64_t insert_run(SQLite::Database& db, const RunRecord& run) {
  SQLite::Transaction transaction(db, SQLite::TransactionBehavior::IMMEDIATE);
  const int64_t text = text_id(db, run);
  Json labels = Json::object(), nodes = Json::object();
  for (const auto& [path, value] : run.labels) labels[path] = value;
  for (const auto& [name, host] : run.nodes) nodes[name] = host;
  SQLite::Statement insert(db,
                           "INSERT INTO runs(family, scenario, labels, scenario_file, scenario_text, ground, seed, "
                           "commit_id, machine, versions, started_at, nodes, owner, status) "
                           "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'running')");
  insert.bind(1, run.family);
  insert.bind(2, run.scenario);
  insert.bind(3, dump(labels));
  insert.bind(4, run.scenario_file);
  insert.bind(5, text);
  insert.bind(6, run.ground);
  insert.bind(7, static_cast<int64_t>(run.seed));
  insert.bind(8, run.commit);
  insert.bind(9, run.host);
  insert.bind(10, run.versions);
  insert.bind(11, run.started_at);
  insert.bind(12, dump(nodes));
  insert.bind(13, this_owner());
  insert.exec();
  const int64_t id = db.getLastInsertRowid();
  transaction.commit();
  return id;
}

std::unordered_map<int64_t, std::string> all_names(SQLite::Database& db) {
  std::unordered_map<int64_t, std::string> names;
  SQLite::Statement select(db, "SELECT id, text FROM names");
  while (select.executeStep()) names.emplace(select.getColumn(0).getInt64(), select.getColumn(1).getString());
  return names;
}

}  // namespace

Store::Store(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

const std::string& Store::path() const {
  return impl_->path;
}

StoreResult<Store> Store::open(const std::string& path, OpenMode mode, int64_t max_bytes) {
  if (mode == OpenMode::readable) mode = may_be_written(path) ? OpenMode::existing : OpenMode::read_only;
  if (auto error = look_at(path, mode)) return tl::unexpected(*error);
  auto impl = std::make_shared<Impl>(path, mode);
  // Making a new file a WAL one needs it alone, and SQLite does not wait for that: when several
  // processes create it at once, all but one are told "busy" at once.
  for (int attempt = 1;; ++attempt) {
    try {
      if (auto error = open_now(*impl, max_bytes)) return tl::unexpected(*error);
      return Store(std::move(impl));
    } catch (const SQLite::Exception& error) {
      if (error.getErrorCode() != SQLITE_BUSY || attempt == 100) return tl::unexpected(store_error(*impl, error));
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
}

StoreResult<int64_t> Store::begin_family(const std::string& command_line, const std::string& started_at) {
  return guarded(*impl_, [&] {
    SQLite::Statement insert(*impl_->db, "INSERT INTO families(command, started_at) VALUES (?, ?)");
    insert.bind(1, command_line);
    insert.bind(2, started_at);
    insert.exec();
    return impl_->db->getLastInsertRowid();
  });
}

StoreResult<RunWriter> Store::begin_run(const RunRecord& run) {
  return guarded(*impl_, [&] {
    const int64_t id = insert_run(*impl_->db, run);
    return RunWriter(std::make_unique<RunWriter::Impl>(impl_, id, folder_of(impl_->path)));
  });
}

StoreResult<std::vector<RunRecord>> Store::runs() const {
  return guarded(*impl_, [&] { return read_runs(*impl_->db, ""); });
}

StoreResult<std::vector<RunRecord>> Store::family_runs(int64_t family) const {
  return guarded(*impl_, [&] { return read_runs(*impl_->db, fmt::format("WHERE r.family = {}", family)); });
}

StoreResult<std::optional<RunRecord>> Store::run(int64_t id) const {
  return guarded(*impl_, [&] {
    auto runs = read_runs(*impl_->db, fmt::format("WHERE r.id = {}", id));
    return runs.empty() ? std::nullopt : std::optional(std::move(runs.front()));
  });
}

StoreResult<std::string> Store::family_command(int64_t family) const {
  return guarded(*impl_, [&]() -> std::string {
    SQLite::Statement select(*impl_->db, "SELECT command FROM families WHERE id = ?");
    select.bind(1, family);
    return select.executeStep() ? select.getColumn(0).getString() : "";
  });
}

StoreResult<std::vector<EventRecord>> Store::events(int64_t run) const {
  return guarded(*impl_, [&] {
    auto names = all_names(*impl_->db);
    SQLite::Statement select(*impl_->db,
                             "SELECT time_ns, host, subject, kind, fields FROM events WHERE run = ? ORDER BY n");
    select.bind(1, run);
    std::vector<EventRecord> events;
    while (select.executeStep()) {
      auto fields = fields_from_json(select.getColumn(4).getString());
      if (!fields) throw SQLite::Exception("the fields of an event are not JSON", SQLITE_CORRUPT);
      events.push_back({select.getColumn(0).getInt64(), names[select.getColumn(1).getInt64()],
                        names[select.getColumn(2).getInt64()], names[select.getColumn(3).getInt64()],
                        std::move(*fields)});
    }
    return events;
  });
}

StoreResult<std::vector<SampleRecord>> Store::samples(int64_t run) const {
  return guarded(*impl_, [&] {
    auto names = all_names(*impl_->db);
    SQLite::Statement select(*impl_->db,
                             "SELECT metric, subject, time_ns, value FROM samples WHERE run = ? ORDER BY n");
    select.bind(1, run);
    std::vector<SampleRecord> samples;
    while (select.executeStep())
      samples.push_back({names[select.getColumn(0).getInt64()], names[select.getColumn(1).getInt64()],
                         select.getColumn(2).getInt64(), select.getColumn(3).getDouble()});
    return samples;
  });
}

StoreResult<std::vector<Verdict>> Store::verdicts(int64_t run) const {
  return guarded(*impl_, [&] {
    SQLite::Statement select(*impl_->db,
                             "SELECT name, text, outcome, why, file, line FROM verdicts WHERE run = ? ORDER BY n");
    select.bind(1, run);
    std::vector<Verdict> verdicts;
    while (select.executeStep()) {
      Verdict v{select.getColumn(0).getString(), select.getColumn(1).getString(), Outcome::unknown,
                select.getColumn(3).getString(), select.getColumn(4).getString(), select.getColumn(5).getInt()};
      for (const Outcome outcome : {Outcome::pass, Outcome::fail})
        if (select.getColumn(2).getString() == to_string(outcome)) v.outcome = outcome;
      verdicts.push_back(std::move(v));
    }
    return verdicts;
  });
}

}  // namespace distlab::results
