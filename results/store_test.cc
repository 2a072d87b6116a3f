#include "results/store.h"

#include <cmath>
#include <filesystem>
#include <fstream>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "results/testing/temp_dir.h"

namespace distlab::results {
namespace {

RunRecord a_run(int64_t family = 1, uint64_t seed = 7) {
  RunRecord run;
  run.family = family;
  run.scenario = "quickstart";
  run.labels = {{"paths.a-b.delay", "40ms"}, {"nodes.a.net_ticktime", "4s"}};
  run.scenario_file = "scenarios/quickstart.yaml";
  run.scenario_text = "name: quickstart\n";
  run.scenario_hash = "abc123";
  run.ground = "sim";
  run.seed = seed;
  run.commit = "0123456";
  run.host = "lab";
  run.versions = "distlab 0.1.0";
  run.started_at = "2026-01-02T03:04:05Z";
  run.nodes = {{"a@home.example", "a"}, {"b@office.example", "b"}};
  return run;
}

EventRecord an_event(int64_t i) {
  return {i * 1000, "a", "a->b", "message_sent", {{"seq", i}, {"note", std::string("x")}, {"load", 0.5}}};
}

RunEnd an_end() {
  RunEnd end;
  end.wall_seconds = 1.5;
  end.virtual_seconds = 60;
  end.trace_hash = "feed";
  end.clock_lateness = ClockLateness{1, 2, 3};
  end.wake_lateness = ClockLateness{4, 5, 6};
  return end;
}

// Opens or fails the test.
Store must_open(const std::string& path, OpenMode mode = OpenMode::create, int64_t max_bytes = 0) {
  auto store = Store::open(path, mode, max_bytes);
  if (!store) throw std::runtime_error(store.error().message);
  return std::move(*store);
}

int64_t add_run(Store& store, int64_t events, uint64_t seed = 7) {
  auto writer = store.begin_run(a_run(1, seed));
  EXPECT_TRUE(writer);
  for (int64_t i = 0; i < events; ++i) writer->add(an_event(i));
  const auto done = writer->commit(an_end(), {});
  EXPECT_TRUE(done) << done.error().message;
  return writer->run_id();
}

struct Child {
  pid_t pid;
  int wait() const {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return status;
  }
};

template <typename Fn>
Child in_child(Fn fn) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    int code = 99;
    try {
      code = fn();
    } catch (const std::exception& error) {
      fprintf(stderr, "child: %s\n", error.what());
    }
    ::_exit(code);
  }
  return {pid};
}

std::string one_line(const StoreError& error) {
  EXPECT_EQ(error.message.find('\n'), std::string::npos) << error.message;
  return error.message;
}

