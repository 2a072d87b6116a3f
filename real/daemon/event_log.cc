#include "real/daemon/event_log.h"

#include <algorithm>
#include <array>

#include "models/host/event_kinds.h"

namespace distlab::daemon {
namespace {

namespace k = distlab::kinds;

const std::string* text_of(const Event& event, std::string_view key) {
  for (const Field& field : event.fields) {
    if (field.key == key) return std::get_if<std::string>(&field.value);
  }
  return nullptr;
}

constexpr std::array warnings{k::session_refused, k::session_abandoned, k::quic_failed,   k::quic_refused,
                              k::relay_dropped,   k::relay_complained,  k::mesh_down,     k::mesh_failed,
                              k::client_died,     k::tunnel_failed,     k::tunnel_lost,   k::node_down,
                              k::decrypt_failed,  k::connect_failed,    k::busy_dist_port};
constexpr std::array news{k::session_up,    k::session_down, k::mesh_up,        k::tunnel_opened,
                          k::tunnel_closed, k::node_up,      k::epmd_registered};

template <size_t N>
bool among(const std::array<std::string_view, N>& kinds, std::string_view kind) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

LogLevel level_of_kind(std::string_view kind) {
  if (among(warnings, kind)) return LogLevel::warning;
  return among(news, kind) ? LogLevel::info : LogLevel::debug;
}

// Of one kind: a relay may call its limits what it likes.
constexpr size_t max_reasons = 64;

// Words that reasons of the models begin with: the rooms mesh, quic, tunnel and node.
constexpr std::array<std::string_view, 43> known_reasons{
    // a relay's sessions and drops
    "limit", "refused", "malformed", "unexpected", "replaced", "shutdown", "disconnect", "fin", "stream reset", "queue",
    "no_subscriber", "wedged", "late_reply", "closing",
    // the ends of QUIC connections
    "application", "transport", "tls", "idle", "handshake timeout", "stateless reset", "version", "host",
    // the mesh client
    "lookup", "socket", "stream", "timeout", "ping_timeout", "mailbox",
    // tunnels
    "client", "request", "closed", "peer_closed", "relay_reconnect_failed", "decrypt_failed", "send_error",
    "controller_timeout", "publish_retries", "undelivered",
    // net_kernel
    "net_tick_timeout", "connection_closed", "setup_timer_timeout", "connect", "epmd"};

}  // namespace

LogLevel level_of(const Event& event) {
  if (event.kind == k::log) {
    const std::string* level = text_of(event, "level");
    if (level != nullptr && *level == "error") return LogLevel::error;
    if (level != nullptr && (*level == "warning" || *level == "notice")) return LogLevel::warning;
    return LogLevel::info;
  }
  if (event.kind == k::relay_dropped) {  // nobody listening is no trouble of ours
    const std::string* reason = text_of(event, "reason");
    if (reason != nullptr && (*reason == "no_subscriber" || *reason == "closing")) return LogLevel::debug;
  }
  return level_of_kind(event.kind);
}

std::string reason_class(std::string_view reason) {
  std::string_view best;
  for (const std::string_view known : known_reasons) {
    if (reason.starts_with(known) && known.size() > best.size()) best = known;
  }
  if (best.empty()) return "other";
  // The details of these are names of ours: which limit, what was refused, what was malformed.
  const bool detailed = best == "limit" || best == "refused" || best == "malformed";
  return std::string(detailed && reason.size() <= 60 ? reason : best);
}

void EventLog::record(Time now, const Event& event) {
  ++by_kind_[std::string(event.kind)];
  std::string sort;
  if (const std::string* reason = text_of(event, "reason")) {
    sort = reason_class(*reason);
    auto& reasons = by_reason_[std::string(event.kind)];
    if (reasons.size() >= max_reasons && reasons.count(sort) == 0) sort = "other";
    ++reasons[sort];
  }
  const LogLevel level = calm_ ? std::min(level_of(event), LogLevel::info) : level_of(event);
  if (!log_.wants(level)) return;
  Log::Fields fields;
  if (!event.subject.empty()) fields.push_back({"subject", event.subject});
  for (const Field& field : event.fields) {
    if (field.key != "level") fields.push_back(field);
  }
  log_.line(now, level, event.kind, fields, sort);
}

bool EventLog::wants(std::string_view kind) const {
  return level_of_kind(kind) > LogLevel::debug || log_.wants(LogLevel::debug);
}

uint64_t EventLog::count(std::string_view kind) const {
  const auto found = by_kind_.find(kind);
  return found == by_kind_.end() ? 0 : found->second;
}

void EventLog::add_metrics(MetricsText& metrics) const {
  metrics.counter("distlab_events_total", "Events that the protocol stack has recorded, by kind.");
  for (const auto& [kind, count] : by_kind_) metrics.sample(static_cast<double>(count), {{"kind", kind}});
  metrics.counter("distlab_event_reasons_total", "Those of them that have a reason, by kind and reason.");
  for (const auto& [kind, reasons] : by_reason_) {
    for (const auto& [reason, count] : reasons) {
      metrics.sample(static_cast<double>(count), {{"kind", kind}, {"reason", reason}});
    }
  }
}

}  // namespace distlab::daemon
