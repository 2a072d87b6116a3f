#include "results/connectivity.h"

#include <algorithm>

namespace distlab::results {

std::string Naming::host_of(std::string_view name) const {
  const auto found = nodes_.find(std::string(name));
  return found == nodes_.end() ? std::string(name) : found->second;
}

std::optional<std::pair<std::string, std::string>> Naming::pair_of(std::string_view subject) const {
  const size_t arrow = subject.find("->");
  if (arrow == std::string_view::npos) return std::nullopt;
  return std::pair(host_of(subject.substr(0, arrow)), host_of(subject.substr(arrow + 2)));
}

bool PeerView::up_at(int64_t time_ns) const {
  return std::any_of(up.begin(), up.end(), [&](const UpPeriod& period) {
    return period.from_ns <= time_ns && (time_ns < period.to_ns || !period.went_down);
  });
}

namespace {

class Builder {
 public:
  Builder(const Naming& naming, int64_t end_ns) : naming_(naming) { result_.end_ns = end_ns; }

  void take(const EventRecord& event) {
    if (event.kind == "node_up") {
      up(event);
    } else if (event.kind == "node_down") {
      close(view(event), event.time_ns, std::string(text_field(event, "reason")));
    } else if (event.kind == "connect_failed") {
      view(event).failures.push_back(
          {event.time_ns, std::string(text_field(event, "reason")), int_field(event, "elapsed_ns").value_or(0)});
    } else if (event.kind == "process_killed") {
      killed(naming_.host_of(event.subject), event.time_ns);
    } else if (event.kind == "process_started") {
      end_span(naming_.host_of(event.subject), event.time_ns);
    } else if (event.kind == "process_frozen") {
      begin_span(naming_.host_of(event.subject), ProcessSpan::State::frozen, event.time_ns);
    } else if (event.kind == "process_thawed") {
      end_span(naming_.host_of(event.subject), event.time_ns);
    }
  }

  Connectivity finish() {
    for (auto& [pair, peer_view] : result_.views)
      if (open_.count(pair) > 0) peer_view.up.back().to_ns = result_.end_ns;
    for (const auto& [host, open] : open_spans_) result_.processes[host].back().to_ns = result_.end_ns;
    return std::move(result_);
  }

 private:
  PeerView& view(const EventRecord& event) {
    current_ = {naming_.host_of(event.host), naming_.host_of(event.subject)};
    return result_.views[current_];
  }

  void up(const EventRecord& event) {
    PeerView& peer_view = view(event);
    close(peer_view, event.time_ns, "");  // a second node_up: the first period ended unseen
    peer_view.up.push_back({event.time_ns, event.time_ns, false, "", std::string(text_field(event, "direction")),
                            int_field(event, "setup_ns").value_or(0)});
    open_[current_] = true;
  }

  void close(PeerView& peer_view, int64_t time_ns, std::string reason) {
    if (open_.erase(current_) == 0) return;
    peer_view.up.back().to_ns = time_ns;
    peer_view.up.back().went_down = true;
    peer_view.up.back().reason = std::move(reason);
  }

  void killed(const std::string& host, int64_t time_ns) {
    for (auto& [pair, peer_view] : result_.views) {
      if (pair.first != host) continue;
      current_ = pair;
      close(peer_view, time_ns, "observer killed");
    }
    begin_span(host, ProcessSpan::State::down, time_ns);
  }

  void begin_span(const std::string& host, ProcessSpan::State state, int64_t time_ns) {
    end_span(host, time_ns);  // killed while frozen
    result_.processes[host].push_back({state, time_ns, time_ns});
    open_spans_[host] = true;
  }

  void end_span(const std::string& host, int64_t time_ns) {
    if (open_spans_.erase(host) > 0) result_.processes[host].back().to_ns = time_ns;
  }

  const Naming& naming_;
  Connectivity result_;
  HostPair current_;
  std::map<HostPair, bool> open_;
  std::map<std::string, bool> open_spans_;
};

}  // namespace

Connectivity connectivity(const std::vector<EventRecord>& events, const Naming& naming, int64_t end_ns) {
  Builder builder(naming, end_ns);
  for (const EventRecord& event : events) builder.take(event);
  return builder.finish();
}

}  // namespace distlab::results