// Everything a run says of itself, its events, samples and verdicts come back as they went in.
TEST(Store, GivesBackWhatWasWritten) {
  TempDir dir;
  Store store = must_open(dir / "x.db");
  const int64_t family = store.begin_family("distlab run x", "2026-01-02T03:04:05Z").value();
  RunRecord run = a_run(family, 0xffff'ffff'ffff'fff0u);
  auto writer = store.begin_run(run).value();
  const std::vector<EventRecord> events = {
      {5, "a", "b@office.example", "node_up", {{"direction", std::string("out")}, {"setup_ns", int64_t{-3}}}},
      {5, "a", "", "log", {{"text", std::string("q\"\\\n\x01 \xc3\xa9")}}},
      {9, "b", "a->b", "call_done", {{"load", 3.0}}},
      {9, "b", "link", "tick", {}}};
  for (const EventRecord& event : events) writer.add(event);
  const SampleRecord sample{"queue_bytes", "a-b", 7, 0.25};
  writer.add(sample);
  EXPECT_EQ(writer.events(), events);
  const std::vector<Verdict> verdicts = {{"connected", "a and b connect", Outcome::fail, "never", "x.yaml", 12}};
  ASSERT_TRUE(writer.commit(an_end(), verdicts));

  Store again = must_open(dir / "x.db", OpenMode::existing);
  run.id = writer.run_id();
  run.status = RunStatus::complete;
  run.wall_seconds = 1.5;
  run.virtual_seconds = 60;
  run.trace_hash = "feed";
  run.clock_lateness = ClockLateness{1, 2, 3};
  run.wake_lateness = ClockLateness{4, 5, 6};
  run.event_count = 4;
  EXPECT_EQ(again.runs().value(), std::vector{run});
  EXPECT_EQ(again.family_runs(family).value(), std::vector{run});
  EXPECT_TRUE(again.family_runs(family + 1).value().empty());
  EXPECT_EQ(again.events(run.id).value(), events);
  EXPECT_EQ(again.samples(run.id).value(), std::vector{sample});
  EXPECT_EQ(again.verdicts(run.id).value(), verdicts);
  EXPECT_EQ(again.family_command(family).value(), "distlab run x");
  EXPECT_FALSE(again.run(run.id + 1).value());
}

// Text that is not UTF-8 and numbers that are not finite cannot spoil the JSON of an event.
TEST(Store, RepairsWhatJsonCannotHold) {
  TempDir dir;
  Store store = must_open(dir / "x.db");
  auto writer = store.begin_run(a_run()).value();
  writer.add(EventRecord{1, "a", "b", "log", {{"text", std::string("\xff\xfe")}, {"x", std::nan("")}}});
  ASSERT_TRUE(writer.commit(an_end(), {}));
  const auto events = store.events(writer.run_id()).value();
  EXPECT_EQ(text_field(events.at(0), "text"), "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_TRUE(std::isnan(std::get<double>(events.at(0).fields.at(1).second)));
}

// A writer that is dropped without commit leaves an incomplete run and no event.
TEST(Store, DroppedWriterLeavesAnIncompleteRun) {
  TempDir dir;
  Store store = must_open(dir / "x.db");
  {
    auto writer = store.begin_run(a_run()).value();
    writer.add(an_event(1));
    EXPECT_EQ(store.runs().value().at(0).status, RunStatus::running);
  }
  EXPECT_EQ(store.runs().value().at(0).status, RunStatus::incomplete);
  EXPECT_TRUE(store.events(1).value().empty());
}

// Dying without a word at any point of a run loses no earlier run, and leaves the run either whole or
// incomplete. The kernel kills the child when it writes beyond so many bytes of a file (SIGXFSZ, by
// default as final as SIGKILL), so that each round strikes at another point of the writing.
TEST(Store, SurvivesSuddenDeathAnywhere) {
  TempDir dir;
  const std::string path = dir / "x.db";
  constexpr int events = 20'000;
  {
    Store store = must_open(path);
    add_run(store, 100);
  }
  int killed = 0;
  for (rlim_t limit = 40'000; limit < 3'000'000; limit += 150'000) {
    const Child child = in_child([&] {
      const rlimit no_core{0, 0}, file_size{limit, limit};
      ::setrlimit(RLIMIT_CORE, &no_core);
      ::setrlimit(RLIMIT_FSIZE, &file_size);
      Store store = must_open(path);
      add_run(store, events, limit);
      return 0;
    });
    const int status = child.wait();
    killed += WIFSIGNALED(status);

    Store store = must_open(path);
    SQLite::Database raw(path, SQLite::OPEN_READONLY);
    EXPECT_EQ(raw.execAndGet("PRAGMA integrity_check").getString(), "ok");
    const auto runs = store.runs().value();
    for (const RunRecord& run : runs) {
      ASSERT_NE(run.status, RunStatus::running);
      const int expected = run.id == 1 ? 100 : run.status == RunStatus::complete ? events : 0;
      const std::string count = "SELECT count(*) FROM events WHERE run = " + std::to_string(run.id);
      EXPECT_EQ(raw.execAndGet(count).getInt(), expected) << "run " << run.id;
    }
    EXPECT_EQ(runs.front().status, RunStatus::complete);
  }
  EXPECT_GT(killed, 5);
}

// A run whose process lives stays "running" for others; once it is dead it reads incomplete, even
// to one who may only read.
TEST(Store, RunningMeansItsProcessLives) {
  TempDir dir;
  const std::string path = dir / "x.db";
  must_open(path);
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const Child child = in_child([&] {
    Store store = must_open(path);
    auto writer = store.begin_run(a_run());
    const char byte = 1;
    (void)!::write(ready[1], &byte, 1);
    ::pause();
    return 0;
  });
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(must_open(path).runs().value().at(0).status, RunStatus::running);
  ::kill(child.pid, SIGKILL);
  child.wait();
  ::close(ready[0]);
  ::close(ready[1]);
  EXPECT_EQ(must_open(path, OpenMode::read_only).runs().value().at(0).status, RunStatus::incomplete);
  EXPECT_EQ(must_open(path).runs().value().at(0).error, "the process ended in the middle of the run");
}

// Processes that create and fill one file at the same time all succeed.
TEST(Store, TakesParallelWriters) {
  TempDir dir;
  const std::string path = dir / "x.db";
  std::vector<Child> children;
  for (uint64_t i = 0; i < 6; ++i)
    children.push_back(in_child([&, i] {
      Store store = must_open(path);
      for (int k = 0; k < 3; ++k) add_run(store, 5'000, i);
      return ::testing::Test::HasFailure() ? 1 : 0;
    }));
  for (const Child& child : children) EXPECT_EQ(child.wait(), 0);
  Store store = must_open(path);
  const auto runs = store.runs().value();
  EXPECT_EQ(runs.size(), 18u);
  for (const RunRecord& run : runs) EXPECT_EQ(store.events(run.id).value().size(), 5'000u);
}

// A full file is one clear line; earlier runs stay, and the run that did not fit is incomplete.
TEST(Store, SaysWhenTheDiskIsFull) {
  TempDir dir;
  const std::string path = dir / "x.db";
  {
    Store store = must_open(path, OpenMode::create, 400'000);
    add_run(store, 100);
    auto writer = store.begin_run(a_run()).value();
    for (int64_t i = 0; i < 50'000; ++i) writer.add(an_event(i));
    const auto done = writer.commit(an_end(), {});
    ASSERT_FALSE(done);
    EXPECT_EQ(one_line(done.error()), path + ": the disk is full (or the size limit reached); nothing was added");
    EXPECT_TRUE(done.error().is_user_error);
  }
  Store store = must_open(path);
  const auto runs = store.runs().value();
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].status, RunStatus::complete);
  EXPECT_EQ(store.events(1).value().size(), 100u);
  EXPECT_EQ(runs[1].status, RunStatus::incomplete);
  EXPECT_TRUE(store.events(2).value().empty());
}

void overwrite(const std::string& path, std::streamoff at, const std::string& bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(at);
  file << bytes;
}

// A file with a broken header, a text file, a foreign database and an empty one are told apart.
TEST(Store, RefusesWhatIsNotItsOwn) {
  TempDir dir;
  const auto message = [&](const std::string& path, OpenMode mode) {
    const auto store = Store::open(path, mode);
    EXPECT_FALSE(store) << path;
    if (store) return std::string();
    EXPECT_TRUE(store.error().is_user_error);
    return one_line(store.error());
  };
  { Store store = must_open(dir / "header.db"); }
  overwrite(dir / "header.db", 0, "garbage garbage garbage");
  EXPECT_EQ(message(dir / "header.db", OpenMode::create),
            (dir / "header.db") + ": not a database of distlab (not an SQLite file)");
  std::ofstream(dir / "text.db") << std::string(5000, 'x');
  EXPECT_EQ(message(dir / "text.db", OpenMode::read_only),
            (dir / "text.db") + ": not a database of distlab (not an SQLite file)");
  SQLite::Database(dir / "other.db", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec("CREATE TABLE t(x)");
  EXPECT_EQ(message(dir / "other.db", OpenMode::create),
            (dir / "other.db") + ": this is the database of another program, not of distlab");
  std::ofstream(dir / "empty.db").flush();
  EXPECT_EQ(message(dir / "empty.db", OpenMode::existing), (dir / "empty.db") + ": an empty database, it holds no run");
  EXPECT_TRUE(Store::open(dir / "empty.db"));
  EXPECT_EQ(message(dir / "none.db", OpenMode::existing),
            (dir / "none.db") + ": cannot open the database: No such file or directory");
  EXPECT_EQ(message(dir / "no/such/folder.db", OpenMode::create),
            (dir / "no/such/folder.db") + ": cannot open the database: No such file or directory");
  std::filesystem::create_directory(dir / "folder.db");
  EXPECT_EQ(message(dir / "folder.db", OpenMode::create),
            (dir / "folder.db") + ": cannot open the database: Is a directory");
  {
    Store store = must_open(dir / "newer.db");
    SQLite::Database(dir / "newer.db", SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 99");
  }
  EXPECT_EQ(message(dir / "newer.db", OpenMode::read_only),
            (dir / "newer.db") + ": made by a newer distlab than this one; use that one to read it");
}

// Garbage in the middle of the file never crashes: each call gives data or says "damaged".
TEST(Store, ReportsDamageInTheMiddle) {
  TempDir dir;
  const std::string whole = dir / "whole.db", path = dir / "x.db";
  {
    Store store = must_open(whole);
    for (uint64_t i = 0; i < 3; ++i) add_run(store, 3'000, i);
  }
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(whole));
  int damaged = 0;
  for (std::streamoff at = 4096; at < size; at += 4096 * 3) {
    std::filesystem::copy_file(whole, path, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::remove(path + "-wal");
    std::filesystem::remove(path + "-shm");
    overwrite(path, at, std::string(4096, '\xa5'));
    const auto check = [&](const auto& result) {
      if (result) return;
      ++damaged;
      EXPECT_TRUE(result.error().is_user_error) << result.error().message;
      EXPECT_NE(one_line(result.error()).find("is damaged"), std::string::npos) << result.error().message;
    };
    auto store = Store::open(path);
    check(store);
    if (!store) continue;
    check(store->runs());
    for (int64_t run = 1; run <= 3; ++run) check(store->events(run));
    if (auto writer = store->begin_run(a_run())) {
      writer->add(an_event(1));
      check(writer->commit(an_end(), {}));
    } else {
      check(writer);
    }
  }
  EXPECT_GT(damaged, 10);
}

// Who may not write is told so in one line, and may still read what this version wrote.
TEST(Store, WorksReadOnlyAndSaysWhenItMayNotWrite) {
  TempDir dir;
  const std::string path = dir / "x.db";
  {
    Store store = must_open(path);
    add_run(store, 10);
  }
  std::filesystem::copy_file(path, dir / "older.db");
  SQLite::Database(dir / "older.db", SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 1");
  std::filesystem::permissions(dir / "older.db", std::filesystem::perms(0444));
  std::filesystem::permissions(path, std::filesystem::perms(0444));
  std::filesystem::permissions(dir.path(), std::filesystem::perms(0555));
  const Child child = in_child([&] {
    if (::geteuid() == 0 && ::setuid(65534) != 0) return 10;  // root may write everywhere
    const auto writing = Store::open(path);
    if (writing || writing.error().message != path + ": cannot open the database: Permission denied") return 11;
    const auto making = Store::open(dir / "new.db");
    if (making || making.error().message.find("Permission denied") == std::string::npos) return 12;
    for (const OpenMode mode : {OpenMode::read_only, OpenMode::readable}) {
      const auto reading = Store::open(path, mode);
      if (!reading || reading->events(1).value().size() != 10) return 13;
    }
    const auto older = Store::open(dir / "older.db", OpenMode::readable);
    return !older && older.error().message.find("cannot be brought up to date") != std::string::npos ? 0 : 14;
  });
  const int status = child.wait();
  std::filesystem::permissions(dir.path(), std::filesystem::perms(0755));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// The views that notebooks query give names and numbers, not ids.
TEST(Store, ViewsReadWell) {
  TempDir dir;
  Store store = must_open(dir / "x.db");
  auto writer = store.begin_run(a_run()).value();
  writer.add(EventRecord{
      2'000'000'000, "a", "a->b", "call_done", {{"result", std::string("ok")}, {"elapsed_ns", int64_t{1'500'000}}}});
  writer.add(SampleRecord{"queue_bytes", "a-b", 500'000'000, 12});
  ASSERT_TRUE(writer.commit(an_end(), {{"n", "t", Outcome::pass, "w", "f", 1}}));
  SQLite::Database db(dir / "x.db");
  const auto text = [&](const char* sql) { return db.execAndGet(sql).getString(); };
  EXPECT_EQ(text("SELECT time_s||host||subject||kind||fields FROM events_v"),
            R"(2.0aa->bcall_done{"result":"ok","elapsed_ns":1500000})");
  EXPECT_EQ(text("SELECT time_s||subject||result||elapsed_ms FROM calls_v"), "2.0a->bok1.5");
  EXPECT_EQ(text("SELECT metric||subject||time_s||value FROM samples_v"), "queue_bytesa-b0.512.0");
  EXPECT_EQ(text("SELECT run||scenario||outcome||scenario_text FROM runs_v"), "1quickstartpassname: quickstart\n");
}

}  // namespace
}  // namespace distlab::results
