#include "results/transport.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string_view>
#include <tuple>

#include <fmt/format.h>

#include "results/summary.h"

namespace distlab::results {

namespace {

std::string reason_of(const EventRecord& event) {
  return std::string(text_field(event, "reason"));
}

// Ends the oldest span that is still open.
void end_oldest(std::vector<Span>& spans, int64_t time_ns, std::string reason) {
  const auto open = std::find_if(spans.begin(), spans.end(), [](const Span& span) { return !span.ended; });
  if (open == spans.end()) return;
  open->to_ns = time_ns;
  open->ended = true;
  open->reason = std::move(reason);
}

void end_all(std::vector<Span>& spans, int64_t time_ns, std::string_view reason) {
  for (size_t i = 0; i < spans.size(); ++i) end_oldest(spans, time_ns, std::string(reason));
}

void run_on(std::vector<Span>& spans, int64_t end_ns) {
  for (Span& span : spans)
    if (!span.ended) span.to_ns = end_ns;
}

class Builder {
 public:
  Builder(const Naming& naming, const std::map<std::string, std::string>& nodes) : naming_(naming) {
    for (const auto& [name, host] : nodes) nodes_.insert(host);
  }

  void take(const EventRecord& event) {
    using Take = void (Builder::*)(const EventRecord&);
    static const std::map<std::string_view, Take> takers = {
        {"process_started", &Builder::process_started},
        {"process_killed", &Builder::process_killed},
        {"session_up", &Builder::session_up},
        {"session_down", &Builder::session_down},
        {"session_refused", &Builder::session_refused},
        {"session_abandoned", &Builder::stranger},
        {"quic_failed", &Builder::stranger},
        {"quic_refused", &Builder::stranger},
        {"relay_dropped", &Builder::relay_dropped},
        {"client_started", &Builder::client_started},
        {"client_died", &Builder::client_died},
        {"mesh_up", &Builder::mesh_up},
        {"mesh_down", &Builder::mesh_down},
        {"mesh_failed", &Builder::mesh_failed},
        {"tunnel_opened", &Builder::tunnel_opened},
        {"tunnel_failed", &Builder::tunnel_failed},
        {"tunnel_closed", &Builder::tunnel_closed},
        {"bridge_state", &Builder::bridge_state},
        {"tunnel_lost", &Builder::tunnel_lost},
        {"decrypt_failed", &Builder::decrypt_failed},
        {"tunnel_metrics", &Builder::tunnel_metrics},
    };
    if (const auto found = takers.find(event.kind); found != takers.end()) (this->*found->second)(event);
  }

  Transport finish(int64_t end_ns) {
    for (auto& [relay, view] : result_.relays)
      for (auto& [identity, spans] : view.sessions) run_on(spans, end_ns);
    for (auto& [node, client] : result_.clients) {
      run_on(client.processes, end_ns);
      for (auto& [relay, mesh] : client.relays) run_on(mesh.up, end_ns);
    }
    std::map<std::string, std::vector<const TunnelEnd*>> by_id;
    for (const TunnelEnd& end : result_.tunnels) by_id[end.id].push_back(&end);
    for (TunnelEnd& end : result_.tunnels) {
      if (!end.open.ended) {
        end.open.to_ns = end_ns;
        if (!end.states.empty()) end.states.back().to_ns = end_ns;
      }
      if (end.peer != "?") continue;
      for (const TunnelEnd* other : by_id[end.id])
        if (other->node != end.node) end.peer = other->node;
    }
    std::stable_sort(result_.tunnels.begin(), result_.tunnels.end(), [](const TunnelEnd& a, const TunnelEnd& b) {
      return std::tie(a.node, a.peer, a.open.from_ns) < std::tie(b.node, b.peer, b.open.from_ns);
    });
    return std::move(result_);
  }

 private:
  std::string host(const EventRecord& event) const { return naming_.host_of(event.host); }
  std::string peer(const EventRecord& event) const { return naming_.host_of(event.subject); }

  void process_started(const EventRecord& event) {
    if (!nodes_.empty() && nodes_.count(peer(event)) == 0) result_.relays[peer(event)];
  }

