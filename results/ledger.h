// The ledger: what became of every workload message, end to end, per ordered pair of nodes. It is
// the oracle that nodes() cannot give.
//
// A message is one message_sent; a message_received belongs to the latest message_sent with its
// sequence number (a restarted sender counts from the start again). Then a message is
//   delivered   its first receipt exists
//   in flight   not delivered, but sent less than `settle` before the end of the run, and the sender
//               did not see the receiver go down afterwards: nobody can say yet
//   lost        neither of these
// and a receipt is
//   duplicate   not the first one of its message
//   reordered   a first one that comes after that of a message sent later (RFC 4737, section 3)
//   late        a first one with latency_ns > `late`
//   unsent      of a sequence number that was never sent
//
// Wedged while up: within one period in which the sender holds the receiver to be up, a maximal row
// of lost messages with no delivered message sent between them. It begins when the first of them
// is sent and ends when the next delivered message is sent, else when the period ends. A tick time
// without traffic getting through always looks so for as long as detection takes; a wedge that ends
// with the run, or lasts beyond the tick time, is a connection that hangs.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "results/connectivity.h"
#include "results/records.h"

namespace distlab::results {

struct Wedge {
  enum class End { delivered, node_down, run_ended } ended_by = End::delivered;
  int64_t from_ns = 0, to_ns = 0;
  int64_t messages = 0;

  bool operator==(const Wedge&) const = default;
};

// A maximal row of lost messages: none that was sent between them arrived.
struct Loss {
  int64_t from_ns = 0, to_ns = 0;  // when the first and the last of them were sent
  int64_t messages = 0;
  int64_t while_up = 0;  // those sent while the sender held the receiver to be up

  bool operator==(const Loss&) const = default;
};

struct PairLedger {
  std::string from, to;  // hosts
  int64_t sent = 0, delivered = 0, in_flight = 0, lost = 0;
  int64_t duplicated = 0, reordered = 0, late = 0, unsent = 0;
  int64_t first_lost_ns = 0;       // when the first lost message was sent, if any was
  std::vector<double> latency_ms;  // of each delivered message, in the order they were sent
  std::vector<Wedge> wedges;       // only those that last min_wedge
  std::vector<Loss> losses;        // in order of time

  // When each lost message was sent, each duplicate came, each late message came.
  std::vector<int64_t> lost_ns, duplicated_ns, late_ns;

  int64_t wedged_ns() const;
};

struct LedgerOptions {
  int64_t late_ns = 1'000'000'000;
  int64_t settle_ns = 5'000'000'000;
  int64_t min_wedge_ns = 1'000'000'000;
  // Counts only the messages (from when it was sent to its first receipt, if any) and the wedges for
  // which it says so; all when empty.
  std::function<bool(int64_t from_ns, int64_t to_ns)> counts;
};

// By sender, then receiver. events in order of time.
std::vector<PairLedger> ledger(const std::vector<EventRecord>& events, const Naming& naming,
                               const Connectivity& connectivity, const LedgerOptions& options = {});

}  // namespace distlab::results
