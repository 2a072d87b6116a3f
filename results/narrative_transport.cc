// Of the clients, the bridges and the relays: who noticed, when and why.
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "results/narrative_parts.h"
#include "results/summary.h"

namespace distlab::results {

namespace {

bool open_when_it_came(const Span& span, const Chapter& chapter) {
  return span.from_ns < chapter.from_ns && (!span.ended || span.to_ns >= chapter.from_ns);
}

// One observer of a fault: its sentence, and when it noticed, if it did.
struct Witness {
  std::string who, words;
  int64_t noticed_ns = 0;
  std::string reason;
};

// Each of them while they are few, else how many, the first and the last.
void tell(const Chapter& chapter, std::vector<Witness> witnesses, const char* many, Sentences& out) {
  if (witnesses.size() <= most_told) {
    for (const Witness& witness : witnesses) out.push_back(witness.words);
    return;
  }
  std::stable_sort(witnesses.begin(), witnesses.end(),
                   [](const Witness& a, const Witness& b) { return a.noticed_ns < b.noticed_ns; });
  const auto one = [&](const Witness& witness) {
    return fmt::format("{} {}{}", witness.who, when(chapter, witness.noticed_ns), in_brackets(witness.reason));
  };
  out.push_back(fmt::format("{} {}, the first {}, the last {}.", witnesses.size(), many, one(witnesses.front()),
                            one(witnesses.back())));
}

// Those who should have noticed and did not.
struct Unaware {
  std::vector<std::string> who;
  bool cut_short = false;  // the next fault came while one of them could still have noticed

  void add(const Book& book, const Chapter& chapter, const Span& span, std::string name) {
    who.push_back(std::move(name));
    cut_short |= chapter.until_ns < book.digest.end_ns && (!span.ended || span.to_ns >= chapter.until_ns);
  }
  void tell(const char* many, const char* did, Sentences& out) const {
    if (who.empty()) return;
    std::string names;
    for (size_t i = 0; i < who.size(); ++i) names += (i == 0 ? "" : i + 1 == who.size() ? " and " : ", ") + who[i];
    if (who.size() > most_told) names = fmt::format("{} {}", who.size(), many);
    out.push_back(fmt::format("{} {}{}.", names, did, cut_short ? " before the next fault" : ""));
  }
};

void tell_deaths(const Book& book, const Chapter& chapter, Sentences& out) {
  std::vector<Witness> dead;
  for (const auto& [node, client] : book.digest.transport.clients) {
    for (size_t i = 0; i < client.processes.size(); ++i) {
      const Span& span = client.processes[i];
      if (!span.ended || span.reason == process_killed_reason || book.chapter_at(span.to_ns) != &chapter) continue;
      std::string words =
          fmt::format("{}'s client died at {}{}", node, duration_text(span.to_ns), in_brackets(span.reason));
      words += i + 1 < client.processes.size()
                   ? fmt::format("; the next one began at {}.", duration_text(client.processes[i + 1].from_ns))
                   : "; no other one took its place.";
      dead.push_back({node + "'s", std::move(words), span.to_ns, span.reason});
    }
  }
  tell(chapter, std::move(dead), "clients died", out);
}

std::string back_again(const std::vector<Span>& spans, size_t i) {
  if (i + 1 == spans.size()) return " and had no session again";
  return fmt::format(" and had a session again at {}", duration_text(spans[i + 1].from_ns));
}

// The bridge states of one end that fall into the chapter.
struct BridgePlot {
  const BridgeState* lost_it = nullptr;  // the first reconnecting
  const BridgeState* after = nullptr;    // what followed
};

BridgePlot bridge_plot(const Book& book, const Chapter& chapter, const TunnelEnd& end) {
  for (size_t i = 0; i < end.states.size(); ++i) {
    if (end.states[i].state != "reconnecting" || book.chapter_at(end.states[i].from_ns) != &chapter) continue;
    return {&end.states[i], i + 1 < end.states.size() ? &end.states[i + 1] : nullptr};
  }
  return {};
}

std::string bridge_words(const Chapter& chapter, const TunnelEnd& end, const BridgePlot& plot) {
  std::string text = fmt::format("{}'s bridge to {} began to reconnect {}{}", end.node, end.peer,
                                 when(chapter, plot.lost_it->from_ns), in_brackets(plot.lost_it->reason));
  if (plot.after == nullptr) return text + ".";
  const std::string at = duration_text(plot.after->from_ns);
  if (plot.after->state == "running") return text + fmt::format(" and ran again at {}.", at);
  return text + fmt::format(" and was {} at {}{}.", plot.after->state, at, in_brackets(plot.after->reason));
}

// Whether one of the chapter's faults took away what this node had a session with.
bool loses_its_relay(const Book& book, const Chapter& chapter, const std::string& node) {
  const auto client = book.digest.transport.clients.find(node);
  if (client == book.digest.transport.clients.end()) return false;
  const auto& relays = client->second.relays;
  return std::any_of(relays.begin(), relays.end(), [&](const auto& entry) {
    return chapter.is_about(entry.first) &&
           std::any_of(entry.second.up.begin(), entry.second.up.end(),
                       [&](const Span& span) { return open_when_it_came(span, chapter); });
  });
}

// Failures that tell the same story, as one sentence.
struct Repeated {
  int64_t count = 0, first_ns = 0, last_ns = 0;
  std::string reason;  // of the last

