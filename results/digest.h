// A run boiled down to what tables, reports and verdicts speak of: faults, nodes, calls, messages.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "results/connectivity.h"
#include "results/ledger.h"
#include "results/records.h"
#include "results/stats.h"
#include "results/transport.h"

namespace distlab::results {

// A fault from when it was done to when it was undone: by its own undoing (`lasts:`), or by another
// fault: kill by start, freeze by thaw, down and black_hole by up, hold by release, partition by heal
// or the next partition, a changed property of a link by the next change of it. A fault that has no
// opposite, and an undoing of nothing, is a moment (to_ns == from_ns).
struct FaultSpan {
  std::string id, target, fault, detail;
  int64_t from_ns = 0, to_ns = 0;
  bool undone = false;  // false for a lasting one: it went on to the end of the run
};

// From the fault events only, in order of from_ns.
std::vector<FaultSpan> fault_spans(const std::vector<EventRecord>& events, int64_t end_ns);

struct Call {
  std::string from, to;
  int64_t started_ns = 0, elapsed_ns = 0;
  std::string result;  // "ok" or why not

  bool ok() const { return result == "ok"; }
};

// What a BEAM evaluated because the scenario said so.
struct Evaluation {
  std::string node;
  int64_t started_ns = 0, elapsed_ns = 0;
  std::string result, value;  // "ok", "error" or "timeout"; a term as text
};

// How often, and how long at most, something held up a scheduler of a BEAM.
struct Stalls {
  int64_t count = 0, longest_ns = 0;
};

// A node noticed that another is gone.
struct Detection {
  std::string observer, peer, reason;
  int64_t time_ns = 0;
  std::optional<int64_t> after_ns;  // since the last fault before it
  std::string fault;                // that fault, "down a-b"
};

struct LogLine {
  int64_t time_ns = 0;
  std::string host, level, text;
};

struct Digest {
  RunRecord run;
  int64_t end_ns = 0;
  std::vector<std::string> hosts;  // nodes of the scenario and others that spoke up, no relays; by name
  Connectivity connectivity;
  Transport transport;  // empty without relays
  std::vector<FaultSpan> faults;
  std::vector<Call> calls;               // by time of completion
  std::map<std::string, int64_t> pings;  // by result
  std::vector<Evaluation> evaluations;   // by time of completion
  std::map<std::string, Stalls> stalls;  // by node; those that had any
  std::vector<PairLedger> ledger;
  std::vector<Detection> detections;
  std::map<HostPair, std::vector<int64_t>> ticks;    // times, by writer and peer
  std::map<HostPair, std::vector<int64_t>> traffic;  // times of message_sent
  std::vector<LogLine> log;
  std::map<std::string, int64_t> event_counts;  // by kind

  Summary call_latency_ms() const;  // of the calls that got an answer
  // What a fault did in the end: the first node_down after the first fault, with the time since that
  // fault. Nothing without a fault, or when everybody survived.
  std::optional<Detection> death() const;
};

// When a run ended: its virtual length, or its last event when that is unknown.
int64_t end_of_run(const RunRecord& run, const std::vector<EventRecord>& events);

// events in order of time.
Digest digest(const RunRecord& run, const std::vector<EventRecord>& events);

}  // namespace distlab::results
