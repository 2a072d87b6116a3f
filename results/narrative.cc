#include "results/narrative.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "results/narrative_parts.h"
#include "results/summary.h"

namespace distlab::results {

namespace {

constexpr int64_t under_way_ns = 1'000'000'000;  // a message may be this long under way when a fault comes

struct Verb {
  std::string_view fault, done, undone;
};
constexpr std::array verbs = {
    Verb{"kill", "was killed", "started again"},          Verb{"freeze", "was frozen", "thawed"},
    Verb{"down", "went down", "came up again"},           Verb{"black_hole", "became a black hole", "came up again"},
    Verb{"hold", "was held back", "was released"},        Verb{"shutdown", "was shut down", "started again"},
    Verb{"wedge", "stopped answering", "answered again"}, Verb{"kill_client", "lost its mesh client", "got another"},
};

std::string in_words(const FaultSpan& fault) {
  const auto* verb = std::find_if(verbs.begin(), verbs.end(), [&](const Verb& v) { return v.fault == fault.fault; });
  const bool known = verb != verbs.end() && fault.detail.empty();
  if (fault.fault == "tunnel_message")
    return fmt::format("A tunnel message {} was harmed ({}) at {}.", fault.target, fault.detail,
                       duration_text(fault.from_ns));
  std::string text =
      known ? fmt::format("{} {} at {}", fault.target, verb->done, duration_text(fault.from_ns))
            : fmt::format("{}{} was done to {} at {}", fault.fault, fault.detail.empty() ? "" : " " + fault.detail,
                          fault.target, duration_text(fault.from_ns));
  if (fault.undone && fault.to_ns > fault.from_ns)
    text += fmt::format(" and {} at {}", known ? verb->undone : "undone", duration_text(fault.to_ns));
  return text + ".";
}

std::string opening(const Chapter& chapter, bool alone) {
  if (chapter.faults.empty()) return alone ? "No fault was done." : "Before the first fault:";
  std::string text;
  for (const FaultSpan* fault : chapter.faults) text += (text.empty() ? "" : " ") + in_words(*fault);
  return text;
}

// What one node made of its messages to another, in one chapter.
struct PairPlot {
  HostPair pair;
  int64_t lost = 0, while_up = 0, stretches = 0, from_ns = 0, to_ns = 0;
  const UpPeriod* fell = nullptr;   // the first period that ended here
  const UpPeriod* again = nullptr;  // the one after it
  bool up_before = false;           // held to be up when the fault came