  // Nothing of a killed process tells of its own end.
  void process_killed(const EventRecord& event) {
    const std::string process = peer(event);
    if (const auto relay = result_.relays.find(process); relay != result_.relays.end())
      for (auto& [identity, spans] : relay->second.sessions) end_all(spans, event.time_ns, process_killed_reason);
    if (const auto client = result_.clients.find(process); client != result_.clients.end())
      end_client(client->second, event.time_ns, process_killed_reason);
    for (TunnelEnd& end : result_.tunnels)
      if (end.node == process && !end.open.ended) close(end, event.time_ns, process_killed_reason);
  }

  void session_up(const EventRecord& event) {
    result_.relays[host(event)].sessions[peer(event)].push_back({event.time_ns, event.time_ns, false, ""});
  }
  void session_down(const EventRecord& event) {
    end_oldest(result_.relays[host(event)].sessions[peer(event)], event.time_ns, reason_of(event));
  }
  void session_refused(const EventRecord& event) {
    result_.relays[host(event)].refused.push_back({event.time_ns, peer(event), reason_of(event)});
  }
  void stranger(const EventRecord& event) {
    const std::string_view what = event.kind == "quic_failed"    ? "failed handshake"
                                  : event.kind == "quic_refused" ? "no room"
                                                                 : "gave up";
    result_.relays[host(event)].strangers[fmt::format("{} ({})", what, reason_of(event))] +=
        int_field(event, "count").value_or(1);
  }
  void relay_dropped(const EventRecord& event) {
    RelayView& relay = result_.relays[host(event)];
    Dropped& dropped = relay.dropped[reason_of(event)];
    ++dropped.events;
    dropped.messages += int_field(event, "messages").value_or(0);
    dropped.bytes += int_field(event, "bytes").value_or(0);
    relay.dropped_ns.push_back(event.time_ns);
  }

  void client_started(const EventRecord& event) {
    result_.clients[host(event)].processes.push_back({event.time_ns, event.time_ns, false, ""});
  }
  void client_died(const EventRecord& event) {
    end_client(result_.clients[host(event)], event.time_ns, reason_of(event));
  }
  static void end_client(ClientView& client, int64_t time_ns, std::string_view why) {
    const std::string reason(why);
    end_all(client.processes, time_ns, reason);
    for (auto& [relay, mesh] : client.relays)
      end_all(mesh.up, time_ns, reason == process_killed_reason ? process_killed_reason : client_died_reason);
  }

  MeshView& mesh(const EventRecord& event) {
    result_.relays[peer(event)];
    return result_.clients[host(event)].relays[peer(event)];
  }
  void mesh_up(const EventRecord& event) {
    MeshView& view = mesh(event);
    end_all(view.up, event.time_ns, "");  // a second mesh_up: the first session ended unseen
    view.up.push_back({event.time_ns, event.time_ns, false, ""});
  }
  void mesh_down(const EventRecord& event) { end_all(mesh(event).up, event.time_ns, reason_of(event)); }
  void mesh_failed(const EventRecord& event) { mesh(event).failures.push_back({event.time_ns, "", reason_of(event)}); }

