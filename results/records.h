// What one run leaves behind, as plain values: the rows of the database (results/README.md).
//
// Times are nanoseconds since the run began, so that runs of every ground compare directly.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace distlab::results {

using Value = std::variant<int64_t, double, std::string>;

struct EventRecord {
  int64_t time_ns = 0;
  std::string host;     // the process that saw it ("alice"); the ground's own events name their target
  std::string subject;  // what it is about, as models/host/event_kinds.h says for each kind
  std::string kind;
  std::vector<std::pair<std::string, Value>> fields;

  bool operator==(const EventRecord&) const = default;
};

// A field of the event, or nothing when it is absent or of another type.
std::optional<int64_t> int_field(const EventRecord& event, std::string_view key);
std::string_view text_field(const EventRecord& event, std::string_view key);  // "" when absent

struct SampleRecord {
  std::string metric;   // "queue_bytes", unit as the last word
  std::string subject;  // the link or node it was taken from
  int64_t time_ns = 0;
  double value = 0;

  bool operator==(const SampleRecord&) const = default;
};

enum class RunStatus {
  running,     // begun, its process is alive
  complete,    // reached the end of the scenario
  incomplete,  // stopped early: interrupted, killed, or out of disk
  failed,      // the ground itself failed; RunRecord::error says why
};

std::string_view to_string(RunStatus status);

// How late something was against the wall clock.
struct ClockLateness {
  int64_t p50_ns = 0, p99_ns = 0, max_ns = 0;

  bool operator==(const ClockLateness&) const = default;
};

struct RunRecord {
  int64_t id = 0;      // given by Store::begin_run
  int64_t family = 0;  // one invocation of `run`; from Store::begin_family

  // Known when the run begins.
  std::string scenario;                                     // its name
  std::vector<std::pair<std::string, std::string>> labels;  // what sweep and --set chose: {"paths.a-b.delay", "40ms"}
  std::string scenario_file;                                // as the user wrote it
  std::string scenario_text;                                // all that was run: included files merged, sweep resolved
  std::string scenario_hash;
  std::string ground;  // "sim" | "emu" | "live"
  uint64_t seed = 0;
  std::string commit;                        // of distlab
  std::string host;                          // the machine's name
  std::string versions;                      // "distlab 0.1.0, ns-3 3.37, gcc 12.2.0"
  std::string started_at;                    // wall time, RFC 3339, from the caller
  std::map<std::string, std::string> nodes;  // Erlang node name -> host: {"alice@home.example", "alice"}

  // Known when it ends.
  RunStatus status = RunStatus::running;
  std::string error;  // why it is failed or incomplete, one line
  double wall_seconds = 0;
  double virtual_seconds = 0;
  std::string trace_hash;
  std::optional<ClockLateness> clock_lateness;  // of packets that the simulated network delivers (emu)
  std::optional<ClockLateness> wake_lateness;   // of processes that are woken for a timer (emu, live)
  int64_t event_count = 0;                      // given by the store

  bool operator==(const RunRecord&) const = default;
};

std::string label_text(const RunRecord& run);  // "delay=40ms loss=1%", the last word of each path

enum class Outcome { pass, fail, unknown };

std::string_view to_string(Outcome outcome);

struct Verdict {
  std::string name;  // the kind of expectation: "connected"
  std::string text;  // the expectation in words
  Outcome outcome = Outcome::unknown;
  std::string why;   // what was seen, with numbers and times
  std::string file;  // where the scenario says so
  int line = 0;

  bool operator==(const Verdict&) const = default;
};

// fail before unknown before pass; pass when nothing was expected.
Outcome worst(const std::vector<Verdict>& verdicts);

// The same for a run: one that did not reach its end is at best unknown.
Outcome outcome_of(RunStatus status, const std::vector<Verdict>& verdicts);

}  // namespace distlab::results
