// Expectations about figures: messages, latencies, calls.
#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "results/evidence.h"
#include "results/ledger.h"
#include "results/stats.h"
#include "results/summary.h"

namespace distlab::results {

namespace {

using scenario::ExpectMetric;
using scenario::Metric;

bool concerns(const ExpectMetric& expected, const std::string& from, const std::string& to) {
  const auto& nodes = expected.between;
  if (nodes.empty()) return true;
  if (expected.one_way) return from == nodes[0] && to == nodes[1];
  const auto in = [&](const std::string& key) { return std::find(nodes.begin(), nodes.end(), key) != nodes.end(); };
  return in(from) && in(to);
}

Finding verdict_on(const ExpectMetric& expected, double value, std::string why) {
  const bool good = holds(expected.condition, value);
  if (!good) why += fmt::format("; expected {}", expected.condition.text);
  return {good ? Outcome::pass : Outcome::fail, std::move(why)};
}

// "a->b", whichever way the event names the two.
std::string pair_text(const Evidence& evidence, const EventRecord& event) {
  const auto pair = evidence.naming.pair_of(event.subject);
  return pair ? pair->first + "->" + pair->second : event.subject;
}

std::string quantile_name(double p) {
  if (p >= 1) return "the longest";
  return fmt::format("p{:g}", p * 100);
}

// Values in seconds, each with the time and pair it belongs to.
struct Measured {
  double seconds = 0;
  int64_t time_ns = 0;
  std::string pair;
};

Finding judge_quantile(const ExpectMetric& expected, const std::vector<Measured>& measured, const char* singular,
                       const char* plural, const Part& part) {
  if (measured.empty()) return {Outcome::unknown, fmt::format("there was no {} {}", singular, part.text())};
  std::vector<double> values;
  for (const Measured& m : measured) values.push_back(m.seconds);
  std::sort(values.begin(), values.end());
  const double value = quantile(values, std::clamp(expected.quantile, 0.0, 1.0));
  const auto longest = std::max_element(measured.begin(), measured.end(),
                                        [](const Measured& a, const Measured& b) { return a.seconds < b.seconds; });
  std::string why = fmt::format("{} of {} is {}", quantile_name(expected.quantile),
                                count_text(measured.size(), singular, plural), milliseconds_text(value * 1e3));
  why += expected.quantile >= 1
             ? fmt::format(", {} at {}", longest->pair, duration_text(longest->time_ns))
             : fmt::format("; the longest is {}, {} at {}", milliseconds_text(longest->seconds * 1e3), longest->pair,
                           duration_text(longest->time_ns));
  return verdict_on(expected, value, std::move(why));
}

// call_done or ping_done events that concern the expectation, by when they began.
std::vector<std::pair<const EventRecord*, int64_t>> done_events(const Evidence& evidence, const ExpectMetric& expected,
                                                                std::string_view kind, const Part& part) {
  std::vector<std::pair<const EventRecord*, int64_t>> found;
  for (const EventRecord& event : evidence.events) {
    if (event.kind != kind) continue;
    const int64_t began = event.time_ns - int_field(event, "elapsed_ns").value_or(0);
    const auto pair = evidence.naming.pair_of(event.subject);
    if (pair && concerns(expected, pair->first, pair->second) && part.holds(began, event.time_ns))
      found.emplace_back(&event, began);
  }
  return found;
}

Finding judge_call_latency(const Evidence& evidence, const ExpectMetric& expected, const Part& part) {
  std::vector<Measured> measured;
  for (const auto& [event, began] : done_events(evidence, expected, "call_done", part))
    if (text_field(*event, "result") == "ok")
      measured.push_back({static_cast<double>(event->time_ns - began) / 1e9, began, pair_text(evidence, *event)});
  return judge_quantile(expected, measured, "answered call", "answered calls", part);
}

Finding judge_setup_time(const Evidence& evidence, const ExpectMetric& expected, const Part& part) {
  std::vector<Measured> measured;
  for (const EventRecord& event : evidence.events) {
    // The side that dialled measures from its first step to the last; the other one sees less of it.
    if (event.kind != "node_up" || text_field(event, "direction") == "in") continue;
    const auto setup = int_field(event, "setup_ns");
    const std::string from = evidence.naming.host_of(event.host), to = evidence.naming.host_of(event.subject);
    if (setup && concerns(expected, from, to) && part.holds(event.time_ns - *setup, event.time_ns))
      measured.push_back({static_cast<double>(*setup) / 1e9, event.time_ns, from + "->" + to});
  }
  return judge_quantile(expected, measured, "connection set up", "connections set up", part);
}

Finding judge_outcomes(const Evidence& evidence, const ExpectMetric& expected, const Part& part, const char* singular,
                       const char* plural) {
  const auto found =
      done_events(evidence, expected, expected.metric == Metric::pings ? "ping_done" : "call_done", part);
  if (found.empty() && (expected.share || !expected.result.empty()))
    return {Outcome::unknown, fmt::format("there was no {} {}", singular, part.text())};
  size_t count = 0;
  const EventRecord* first = nullptr;
  for (const auto& [event, began] : found) {
    if (!expected.result.empty() && text_field(*event, "result") != expected.result) continue;
    if (count++ == 0) first = event;
  }
  std::string why = expected.result.empty() ? fmt::format("{} {}", count_text(count, singular, plural), part.text())
                                            : fmt::format("{} of {} ended with {}", count,
                                                          count_text(found.size(), singular, plural), expected.result);
  const double share = found.empty() ? 0 : static_cast<double>(count) / static_cast<double>(found.size());
  if (expected.share) why += fmt::format(" ({:.3g}%)", share * 100);
  if (first != nullptr && !expected.result.empty() && count < found.size())
    why += fmt::format(", the first at {} ({})", duration_text(first->time_ns), pair_text(evidence, *first));
  return verdict_on(expected, expected.share ? share : static_cast<double>(count), std::move(why));
}

std::vector<PairLedger> books_of(const Evidence& evidence, const ExpectMetric& expected, const Part& part) {
  LedgerOptions options;
  options.counts = [&](int64_t from_ns, int64_t to_ns) { return part.holds(from_ns, to_ns); };
  auto books = ledger(evidence.events, evidence.naming, evidence.connectivity, options);
  books.erase(std::remove_if(books.begin(), books.end(),
                             [&](const PairLedger& book) { return !concerns(expected, book.from, book.to); }),
              books.end());
  return books;
}

Finding judge_message_latency(const ExpectMetric& expected, const std::vector<PairLedger>& books, const Part& part) {
  std::vector<double> values;
  for (const PairLedger& book : books)
    for (const double ms : book.latency_ms) values.push_back(ms / 1e3);
  if (values.empty()) return {Outcome::unknown, "no message arrived " + part.text()};
  std::sort(values.begin(), values.end());
  const double value = quantile(values, std::clamp(expected.quantile, 0.0, 1.0));
  std::string why = fmt::format("{} of {} is {}", quantile_name(expected.quantile),
                                count_text(values.size(), "message", "messages"), milliseconds_text(value * 1e3));
  if (expected.quantile < 1) why += fmt::format("; the longest is {}", milliseconds_text(values.back() * 1e3));
  return verdict_on(expected, value, std::move(why));
}

Finding judge_wedged(const ExpectMetric& expected, const std::vector<PairLedger>& books) {
  int64_t sum = 0;
  const PairLedger* worst = nullptr;
  const Wedge* longest = nullptr;
  for (const PairLedger& book : books) {
    sum += book.wedged_ns();
    for (const Wedge& wedge : book.wedges)
      if (longest == nullptr || wedge.to_ns - wedge.from_ns > longest->to_ns - longest->from_ns) {
        longest = &wedge;
        worst = &book;
      }
  }
  std::string why = "no message was held back while its receiver was held to be up";
  if (longest != nullptr)
    why = fmt::format("wedged while up for {} in all; the longest is {}->{} from {} to {} ({})", duration_text(sum),
                      worst->from, worst->to, duration_text(longest->from_ns), duration_text(longest->to_ns),
                      count_text(static_cast<size_t>(longest->messages), "message", "messages"));
  return verdict_on(expected, static_cast<double>(sum) / 1e9, std::move(why));
}

Finding judge_messages(const Evidence& evidence, const ExpectMetric& expected, const Part& part) {
  const auto books = books_of(evidence, expected, part);
  if (expected.metric == Metric::message_latency) return judge_message_latency(expected, books, part);
  int64_t sent = 0, count = 0;
  const PairLedger* first = nullptr;
  const char* what = "lost";
  for (const PairLedger& book : books) {
    sent += book.sent;
    if (expected.metric == Metric::lost_messages) {
      count += book.lost;
      if (book.lost > 0 && (first == nullptr || book.first_lost_ns < first->first_lost_ns)) first = &book;
    } else if (expected.metric == Metric::duplicated_messages) {
      what = "duplicated";
      count += book.duplicated;
    } else {
      what = "reordered";
      count += book.reordered;
    }
  }
  if (sent == 0) return {Outcome::unknown, "no message was sent " + part.text()};
  if (expected.metric == Metric::wedged) return judge_wedged(expected, books);
  const double share = static_cast<double>(count) / static_cast<double>(sent);
  std::string why = fmt::format("{} of {} {} {}", count, count_text(static_cast<size_t>(sent), "message", "messages"),
                                count == 1 ? "was" : "were", what);
  if (expected.share) why += fmt::format(" ({:.3g}%)", share * 100);
  if (first != nullptr)
    why += fmt::format(", the first sent at {} ({}->{})", duration_text(first->first_lost_ns), first->from, first->to);
  return verdict_on(expected, expected.share ? share : static_cast<double>(count), std::move(why));
}

}  // namespace

Finding judge(const Evidence& evidence, const ExpectMetric& expected) {
  const auto part = evidence.part(expected.window);
  if (!part) return fault_not_done(expected.window.since);
  switch (expected.metric) {
    case Metric::call_latency:
      return judge_call_latency(evidence, expected, *part);
    case Metric::setup_time:
      return judge_setup_time(evidence, expected, *part);
    case Metric::calls:
      return judge_outcomes(evidence, expected, *part, "call", "calls");
    case Metric::pings:
      return judge_outcomes(evidence, expected, *part, "ping", "pings");
    case Metric::lost_messages:
    case Metric::duplicated_messages:
    case Metric::reordered_messages:
    case Metric::wedged:
    case Metric::message_latency:
      break;
  }
  return judge_messages(evidence, expected, *part);
}

}  // namespace distlab::results