  // The end this event speaks of; one whose opening was not seen begins here.
  TunnelEnd& tunnel(const EventRecord& event) {
    const auto key = std::pair(host(event), std::string(text_field(event, "id")));
    const auto [found, added] = latest_.emplace(key, result_.tunnels.size());
    if (added) begin_tunnel(event, key.second);
    TunnelEnd& end = result_.tunnels[found->second];
    if (end.peer == "?") end.peer = peer(event);
    return end;
  }
  void begin_tunnel(const EventRecord& event, std::string id) {
    TunnelEnd& end = result_.tunnels.emplace_back();
    end.node = host(event);
    end.peer = peer(event);
    end.id = std::move(id);
    end.open = {event.time_ns, event.time_ns, false, ""};
  }
  void tunnel_opened(const EventRecord& event) {
    if (tunnel(event).open.ended) {  // an id used again
      latest_[{host(event), std::string(text_field(event, "id"))}] = result_.tunnels.size();
      begin_tunnel(event, std::string(text_field(event, "id")));
    }
    TunnelEnd& end = tunnel(event);
    end.direction = text_field(event, "direction");
    end.setup_ns = int_field(event, "elapsed_ns").value_or(0);
  }
  void tunnel_failed(const EventRecord& event) {
    result_.tunnel_failures[{host(event), peer(event)}].push_back({event.time_ns, "", reason_of(event)});
  }
  void tunnel_closed(const EventRecord& event) {
    TunnelEnd& end = tunnel(event);
    if (!end.open.ended) close(end, event.time_ns, reason_of(event));
  }
  static void close(TunnelEnd& end, int64_t time_ns, std::string_view reason) {
    end.open.to_ns = time_ns;
    end.open.ended = true;
    end.open.reason = reason;
    if (!end.states.empty()) end.states.back().to_ns = time_ns;
  }
  void bridge_state(const EventRecord& event) {
    TunnelEnd& end = tunnel(event);
    if (!end.states.empty() && !end.open.ended) end.states.back().to_ns = event.time_ns;
    end.states.push_back({std::string(text_field(event, "state")), reason_of(event), event.time_ns, event.time_ns});
  }
  void tunnel_lost(const EventRecord& event) {
    tunnel(event).lost.push_back({event.time_ns, int_field(event, "bytes").value_or(0), reason_of(event)});
  }
  void decrypt_failed(const EventRecord& event) { tunnel(event).decrypt_failed_ns.push_back(event.time_ns); }
  void tunnel_metrics(const EventRecord& event) {
    const auto value = [&](std::string_view key) { return int_field(event, key).value_or(0); };
    tunnel(event).metrics = {value("bytes_out"), value("bytes_in"), value("msgs_out"),
                             value("msgs_in"),   value("accepted"), value("delivered")};
  }

  const Naming& naming_;
  std::set<std::string> nodes_;
  Transport result_;
  std::map<std::pair<std::string, std::string>, size_t> latest_;  // by node and id
};

}  // namespace

const TunnelEnd* Transport::other_end(const TunnelEnd& end) const {
  if (end.node == end.peer) return nullptr;
  const auto before = [](const TunnelEnd& a, const HostPair& pair) {
    return std::tie(a.node, a.peer) < std::tie(pair.first, pair.second);
  };
  const HostPair pair{end.peer, end.node};
  for (auto other = std::lower_bound(tunnels.begin(), tunnels.end(), pair, before);
       other != tunnels.end() && other->node == pair.first && other->peer == pair.second; ++other)
    if (other->id == end.id) return &*other;
  return nullptr;
}

std::optional<int64_t> TunnelBytes::lost() const {
  if (!accepted || !delivered) return std::nullopt;
  return std::max<int64_t>(0, *accepted - *delivered);
}

TunnelBytes bytes_of(const Transport& transport, const TunnelEnd& end) {
  TunnelBytes bytes;
  if (end.metrics) {
    bytes.accepted = end.metrics->accepted;
    bytes.counted_as_sent = end.metrics->bytes_out;
  }
  const TunnelEnd* other = transport.other_end(end);
  if (other != nullptr && other->metrics) bytes.delivered = other->metrics->delivered;
  return bytes;
}

std::string history_text(const TunnelEnd& end) {
  std::string text;
  size_t shown = 0;
  for (const BridgeState& state : end.states) {
    if (state.from_ns == end.open.to_ns && end.open.ended) break;  // told by its end
    if (shown++ == 4) {
      text += ", ...";
      break;
    }
    text += fmt::format("{}{} {}{}", text.empty() ? "" : ", ", state.state, duration_text(state.from_ns),
                        state.reason.empty() ? "" : " (" + state.reason + ")");
  }
  if (end.open.ended)
    text += fmt::format("{}closed {}{}", text.empty() ? "" : ", ", duration_text(end.open.to_ns),
                        end.open.reason.empty() ? "" : " (" + end.open.reason + ")");
  if (!end.decrypt_failed_ns.empty()) text += fmt::format("; {} not decrypted", end.decrypt_failed_ns.size());
  return text;
}

Transport transport(const std::vector<EventRecord>& events, const Naming& naming,
                    const std::map<std::string, std::string>& nodes, int64_t end_ns) {
  Builder builder(naming, nodes);
  for (const EventRecord& event : events) builder.take(event);
  return builder.finish(end_ns);
}

}  // namespace distlab::results
