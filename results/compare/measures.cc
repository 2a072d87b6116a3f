#include "results/compare/measures.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace distlab::results::compare {

namespace {

using scenario::Compared;

double in_seconds(int64_t ns) {
  return static_cast<double>(ns) / 1e9;
}

class Measurer {
 public:
  Measurer(const Digest& digest, Measures& out) : digest_(digest), out_(out) {}

  void connections() {
    for (const auto& [pair, view] : digest_.connectivity.views) {
      for (size_t i = 0; i < view.up.size(); ++i) {
        const UpPeriod& period = view.up[i];
        happened(Compared::setup_time, {sees(pair), "a node sees another", "up"});
        // Who dialled measures from the first step of the set-up to the last; the other sees less of it. Both may
        // dial, so the pair has no order here.
        if (period.direction == "out" && period.setup_ns > 0)
          add(Compared::setup_time, unordered(pair), in_seconds(period.setup_ns));
        if (i > 0 && view.up[i - 1].went_down) again(pair, view.up[i - 1], period);
      }
    }
  }

  void calls() {
    for (const Call& call : digest_.calls) {
      const std::string name = call.from + "->" + call.to;
      happened(Compared::call_latency, {name, "a call", call.result});
      if (call.ok()) add(Compared::call_latency, name, in_seconds(call.elapsed_ns));
    }
  }

  void detections() {
    for (const Detection& one : digest_.detections) {
      const HostPair pair{one.observer, one.peer};
      happened(Compared::detection_time, {sees(pair), "a node sees another", fmt::format("down ({})", one.reason)});
      if (one.after_ns) add(Compared::detection_time, one.observer + "->" + one.peer, in_seconds(*one.after_ns));
    }
  }

  void bulk(const std::vector<EventRecord>& events) {
    const Naming naming(digest_.run.nodes);
    for (const EventRecord& event : events) {
      const auto pair = event.kind == "bulk_done" ? naming.pair_of(event.subject) : std::nullopt;
      if (!pair) continue;
      const std::string name = pair->first + "->" + pair->second, result(text_field(event, "result"));
      const int64_t bytes = int_field(event, "bytes").value_or(0), elapsed = int_field(event, "elapsed_ns").value_or(0);
      happened(Compared::goodput, {"bulk " + name, "bulk", result});
      if (result == "ok" && bytes > 0 && elapsed > 0)
        add(Compared::goodput, name, static_cast<double>(bytes) * 8 / in_seconds(elapsed));
    }
  }

  void messages() {
    int64_t sent = 0, lost = 0, duplicated = 0, reordered = 0;
    for (const PairLedger& book : digest_.ledger) {
      sent += book.sent;
      lost += book.lost;
      duplicated += book.duplicated;
      reordered += book.reordered;
    }
    if (sent == 0) return;
    add(Compared::lost_messages, "", static_cast<double>(lost));
    add(Compared::duplicated_messages, "", static_cast<double>(duplicated));
    add(Compared::reordered_messages, "", static_cast<double>(reordered));
  }

 private:
  static std::string sees(const HostPair& pair) { return fmt::format("{} sees {}", pair.first, pair.second); }
  static std::string unordered(const HostPair& pair) {
    return std::min(pair.first, pair.second) + "-" + std::max(pair.first, pair.second);
  }

  void again(const HostPair& pair, const UpPeriod& before, const UpPeriod& now) {
    // Nobody could come back before the last fault that went before was undone.
    int64_t from = before.to_ns;
    for (const FaultSpan& fault : digest_.faults)
      if (fault.from_ns <= before.to_ns && fault.undone && fault.to_ns <= now.from_ns)
        from = std::max(from, fault.to_ns);
    happened(Compared::reconnect_time, {sees(pair), "a node sees another", "up again"});
    add(Compared::reconnect_time, pair.first + "->" + pair.second, in_seconds(now.from_ns - from));
  }

  void add(Compared metric, const std::string& about, double value) { out_.values[metric][about].push_back(value); }
  void happened(Compared metric, OutcomeName name) { out_.outcomes[metric].insert(std::move(name)); }

  const Digest& digest_;
  Measures& out_;
};

}  // namespace

Measures measure(const Digest& digest, const std::vector<EventRecord>& events) {
  Measures out;
  out.run = digest.run.id;
  out.seed = digest.run.seed;
  Measurer measurer(digest, out);
  measurer.connections();
  measurer.calls();
  measurer.detections();
  measurer.bulk(events);
  measurer.messages();
  return out;
}

}  // namespace distlab::results::compare
