// The database: one SQLite file with every run of every ground (schema: results/README.md).
//
// Appending is atomic. begin_run() leaves a row that says "running"; RunWriter keeps what the run
// records outside the database, and commit() writes all of it in one transaction. A process that is
// killed therefore loses its own run only, and that row reads "incomplete" from then on. Several
// processes may write to one file at once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "results/records.h"

namespace distlab::results {

struct StoreError {
  std::string message;  // one line, names the file
  // True for what the user can mend (no permission, full disk, damaged or foreign file): exit 64.
  // False is our own fault: exit 70.
  bool is_user_error = true;
};

template <typename T>
using StoreResult = tl::expected<T, StoreError>;

struct RunEnd {
  RunStatus status = RunStatus::complete;
  std::string error;
  double wall_seconds = 0;
  double virtual_seconds = 0;
  std::string trace_hash;
  std::optional<ClockLateness> clock_lateness, wake_lateness;
};

// Takes what a run records. Not safe to use from several threads, nor after a fork.
class RunWriter {
 public:
  RunWriter(RunWriter&&) noexcept;
  RunWriter& operator=(RunWriter&&) noexcept;
  ~RunWriter();  // without commit(): the run is incomplete and its events are gone

  int64_t run_id() const;

  // Neither fails: when the spool file cannot be written, the error is kept and commit() returns it.
  void add(const EventRecord& event);
  void add(const SampleRecord& sample);

  // What was added so far, in order: for the ledger and the verdicts, before commit().
  std::vector<EventRecord> events() const;

  // Everything or nothing. Afterwards only run_id() may be called.
  StoreResult<void> commit(const RunEnd& end, const std::vector<Verdict>& verdicts);

  class Impl;

 private:
  friend class Store;
  explicit RunWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

enum class OpenMode {
  create,     // make the file when there is none
  existing,   // fail when there is none
  read_only,  // never write; works on a file without write permission
  readable,   // `existing` where its file and folder may be written, else `read_only`
};

class Store {
 public:
  // Brings an older file up to the current version. A running run whose process is gone becomes
  // incomplete.
  // max_bytes bounds the file (0: only the disk does); reaching it is as a full disk.
  static StoreResult<Store> open(const std::string& path, OpenMode mode = OpenMode::create, int64_t max_bytes = 0);

  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  const std::string& path() const;

  // One invocation of `run`, to which its runs belong.
  StoreResult<int64_t> begin_family(const std::string& command_line, const std::string& started_at);

  // Call it in the process that does the run: its life is what "running" depends on. Sets id, and
  // ignores the fields that are known only at the end.
  StoreResult<RunWriter> begin_run(const RunRecord& run);

  StoreResult<std::vector<RunRecord>> runs() const;                       // all, oldest first
  StoreResult<std::vector<RunRecord>> family_runs(int64_t family) const;  // oldest first
  StoreResult<std::optional<RunRecord>> run(int64_t id) const;
  StoreResult<std::string> family_command(int64_t family) const;

  StoreResult<std::vector<EventRecord>> events(int64_t run) const;  // in the order they were added
  StoreResult<std::vector<SampleRecord>> samples(int64_t run) const;
  StoreResult<std::vector<Verdict>> verdicts(int64_t run) const;

  class Impl;

 private:
  explicit Store(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace distlab::results
