// Expectations about who is connected and who notices what.
#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "results/evidence.h"
#include "results/summary.h"

namespace distlab::results {

namespace {

// Why one node does not hold another to be up at a time, in words.
std::string why_not_up(const PeerView& view, int64_t time_ns) {
  const UpPeriod* last_up = nullptr;
  for (const UpPeriod& period : view.up)
    if (period.from_ns <= time_ns) last_up = &period;
  const ConnectFailure* last_failure = nullptr;
  for (const ConnectFailure& failure : view.failures)
    if (failure.time_ns <= time_ns) last_failure = &failure;
  if (last_up) return fmt::format("was down since {} ({})", duration_text(last_up->to_ns), last_up->reason);
  if (last_failure)
    return fmt::format("could not connect, last at {} ({})", duration_text(last_failure->time_ns),
                       last_failure->reason);
  return "had not been seen up";
}

std::vector<HostPair> ordered_pairs(const std::vector<std::string>& nodes) {
  std::vector<HostPair> pairs;
  for (const std::string& a : nodes)
    for (const std::string& b : nodes)
      if (a != b) pairs.emplace_back(a, b);
  return pairs;
}

}  // namespace

Finding judge(const Evidence& evidence, const scenario::ExpectConnected& expected) {
  int64_t time_ns = expected.by.count();
  if (!expected.since.empty()) {
    const auto done = fault_time(evidence.faults, expected.since);
    if (!done) return fault_not_done(expected.since);
    time_ns += *done;
  }
  if (time_ns > evidence.end_ns)
    return {Outcome::unknown,
            fmt::format("the run ended at {}, before {}", duration_text(evidence.end_ns), duration_text(time_ns))};
  const std::vector<HostPair> pairs = ordered_pairs(expected.between);
  int64_t last_up = 0;
  size_t missing = 0;
  std::string first;
  for (const auto& [a, b] : pairs) {
    const PeerView& view = evidence.view(a, b);
    if (view.up_at(time_ns)) {
      for (const UpPeriod& period : view.up)
        if (period.from_ns <= time_ns) last_up = std::max(last_up, period.from_ns);
    } else if (missing++ == 0) {
      first = fmt::format("for {}, {} {}", a, b, why_not_up(view, time_ns));
    }
  }
  if (missing == 0)
    return {Outcome::pass,
            fmt::format("all connected at {}, the last since {}", duration_text(time_ns), duration_text(last_up)),
            true};
  return {Outcome::fail,
          fmt::format("at {} {}{}", duration_text(time_ns), first,
                      missing == 1 ? "" : fmt::format("; {} of {} views were down", missing, pairs.size())),
          true};
}

namespace {

struct Sighting {
  HostPair pair;
  int64_t time_ns = 0;
  std::string reason;
};

bool concerns(const scenario::NodeEvent& wanted, const HostPair& pair) {
  if (!wanted.between.empty()) {
    const auto in = [&](const std::string& key) {
      return std::find(wanted.between.begin(), wanted.between.end(), key) != wanted.between.end();
    };
    return pair.first != pair.second && in(pair.first) && in(pair.second);
  }
  return (wanted.at.empty() || wanted.at == pair.first) && (wanted.peer.empty() || wanted.peer == pair.second);
}

std::vector<Sighting> sightings(const Evidence& evidence, const scenario::NodeEvent& wanted, const Part& part) {
  std::vector<Sighting> found;
  for (const EventRecord& event : evidence.events) {
    if (event.kind != (wanted.up ? "node_up" : "node_down") || !part.holds(event.time_ns)) continue;
    HostPair pair{evidence.naming.host_of(event.host), evidence.naming.host_of(event.subject)};
    std::string reason(text_field(event, "reason"));
    if (!concerns(wanted, pair) || (!wanted.reason.empty() && wanted.reason != reason)) continue;
    found.push_back({std::move(pair), event.time_ns, std::move(reason)});
  }
  return found;
}

std::string words(const Evidence& evidence, const Sighting& s, bool up, const std::string& since) {
  return fmt::format("{} saw {} {} at {}{}{}", s.pair.first, s.pair.second, up ? "up" : "down",
                     duration_text(s.time_ns), s.reason.empty() ? "" : " (" + s.reason + ")",
                     after_fault(evidence, since, s.time_ns));
}

std::string wanted_words(const scenario::NodeEvent& wanted) {
  return fmt::format("{}{}", wanted.up ? "node_up" : "node_down",
                     wanted.reason.empty() ? "" : " (" + wanted.reason + ")");
}

// A pair that never was up cannot go down.
bool ever_up(const Evidence& evidence, const scenario::NodeEvent& wanted, int64_t before_ns) {
  for (const auto& [pair, view] : evidence.connectivity.views)
    if (concerns(wanted, pair) && !view.up.empty() && view.up.front().from_ns < before_ns) return true;
  return false;
}

Finding judge_never(const Evidence& evidence, const scenario::ExpectNodeEvent& expected, const Part& part) {
  const auto found = sightings(evidence, expected.event, part);
  if (!found.empty()) {
    const std::string more = found.size() == 1 ? "" : fmt::format("; and {} more", found.size() - 1);
    return {Outcome::fail, words(evidence, found.front(), expected.event.up, expected.window.since) + more, true};
  }
  if (!expected.event.up && !ever_up(evidence, expected.event, part.to_ns))
    return {Outcome::unknown, "none of these nodes ever saw another up"};
  return {Outcome::pass, fmt::format("no {} {}", wanted_words(expected.event), part.text())};
}

Finding judge_eventually(const Evidence& evidence, const scenario::ExpectNodeEvent& expected, const Part& part) {
  const auto found = sightings(evidence, expected.event, part);
  std::set<HostPair> seen;
  for (const Sighting& s : found) seen.insert(s.pair);
  for (const HostPair& pair : ordered_pairs(expected.event.between))
    if (seen.count(pair) == 0)
      return {Outcome::fail, fmt::format("{} did not see {} {} {}", pair.first, pair.second,
                                         expected.event.up ? "up" : "down", part.text())};
  if (found.empty()) return {Outcome::fail, fmt::format("no {} {}", wanted_words(expected.event), part.text())};
  if (expected.event.between.empty())
    return {Outcome::pass, words(evidence, found.front(), expected.event.up, expected.window.since), true};
  return {Outcome::pass, "the first: " + words(evidence, found.front(), expected.event.up, expected.window.since),
          true};
}

}  // namespace

Finding judge(const Evidence& evidence, const scenario::ExpectNodeEvent& expected) {
  const auto part = evidence.part(expected.window);
  if (!part) return fault_not_done(expected.window.since);
  return expected.never ? judge_never(evidence, expected, *part) : judge_eventually(evidence, expected, *part);
}

Finding judge(const Evidence& evidence, const scenario::ExpectDetection& expected) {
  const auto done = fault_time(evidence.faults, expected.since);
  if (!done) return fault_not_done(expected.since);
  const PeerView& view = evidence.view(expected.at, expected.peer);
  const auto period = std::find_if(view.up.begin(), view.up.end(), [&](const UpPeriod& up) {
    return up.went_down && up.to_ns >= *done && up.reason != "observer killed";
  });
  const std::string limits =
      fmt::format("{} to {}", duration_text(expected.low.count()), duration_text(expected.high.count()));
  if (period == view.up.end()) {
    if (!view.up_at(*done))
      return {Outcome::unknown, fmt::format("{} did not hold {} to be up when {} was done at {}", expected.at,
                                            expected.peer, expected.since, duration_text(*done))};
    const int64_t waited = evidence.end_ns - *done;
    const std::string why = fmt::format("{} did not see {} down in the {} from {} to the end of the run", expected.at,
                                        expected.peer, duration_text(waited), expected.since);
    return waited < expected.high.count() ? Finding{Outcome::unknown, why} : Finding{Outcome::fail, why, true};
  }
  const int64_t after = period->to_ns - *done;
  const bool right_reason = expected.reason.empty() || period->reason == expected.reason;
  const bool right_time = expected.low.count() <= after && after <= expected.high.count();
  std::string why = fmt::format("{} saw {} down at {} ({}), {} after {}", expected.at, expected.peer,
                                duration_text(period->to_ns), period->reason, duration_text(after), expected.since);
  if (!right_time) why += fmt::format("; expected after {}", limits);
  if (!right_reason) why += fmt::format("; expected for {}", expected.reason);
  return {right_time && right_reason ? Outcome::pass : Outcome::fail, std::move(why), true};
}

namespace {

bool matches(const EventRecord& event, const std::string& field, const scenario::Condition& condition) {
  for (const auto& [key, value] : event.fields) {
    if (key != field) continue;
    if (const auto* text = std::get_if<std::string>(&value)) {
      if (condition.op == scenario::Compare::equal) return *text == condition.operand;
      return condition.op == scenario::Compare::not_equal && *text != condition.operand;
    }
    const bool duration = key.size() > 3 && key.compare(key.size() - 3, 3, "_ns") == 0;
    const auto* whole = std::get_if<int64_t>(&value);
    const double number = whole ? static_cast<double>(*whole) : std::get<double>(value);
    return holds(condition, duration ? number / 1e9 : number);
  }
  return false;
}

bool subject_is(const Evidence& evidence, const EventRecord& event, const std::string& wanted) {
  if (wanted.empty() || event.subject == wanted || evidence.naming.host_of(event.subject) == wanted) return true;
  const auto pair = evidence.naming.pair_of(event.subject);
  return pair && pair == evidence.naming.pair_of(wanted);
}

}  // namespace

Finding judge(const Evidence& evidence, const scenario::ExpectEvent& expected) {
  const auto part = evidence.part(expected.window);
  if (!part) return fault_not_done(expected.window.since);
  size_t count = 0;
  int64_t first_ns = 0;
  for (const EventRecord& event : evidence.events) {
    if (event.kind != expected.kind) continue;
    const int64_t began = event.time_ns - int_field(event, "elapsed_ns").value_or(0);
    if (!part->holds(began, event.time_ns) || !subject_is(evidence, event, expected.subject)) continue;
    if (!expected.at.empty() && evidence.naming.host_of(event.host) != expected.at) continue;
    if (!std::all_of(expected.fields.begin(), expected.fields.end(),
                     [&](const auto& field) { return matches(event, field.first, field.second); }))
      continue;
    if (count++ == 0) first_ns = event.time_ns;
  }
  std::string why = count_text(count, "such event ", "such events ") + part->text();
  if (count > 0) why += fmt::format(", the first at {}", duration_text(first_ns));
  return {holds(expected.count, static_cast<double>(count)) ? Outcome::pass : Outcome::fail, std::move(why)};
}

}  // namespace distlab::results