  void add(int64_t time_ns, const std::string& why) {
    if (count++ == 0) first_ns = time_ns;
    last_ns = time_ns;
    reason = why;
  }
  std::string words() const {
    if (count == 1) return fmt::format("at {}{}", duration_text(first_ns), in_brackets(reason));
    return fmt::format("{} times from {} to {}{}", count, duration_text(first_ns), duration_text(last_ns),
                       in_brackets(reason));
  }
};

void tell_repeated(const std::map<std::string, Repeated>& repeated, const char* many, Sentences& out) {
  size_t told = 0;
  for (const auto& [what, one] : repeated)
    if (told++ < most_told) out.push_back(fmt::format("{} {}.", what, one.words()));
  if (repeated.size() > most_told) out.push_back(fmt::format("And {} more {}.", repeated.size() - most_told, many));
}

}  // namespace

void tell_clients(const Book& book, const Chapter& chapter, Sentences& out) {
  tell_deaths(book, chapter, out);
  std::vector<Witness> aware;
  Unaware unaware;
  for (const auto& [node, client] : book.digest.transport.clients) {
    for (const auto& [relay, mesh] : client.relays) {
      for (size_t i = 0; i < mesh.up.size(); ++i) {
        const Span& span = mesh.up[i];
        if (span.reason == client_died_reason || span.reason == process_killed_reason) continue;
        if (span.ended && book.chapter_at(span.to_ns, relay) == &chapter) {
          aware.push_back({node + "'s",
                           fmt::format("{}'s client noticed {}{} that {} was lost{}.", node, when(chapter, span.to_ns),
                                       in_brackets(span.reason), relay, back_again(mesh.up, i)),
                           span.to_ns, span.reason});
        } else if (chapter.is_about(relay) && open_when_it_came(span, chapter)) {
          unaware.add(book, chapter, span, node + "'s client");
        }
      }
    }
  }
  tell(chapter, std::move(aware), "clients noticed that a relay was lost", out);
  unaware.tell("clients", "noticed nothing", out);
}

void tell_bridges(const Book& book, const Chapter& chapter, Sentences& out) {
  std::vector<Witness> aware;
  Unaware unaware;
  for (const TunnelEnd& end : book.digest.transport.tunnels) {
    const BridgePlot plot = bridge_plot(book, chapter, end);
    if (plot.lost_it != nullptr) {
      aware.push_back({fmt::format("{}'s to {}", end.node, end.peer), bridge_words(chapter, end, plot),
                       plot.lost_it->from_ns, plot.lost_it->reason});
    } else if (!end.states.empty() && open_when_it_came(end.open, chapter) &&
               loses_its_relay(book, chapter, end.node)) {
      unaware.add(book, chapter, end.open, fmt::format("{}'s bridge to {}", end.node, end.peer));
    }
  }
  tell(chapter, std::move(aware), "bridges began to reconnect", out);
  unaware.tell("bridges", "never began to reconnect", out);
}

void tell_relays(const Book& book, const Chapter& chapter, Sentences& out) {
  for (const auto& [relay, view] : book.digest.transport.relays) {
    std::vector<Witness> ended;
    for (const auto& [identity, spans] : view.sessions) {
      for (const Span& span : spans) {
        if (!span.ended || span.reason == process_killed_reason || book.chapter_at(span.to_ns, relay) != &chapter)
          continue;
        ended.push_back({identity + "'s",
                         fmt::format("{} ended the session of {} {}{}.", relay, identity, when(chapter, span.to_ns),
                                     in_brackets(span.reason)),
                         span.to_ns, span.reason});
      }
    }
    tell(chapter, std::move(ended), fmt::format("sessions were ended by {}", relay).c_str(), out);
  }
}

void tell_failures(const Book& book, const Chapter& chapter, Sentences& out) {
  const Transport& transport = book.digest.transport;
  std::map<std::string, Repeated> refused, unreached, unopened, unconnected, undecrypted;
  for (const auto& [relay, view] : transport.relays)
    for (const Failure& one : view.refused)
      if (book.chapter_at(one.time_ns, relay) == &chapter)
        refused[fmt::format("{} refused {}", relay, one.who)].add(one.time_ns, one.reason);
  for (const auto& [node, client] : transport.clients)
    for (const auto& [relay, mesh] : client.relays)
      for (const Failure& one : mesh.failures)
        if (book.chapter_at(one.time_ns, relay) == &chapter)
          unreached[fmt::format("{}'s client failed to get a session with {}", node, relay)].add(one.time_ns,
                                                                                                 one.reason);
  for (const auto& [pair, failures] : transport.tunnel_failures)
    for (const Failure& one : failures)
      if (book.chapter_at(one.time_ns) == &chapter)
        unopened[fmt::format("{} failed to open a tunnel to {}", pair.first, pair.second)].add(one.time_ns, one.reason);
  for (const auto& [pair, view] : book.digest.connectivity.views)
    for (const ConnectFailure& one : view.failures)
      if (book.chapter_at(one.time_ns) == &chapter)
        unconnected[fmt::format("{} failed to connect to {}", pair.first, pair.second)].add(one.time_ns, one.reason);
  for (const TunnelEnd& end : transport.tunnels)
    for (const int64_t time_ns : end.decrypt_failed_ns)
      if (book.chapter_at(time_ns) == &chapter)
        undecrypted[fmt::format("{} could not decrypt what came from {}", end.node, end.peer)].add(time_ns, "");
  tell_repeated(refused, "were refused", out);
  tell_repeated(unreached, "clients failed to get a session", out);
  tell_repeated(unopened, "pairs failed to open a tunnel", out);
  tell_repeated(unconnected, "pairs failed to connect", out);
  tell_repeated(undecrypted, "tunnels could not decrypt", out);
}

}  // namespace distlab::results
