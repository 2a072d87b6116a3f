// What each node believed about each other node, over time: from node_up, node_down,
// connect_failed and the life of the processes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "results/records.h"

namespace distlab::results {

// Events name nodes by host ("alice") or by Erlang name ("alice@home.example"); results speak of
// hosts. A name that nobody knows stays as it is.
class Naming {
 public:
  explicit Naming(std::map<std::string, std::string> nodes) : nodes_(std::move(nodes)) {}

  std::string host_of(std::string_view name) const;
  // Both sides of "a->b"; nothing when the text is no such pair.
  std::optional<std::pair<std::string, std::string>> pair_of(std::string_view subject) const;

 private:
  std::map<std::string, std::string> nodes_;
};

using HostPair = std::pair<std::string, std::string>;  // observer and peer, or sender and receiver

struct UpPeriod {
  int64_t from_ns = 0;
  int64_t to_ns = 0;       // the end of the run when it never went down
  bool went_down = false;  // by node_down, or with the observer's process
  std::string reason;      // node_down's, or "observer killed"
  std::string direction;   // "out" | "in"
  int64_t setup_ns = 0;

  bool operator==(const UpPeriod&) const = default;
};

struct ConnectFailure {
  int64_t time_ns = 0;
  std::string reason;
  int64_t elapsed_ns = 0;
};

struct PeerView {
  std::vector<UpPeriod> up;  // in order, not overlapping
  std::vector<ConnectFailure> failures;

  bool up_at(int64_t time_ns) const;  // from_ns <= time < to_ns, or up at the very end
};

struct ProcessSpan {
  enum class State { down, frozen } state = State::down;
  int64_t from_ns = 0, to_ns = 0;
};

struct Connectivity {
  std::map<HostPair, PeerView> views;
  std::map<std::string, std::vector<ProcessSpan>> processes;  // only hosts that were ever down or frozen
  int64_t end_ns = 0;
};

// events in order of time; end_ns is when the run ended.
Connectivity connectivity(const std::vector<EventRecord>& events, const Naming& naming, int64_t end_ns);

}  // namespace distlab::results
