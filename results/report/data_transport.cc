#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "results/narrative.h"
#include "results/report/parts.h"

namespace distlab::results {

namespace {

constexpr size_t most_moments = 200;  // refusals, failures and states of one lane

Json spans_json(const std::vector<Span>& spans) {
  Json list = Json::array();
  for (const Span& span : spans) {
    if (list.size() == most_moments) break;
    list.push_back({in_seconds(span.from_ns), in_seconds(span.to_ns), span.ended ? 1 : 0, span.reason});
  }
  return list;
}

Json failures_json(const std::vector<Failure>& failures) {
  Json list = Json::array();
  for (const Failure& one : failures) {
    if (list.size() == most_moments) break;
    list.push_back({in_seconds(one.time_ns), one.reason, one.who});
  }
  return list;
}

// The `limit` entries with the most to tell, in their own order.
template <typename Entry, typename Interest>
std::vector<const Entry*> chosen(const std::vector<const Entry*>& all, size_t limit, Interest interest) {
  if (all.size() <= limit) return all;
  std::vector<std::pair<int64_t, size_t>> order;
  for (size_t i = 0; i < all.size(); ++i) order.emplace_back(-interest(*all[i]), i);
  std::sort(order.begin(), order.end());
  std::set<size_t> kept;
  for (size_t i = 0; i < limit; ++i) kept.insert(order[i].second);
  std::vector<const Entry*> result;
  for (const size_t i : kept) result.push_back(all[i]);
  return result;
}

Json sessions_json(const RelayView& relay, size_t limit) {
  using Sessions = std::pair<const std::string, std::vector<Span>>;
  std::vector<const Sessions*> all;
  for (const Sessions& one : relay.sessions) all.push_back(&one);
  const auto ended = [](const Sessions& one) {
    return std::count_if(one.second.begin(), one.second.end(), [](const Span& span) { return span.ended; });
  };
  Json list = Json::array();
  for (const Sessions* one : chosen(all, limit, ended))
    list.push_back({{"identity", one->first}, {"up", spans_json(one->second)}});
  return list;
}

Json ends_json(const RelayView& relay) {
  std::map<std::string, int64_t> ends;
  for (const auto& [identity, spans] : relay.sessions)
    for (const Span& span : spans)
      if (span.ended) ++ends[span.reason];
  return ends;
}

Json relays_json(const Digest& d, const ReportLimits& limits) {
  Json list = Json::array();
  for (const auto& [relay, view] : d.transport.relays) {
    if (list.size() == limits.hosts) break;
    int64_t up = 0;
    for (const auto& [identity, spans] : view.sessions) up += static_cast<int64_t>(spans.size());
    Json dropped = Json::array();
    for (const auto& [reason, sum] : view.dropped) dropped.push_back({reason, sum.events, sum.messages, sum.bytes});
    list.push_back({{"relay", relay},
                    {"sessions", sessions_json(view, limits.sessions)},
                    {"identities", view.sessions.size()},
                    {"up", up},
                    {"ends", ends_json(view)},
                    {"refused", failures_json(view.refused)},
                    {"refusedCount", view.refused.size()},
                    {"strangers", view.strangers},
                    {"dropped", dropped},
                    {"drops", density(view.dropped_ns, d.end_ns, limits.bins)}});
  }
  return list;
}

Json clients_json(const Digest& d, const std::set<std::string>& hosts) {
  Json object = Json::object();
  for (const auto& [node, client] : d.transport.clients) {
    if (hosts.count(node) == 0) continue;
    Json relays = Json::array();
    for (const auto& [relay, mesh] : client.relays)
      relays.push_back({{"relay", relay}, {"up", spans_json(mesh.up)}, {"failures", failures_json(mesh.failures)}});
    object[node] = {{"processes", spans_json(client.processes)}, {"relays", relays}};
  }
  return object;
}

// Bytes per bin that this side knew to be lost.
Json lost_bytes_json(const TunnelEnd& end, int64_t end_ns, size_t bins) {
  std::map<size_t, int64_t> sums;
  for (const LostBytes& lost : end.lost) sums[bin_of(lost.time_ns, end_ns, bins)] += lost.bytes;
  Json list = Json::array();
  for (const auto& [bin, bytes] : sums) list.push_back({bin, bytes});
  return list;
}

Json tunnel_json(const Digest& d, const TunnelEnd& end, size_t bins) {
  Json states = Json::array();
  for (const BridgeState& state : end.states) {
    if (states.size() == most_moments) break;
    states.push_back({state.state, in_seconds(state.from_ns), in_seconds(state.to_ns), state.reason});
  }
  const TunnelBytes bytes = bytes_of(d.transport, end);
  const auto known = [](const std::optional<int64_t>& value) { return value ? Json(*value) : Json(nullptr); };
  return {{"node", end.node},
          {"peer", end.peer},
          {"id", end.id},
          {"direction", end.direction},
          {"setup", in_seconds(end.setup_ns)},
          {"open", {in_seconds(end.open.from_ns), in_seconds(end.open.to_ns), end.open.ended ? 1 : 0, end.open.reason}},
          {"states", states},
          {"lost", lost_bytes_json(end, d.end_ns, bins)},
          {"undecrypted", density(end.decrypt_failed_ns, d.end_ns, bins)},
          {"accepted", known(bytes.accepted)},
          {"counted", known(bytes.counted_as_sent)},
          {"delivered", known(bytes.delivered)},
          {"missing", known(bytes.lost())},
          {"history", history_text(end)}};
}

int64_t interest(const TunnelEnd& end) {
  return static_cast<int64_t>(end.states.size() + end.lost.size() + end.decrypt_failed_ns.size()) +
         (end.open.ended ? 2 : 0);
}

}  // namespace

void add_transport(Json& detail, const Digest& d, const ReportLimits& limits) {
  const Transport& transport = d.transport;
  const std::vector<std::string> hosts = detail["hosts"];
  std::vector<const TunnelEnd*> ends;
  for (const TunnelEnd& end : transport.tunnels) ends.push_back(&end);
  Json tunnels = Json::array();
  for (const TunnelEnd* end : chosen(ends, limits.tunnels, interest))
    tunnels.push_back(tunnel_json(d, *end, limits.bins));
  Json stories = Json::array();
  const std::vector<Story> told = narrative(d);
  for (size_t i = 0; i < std::min(told.size(), limits.stories); ++i)
    stories.push_back({{"what", told[i].what}, {"sentences", told[i].sentences}});
  detail["relays"] = relays_json(d, limits);
  detail["clients"] = clients_json(d, {hosts.begin(), hosts.end()});
  detail["tunnels"] = tunnels;
  detail["tunnelCount"] = transport.tunnels.size();
  detail["stories"] = stories;
  if (transport.tunnels.size() > limits.tunnels)
    detail["notes"].push_back(fmt::format("Of {} sides of tunnels the page shows {}, those with the most to tell.",
                                          transport.tunnels.size(), limits.tunnels));
  if (told.size() > limits.stories)
    detail["notes"].push_back(
        fmt::format("What happened is told of the first {} of {} faults.", limits.stories, told.size()));
  for (const auto& [relay, view] : transport.relays)
    if (view.sessions.size() > limits.sessions)
      detail["notes"].push_back(fmt::format("Of {} identities that had sessions with {} the page shows {}.",
                                            view.sessions.size(), relay, limits.sessions));
}

}  // namespace distlab::results