  bool eventful() const { return lost > 0 || fell != nullptr; }
};

void add_losses(const Book& book, const Chapter& chapter, const PairLedger& ledger, PairPlot& plot) {
  for (const Loss& loss : ledger.losses) {
    if (book.chapter_at(loss.from_ns + under_way_ns) != &chapter) continue;
    if (plot.stretches++ == 0) plot.from_ns = loss.from_ns;
    plot.to_ns = loss.to_ns;
    plot.lost += loss.messages;
    plot.while_up += loss.while_up;
  }
}

void add_view(const Book& book, const Chapter& chapter, const PeerView& view, PairPlot& plot) {
  for (size_t i = 0; i < view.up.size(); ++i) {
    const UpPeriod& period = view.up[i];
    if (period.from_ns < chapter.from_ns && period.to_ns >= chapter.from_ns) plot.up_before = true;
    if (!period.went_down || period.reason == "observer killed" || plot.fell != nullptr) continue;
    if (book.chapter_at(period.to_ns) != &chapter) continue;
    plot.fell = &period;
    if (i + 1 < view.up.size()) plot.again = &view.up[i + 1];
  }
}

std::vector<PairPlot> pair_plots(const Book& book, const Chapter& chapter) {
  std::map<HostPair, PairPlot> plots;
  for (const PairLedger& ledger : book.digest.ledger)
    add_losses(book, chapter, ledger, plots[{ledger.from, ledger.to}]);
  for (const auto& [pair, view] : book.digest.connectivity.views) add_view(book, chapter, view, plots[pair]);
  std::vector<PairPlot> result;
  for (auto& [pair, plot] : plots) {
    plot.pair = pair;
    result.push_back(plot);
  }
  return result;
}

std::string loss_words(const PairPlot& plot) {
  if (plot.lost == 1)
    return fmt::format("1 message {}->{} sent at {} is lost", plot.pair.first, plot.pair.second,
                       duration_text(plot.from_ns));
  std::string text = fmt::format("{} messages {}->{} sent between {} and {} are lost", plot.lost, plot.pair.first,
                                 plot.pair.second, duration_text(plot.from_ns), duration_text(plot.to_ns));
  if (plot.stretches > 1) text += fmt::format(", in {} stretches", plot.stretches);
  return text;
}

std::string view_words(const Chapter& chapter, const PairPlot& plot) {
  std::string text = fmt::format("{} called {} up until {}{}", plot.pair.first, plot.pair.second,
                                 duration_text(plot.fell->to_ns), in_brackets(plot.fell->reason));
  if (!chapter.faults.empty())
    text += fmt::format(", {} after the fault", duration_text(plot.fell->to_ns - chapter.from_ns));
  if (plot.again != nullptr) text += fmt::format(", and again from {}", duration_text(plot.again->from_ns));
  return text;
}

std::string pair_words(const Chapter& chapter, const PairPlot& plot) {
  if (plot.lost == 0) return view_words(chapter, plot) + ".";
  std::string text = loss_words(plot);
  if (plot.while_up == 0) {
    text += fmt::format(", none while {} called {} up", plot.pair.first, plot.pair.second);
  } else if (plot.fell == nullptr) {
    const std::string stretch = plot.to_ns == plot.from_ns ? "" : ", " + duration_text(plot.to_ns - plot.from_ns);
    text += plot.while_up == plot.lost
                ? fmt::format("; {} called {} up all the while{}", plot.pair.first, plot.pair.second, stretch)
                : fmt::format("; {} of them while {} called {} up", plot.while_up, plot.pair.first, plot.pair.second);
  } else if (plot.while_up < plot.lost) {
    text += fmt::format(", {} of them while {} called {} up", plot.while_up, plot.pair.first, plot.pair.second);
  }
  return text + (plot.fell == nullptr ? "." : "; " + view_words(chapter, plot) + ".");
}

// Many pairs: the sums, and the worst.
void sum_up(const Chapter& chapter, const std::vector<PairPlot>& plots, Sentences& out) {
  int64_t lost = 0, while_up = 0, pairs = 0;
  const PairPlot* worst = nullptr;
  std::vector<const PairPlot*> fallen;
  for (const PairPlot& plot : plots) {
    lost += plot.lost;
    while_up += plot.while_up;
    pairs += plot.lost > 0;
    if (plot.lost > 0 && (worst == nullptr || plot.lost > worst->lost)) worst = &plot;
    if (plot.fell != nullptr) fallen.push_back(&plot);
  }
  if (worst != nullptr) {
    out.push_back(fmt::format("{} of {} are lost, {} of them while the sender called the receiver up; the most: {}",
                              counted(lost, "message", "messages"), counted(pairs, "pair", "pairs"), while_up,
                              pair_words(chapter, *worst)));
  }
  if (fallen.empty()) return;
  std::stable_sort(fallen.begin(), fallen.end(),
                   [](const PairPlot* a, const PairPlot* b) { return a->fell->to_ns < b->fell->to_ns; });
  const auto one = [&](const PairPlot* plot) {
    return fmt::format("{} of {} {}{}", plot->pair.first, plot->pair.second, when(chapter, plot->fell->to_ns),
                       in_brackets(plot->fell->reason));
  };
  out.push_back(fmt::format("In {} a node called its peer down, the first {}, the last {}.",
                            counted(static_cast<int64_t>(fallen.size()), "case", "cases"), one(fallen.front()),
                            one(fallen.back())));
}

void tell_pairs(const Book& book, const Chapter& chapter, Sentences& out) {
  const std::vector<PairPlot> plots = pair_plots(book, chapter);
  const auto eventful = std::count_if(plots.begin(), plots.end(), [](const PairPlot& p) { return p.eventful(); });
  if (static_cast<size_t>(eventful) > most_told) return sum_up(chapter, plots, out);
  for (const PairPlot& plot : plots)
    if (plot.eventful()) out.push_back(pair_words(chapter, plot));
  if (chapter.faults.empty()) return;
  const bool any_lost = std::any_of(plots.begin(), plots.end(), [](const PairPlot& p) { return p.lost > 0; });
  const bool any_fell = std::any_of(plots.begin(), plots.end(), [](const PairPlot& p) { return p.fell != nullptr; });
  const bool any_up = std::any_of(plots.begin(), plots.end(), [](const PairPlot& p) { return p.up_before; });
  bool sent = false;  // silence is no news of messages when none was sent
  for (const auto& [pair, times] : book.digest.traffic) {
    const auto at = std::lower_bound(times.begin(), times.end(), chapter.from_ns);
    sent |= at != times.end() && *at < chapter.until_ns;
  }
  if (sent && !any_lost)
    out.push_back(any_up && !any_fell ? "No message was lost, and no node called another down."
                                      : "No message was lost.");
  else if (any_up && !any_fell && !any_lost)
    out.push_back("No node called another down.");
}

// Calls that failed, by pair; a call may have been under way when the fault came, as a message may.
void tell_calls(const Book& book, const Chapter& chapter, Sentences& out) {
  struct Failed {
    int64_t count = 0, from_ns = 0, to_ns = 0;
    std::map<std::string, int64_t> results;
  };
  std::map<HostPair, Failed> pairs;
  int64_t total = 0;
  for (const Call& call : book.digest.calls) {
    if (call.ok() || book.chapter_at(call.started_ns + under_way_ns) != &chapter) continue;
    Failed& failed = pairs[{call.from, call.to}];
    failed.from_ns = failed.count == 0 ? call.started_ns : std::min(failed.from_ns, call.started_ns);
    failed.to_ns = std::max(failed.to_ns, call.started_ns);
    ++failed.count;
    ++failed.results[call.result];
    ++total;
  }
  if (pairs.size() > most_told) {
    out.push_back(fmt::format("{} calls of {} pairs failed.", total, pairs.size()));
    return;
  }
  for (const auto& [pair, failed] : pairs) {
    std::string results;
    for (const auto& [result, n] : failed.results)
      results += fmt::format("{}{} {}", results.empty() ? "" : ", ", n, result);
    const std::string begun = failed.count == 1 ? "at " + duration_text(failed.from_ns)
                                                : fmt::format("between {} and {}", duration_text(failed.from_ns),
                                                              duration_text(failed.to_ns));
    out.push_back(fmt::format("{} {}->{} begun {} failed ({}).", counted(failed.count, "call", "calls"), pair.first,
                              pair.second, begun, results));
  }
}

}  // namespace

bool Chapter::is_about(const std::string& target) const {
  return std::any_of(faults.begin(), faults.end(), [&](const FaultSpan* fault) { return fault->target == target; });
}

bool Chapter::concerns(const std::string& relay, const Digest& digest) const {
  return relay.empty() || faults.empty() || std::any_of(faults.begin(), faults.end(), [&](const FaultSpan* fault) {
           return fault->target == relay || digest.transport.relays.count(fault->target) == 0;
         });
}

Book::Book(const Digest& of) : digest(of) {
  chapters.push_back({{}, 0, 0});
  for (const FaultSpan& fault : digest.faults) {
    if (chapters.back().faults.empty() || chapters.back().from_ns != fault.from_ns)
      chapters.push_back({{}, fault.from_ns, 0});
    chapters.back().faults.push_back(&fault);
  }
  for (size_t i = 0; i < chapters.size(); ++i)
    chapters[i].until_ns = i + 1 < chapters.size() ? chapters[i + 1].from_ns : digest.end_ns;
}

const Chapter* Book::chapter_at(int64_t time_ns, const std::string& relay) const {
  auto chapter = std::upper_bound(chapters.begin(), chapters.end(), time_ns,
                                  [](int64_t time, const Chapter& one) { return time < one.from_ns; });
  while (chapter != chapters.begin())
    if ((--chapter)->concerns(relay, digest)) break;
  return &*chapter;
}

std::string in_brackets(const std::string& reason) {
  return reason.empty() ? "" : fmt::format(" ({})", reason);
}

std::string when(const Chapter& chapter, int64_t time_ns) {
  if (chapter.faults.empty()) return "at " + duration_text(time_ns);
  return time_ns == chapter.from_ns ? "at once" : "after " + duration_text(time_ns - chapter.from_ns);
}

std::string counted(int64_t n, const char* singular, const char* plural) {
  return fmt::format("{} {}", n, n == 1 ? singular : plural);
}

std::vector<Story> narrative(const Digest& digest) {
  std::vector<Story> stories;
  if (digest.transport.empty()) return stories;
  const Book book(digest);
  for (const Chapter& chapter : book.chapters) {
    Story story{opening(chapter, book.chapters.size() == 1), {}};
    tell_clients(book, chapter, story.sentences);
    tell_bridges(book, chapter, story.sentences);
    tell_relays(book, chapter, story.sentences);
    tell_pairs(book, chapter, story.sentences);
    tell_calls(book, chapter, story.sentences);
    tell_failures(book, chapter, story.sentences);
    if (!chapter.faults.empty() || !story.sentences.empty()) stories.push_back(std::move(story));
  }
  return stories;
}

}  // namespace distlab::results
