#include "results/ledger.h"

#include <algorithm>
#include <limits>
#include <map>
#include <unordered_map>

namespace distlab::results {

int64_t PairLedger::wedged_ns() const {
  int64_t sum = 0;
  for (const Wedge& wedge : wedges) sum += wedge.to_ns - wedge.from_ns;
  return sum;
}

namespace {

struct Sent {
  int64_t time_ns = 0;
  int64_t received_ns = 0;
  int64_t latency_ns = 0;
  std::vector<int64_t> duplicates_ns;
  bool delivered = false;
  bool reordered = false;
  bool lost = false;
};

struct Traffic {
  PairLedger ledger;
  std::vector<Sent> sent;
  std::unordered_map<int64_t, size_t> latest;  // by sequence number
  size_t newest_received = 0;                  // 1 + index of the newest message received
};

void receive(Traffic& traffic, const EventRecord& event, int64_t seq) {
  const auto found = traffic.latest.find(seq);
  if (found == traffic.latest.end()) {
    ++traffic.ledger.unsent;
    return;
  }
  Sent& message = traffic.sent[found->second];
  if (message.delivered) {
    message.duplicates_ns.push_back(event.time_ns);
    return;
  }
  message.delivered = true;
  message.received_ns = event.time_ns;
  message.latency_ns = int_field(event, "latency_ns").value_or(event.time_ns - message.time_ns);
  message.reordered = found->second + 1 < traffic.newest_received;
  traffic.newest_received = std::max(traffic.newest_received, found->second + 1);
}

bool went_down_after(const PeerView& view, int64_t time_ns) {
  for (const UpPeriod& period : view.up)
    if (period.went_down && period.to_ns >= time_ns) return true;
  return false;
}

void count_delivered(PairLedger& book, const Sent& message, const LedgerOptions& options) {
  ++book.delivered;
  book.latency_ms.push_back(static_cast<double>(message.latency_ns) / 1e6);
  if (message.latency_ns > options.late_ns) {
    ++book.late;
    book.late_ns.push_back(message.received_ns);
  }
  book.reordered += message.reordered;
  book.duplicated += static_cast<int64_t>(message.duplicates_ns.size());
  book.duplicated_ns.insert(book.duplicated_ns.end(), message.duplicates_ns.begin(), message.duplicates_ns.end());
}

void count(PairLedger& book, const Sent& message, const LedgerOptions& options) {
  ++book.sent;
  if (message.delivered) {
    count_delivered(book, message, options);
  } else if (message.lost) {
    if (book.lost++ == 0) book.first_lost_ns = message.time_ns;
    book.lost_ns.push_back(message.time_ns);
  } else {
    ++book.in_flight;
  }
}

void add_lost(std::vector<Loss>& losses, bool new_row, int64_t time_ns, bool up) {
  if (new_row) losses.push_back({time_ns, time_ns, 0, 0});
  losses.back().to_ns = time_ns;
  ++losses.back().messages;
  losses.back().while_up += up;
}

void judge(Traffic& traffic, const PeerView& view, int64_t end_ns, const LedgerOptions& options) {
  bool new_row = true;
  for (Sent& message : traffic.sent) {
    const bool recent = message.time_ns > end_ns - options.settle_ns;
    message.lost = !message.delivered && !(recent && !went_down_after(view, message.time_ns));
    const int64_t until = message.delivered ? message.received_ns : message.time_ns;
    if (message.delivered) new_row = true;
    if (options.counts && !options.counts(message.time_ns, until)) continue;
    count(traffic.ledger, message, options);
    if (!message.lost) continue;
    add_lost(traffic.ledger.losses, new_row, message.time_ns, view.up_at(message.time_ns));
    new_row = false;
  }
}

void find_wedges(Traffic& traffic, const UpPeriod& period, const LedgerOptions& options) {
  Wedge wedge;
  const auto finish = [&](int64_t to_ns, Wedge::End why) {
    wedge.to_ns = to_ns;
    wedge.ended_by = why;
    if (wedge.messages > 0 && wedge.to_ns - wedge.from_ns >= options.min_wedge_ns &&
        (!options.counts || options.counts(wedge.from_ns, wedge.to_ns)))
      traffic.ledger.wedges.push_back(wedge);
    wedge = {};
  };
  const int64_t until = period.went_down ? period.to_ns : std::numeric_limits<int64_t>::max();
  const auto begin = std::lower_bound(traffic.sent.begin(), traffic.sent.end(), period.from_ns,
                                      [](const Sent& message, int64_t time) { return message.time_ns < time; });
  for (auto it = begin; it != traffic.sent.end() && it->time_ns < until; ++it) {
    const Sent& message = *it;
    if (message.lost) {
      if (wedge.messages++ == 0) wedge.from_ns = message.time_ns;
    } else if (message.delivered) {
      finish(message.time_ns, Wedge::End::delivered);
    }
  }
  finish(period.to_ns, period.went_down ? Wedge::End::node_down : Wedge::End::run_ended);
}

}  // namespace

std::vector<PairLedger> ledger(const std::vector<EventRecord>& events, const Naming& naming,
                               const Connectivity& connectivity, const LedgerOptions& options) {
  std::map<HostPair, Traffic> pairs;
  for (const EventRecord& event : events) {
    const bool is_sent = event.kind == "message_sent";
    if (!is_sent && event.kind != "message_received") continue;
    const auto pair = naming.pair_of(event.subject);
    const auto seq = int_field(event, "seq");
    if (!pair || !seq) continue;
    Traffic& traffic = pairs[*pair];
    if (is_sent) {
      traffic.latest[*seq] = traffic.sent.size();
      traffic.sent.emplace_back().time_ns = event.time_ns;
    } else {
      receive(traffic, event, *seq);
    }
  }
  std::vector<PairLedger> result;
  for (auto& [pair, traffic] : pairs) {
    traffic.ledger.from = pair.first;
    traffic.ledger.to = pair.second;
    const auto view = connectivity.views.find(pair);
    const PeerView nothing;
    const PeerView& peer_view = view == connectivity.views.end() ? nothing : view->second;
    judge(traffic, peer_view, connectivity.end_ns, options);
    for (const UpPeriod& period : peer_view.up) find_wedges(traffic, period, options);
    result.push_back(std::move(traffic.ledger));
  }
  return result;
}

}  // namespace distlab::results
