#include "real/daemon/relay_daemon.h"

#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "models/host/event_kinds.h"
#include "real/daemon/port_holder.h"
#include "real/daemon/translate.h"
#include "scenarios/include.h"

namespace distlab::daemon {
namespace {

template <typename T>
T field_of(const Event& event, std::string_view key, T otherwise) {
  for (const Field& field : event.fields) {
    if (field.key != key) continue;
    if (const auto* value = std::get_if<T>(&field.value)) return *value;
  }
  return otherwise;
}

std::string text_of(const Event& event, std::string_view key) {
  return field_of(event, key, std::string());
}

template <typename T>
double number(T value) {
  return static_cast<double>(value);
}

tl::expected<LoadedCertificate, std::string> certificate_of(const RelayConfig& config) {
  return config.self_signed ? make_certificate(config.name) : load_certificate(config.certificate, config.key);
}

tl::expected<std::vector<uint8_t>, std::string> reset_key_of(const RelayConfig& config) {
  if (config.reset_key.empty()) return {};
  const auto bytes = scenario::read_file(config.reset_key);
  if (!bytes) return tl::unexpected(fmt::format("{}: {}", config.reset_key, bytes.error()));
  if (bytes->size() < 32) {
    return tl::unexpected(
        fmt::format("{}: a reset key has 32 bytes or more, this one {}", config.reset_key, bytes->size()));
  }
  return std::vector<uint8_t>(bytes->begin(), bytes->begin() + 32);
}

std::string date(std::chrono::system_clock::time_point at) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(at)));
}

}  // namespace

RelayDaemon::RelayDaemon(RelayConfig config)
    : Daemon(Kind::relay, config, {.name = config.name, .listen = config.listen.address, .record = {}, .wants = {}}),
      config_(std::move(config)) {}

RelayDaemon::~RelayDaemon() = default;

tl::expected<LoadedCertificate, Refusal> RelayDaemon::check(const RelayConfig& config) {
  auto certificate = certificate_of(config);
  if (!certificate) return tl::unexpected(Refusal{exit_usage, certificate.error()});
  if (const auto key = reset_key_of(config); !key) return tl::unexpected(Refusal{exit_usage, key.error()});
  return std::move(*certificate);
}

tl::expected<void, Refusal> RelayDaemon::start() {
  auto checked = check(config_);
  if (!checked) return tl::unexpected(checked.error());
  certificate_ = std::move(*checked);
  if (const auto why = why_not_bindable(Transport::udp, config_.listen)) {
    return tl::unexpected(Refusal{exit_unavailable, *why});
  }
  mesh::RelaySettings settings = relay_settings(config_);
  settings.credentials = certificate_.credentials;
  settings.reset_key = *reset_key_of(config_);
  limits_ = settings.limits;
  relay_ = std::make_unique<mesh::Relay>(host(), std::move(settings));
  if (!relay_->listening()) {
    return tl::unexpected(
        Refusal{exit_unavailable, fmt::format("UDP {}: {}", config_.listen.to_string(), to_string(*host().failure()))});
  }
  log(LogLevel::info, "listening",
      {{"udp", host().last_udp().to_string()},
       {"certificate", certificate_.subject},
       {"sha256", certificate_.fingerprint},
       {"source", config_.self_signed ? "made at the start, kept in memory" : config_.certificate}});
  warn_of_certificate();
  ready();
  return {};
}

void RelayDaemon::warn_of_certificate() {
  const std::string doubt = certificate_.doubt(std::chrono::system_clock::now());
  if (!doubt.empty()) log(LogLevel::warning, "certificate", {{"subject", certificate_.subject}, {"reason", doubt}});
}

void RelayDaemon::stop(std::function<void()> done) {
  relay_->shutdown("shutdown", std::move(done));
}

void RelayDaemon::reload() {
  if (config_.self_signed) return log(LogLevel::warning, "reload_skipped", {{"reason", "the certificate is our own"}});
  auto loaded = certificate_of(config_);
  if (!loaded)
    return log(LogLevel::error, "reload_failed", {{"reason", loaded.error()}, {"kept", certificate_.subject}});
  certificate_ = std::move(*loaded);
  relay_->set_credentials(certificate_.credentials);
  log(LogLevel::info, "reloaded",
      {{"certificate", certificate_.subject}, {"sha256", certificate_.fingerprint}, {"for", "new sessions"}});
  warn_of_certificate();
}

void RelayDaemon::on_event(Time now, const Event& event) {
  const std::string reason = text_of(event, "reason");
  if (constexpr std::string_view limit = "limit: "; reason.starts_with(limit))
    limits_hit_[reason.substr(limit.size())] += uint64_t(field_of(event, "count", int64_t{1}));
  const std::pair key{text_of(event, "realm"), event.subject};
  if (event.kind == kinds::session_up) {
    sessions_[key].push_back({text_of(event, "remote"), now});
  } else if (event.kind == kinds::session_down) {
    const auto found = sessions_.find(key);
    if (found == sessions_.end()) return;
    found->second.pop_front();
    if (found->second.empty()) sessions_.erase(found);
  }
}

Json RelayDaemon::status() const {
  const mesh::RelayStats& stats = relay_->stats();
  Json sessions = Json::array();
  for (const auto& [key, all] : sessions_) {
    for (const Session& session : all) {
      sessions.push_back({{"realm", key.first},
                          {"identity", key.second},
                          {"remote", session.remote},
                          {"seconds", to_seconds(host().now() - session.since)}});
    }
  }
  return {{"listen", host().last_udp().to_string()},
          {"certificate",
           {{"subject", certificate_.subject},
            {"sha256", certificate_.fingerprint},
            {"not_after", date(certificate_.not_after)}}},
          {"realms", config_.relay().realms.empty() ? Json("any") : Json(config_.relay().realms)},
          {"sessions", sessions},
          {"pending", stats.pending},
          {"refused", stats.refused},
          {"subscriptions", stats.subscriptions},
          {"tunnels", stats.counted_subscriptions / 2},
          {"procedures", stats.procedures},
          {"calls", stats.calls},
          {"queued_bytes", stats.queued_bytes},
          {"frames", {{"in", stats.frames_in}, {"out", stats.frames_out}}},
          {"bytes", {{"in", stats.bytes_in}, {"out", stats.bytes_out}}},
          {"limits", {{"sessions", limits_.sessions}, {"pending_sessions", limits_.pending_sessions}}},
          {"limits_hit", limits_hit_}};
}

void RelayDaemon::add_metrics(MetricsText& out) const {
  const mesh::RelayStats& stats = relay_->stats();
  out.gauge("distlab_relay_sessions", "Sessions that have said who they are.", number(stats.sessions));
  out.gauge("distlab_relay_pending_sessions", "Connections without CONNECT yet.", number(stats.pending));
  out.counter("distlab_relay_sessions_refused_total", "Sessions refused.", number(stats.refused));
  out.counter("distlab_relay_sessions_opened_total", "Sessions accepted.", number(events().count(kinds::session_up)));
  out.gauge("distlab_relay_subscriptions", "Topics subscribed to, counted for each session.",
            number(stats.subscriptions));
  out.gauge("distlab_relay_procedures", "Procedures advertised.", number(stats.procedures));
  out.gauge("distlab_relay_calls", "Calls that wait for their answer.", number(stats.calls));
  out.gauge("distlab_relay_queued_bytes", "Frames that wait for slow readers.", number(stats.queued_bytes));
  out.counter("distlab_relay_frames_total", "Frames of the mesh protocol.");
  out.sample(number(stats.frames_in), {{"way", "in"}});
  out.sample(number(stats.frames_out), {{"way", "out"}});
  out.counter("distlab_relay_bytes_total", "Their bytes.");
  out.sample(number(stats.bytes_in), {{"way", "in"}});
  out.sample(number(stats.bytes_out), {{"way", "out"}});
  add_traffic(out);
  out.counter("distlab_relay_dropped_messages_total", "Frames that were not delivered, by reason.");
  for (size_t i = 0; i < mesh::drop_reasons; ++i) {
    out.sample(number(stats.dropped[i].messages), {{"reason", to_string(mesh::DropReason(i))}});
  }
  out.counter("distlab_relay_dropped_bytes_total", "Their bytes.");
  for (size_t i = 0; i < mesh::drop_reasons; ++i) {
    out.sample(number(stats.dropped[i].bytes), {{"reason", to_string(mesh::DropReason(i))}});
  }
  add_refusals(out);
  add_quic_metrics(out);
  out.counter("distlab_relay_limit_hits_total", "How often peers met a limit, by limit; told a second late at most.");
  for (const auto& [limit, count] : limits_hit_) out.sample(number(count), {{"limit", limit}});
  out.gauge("distlab_relay_certificate_expires_seconds", "When the certificate expires, since 1970.",
            number(std::chrono::system_clock::to_time_t(certificate_.not_after)));
}

void RelayDaemon::add_traffic(MetricsText& out) const {
  const mesh::RelayStats& stats = relay_->stats();
  out.counter("distlab_relay_frames_in_total", "Frames from sessions, by type.");
  for (size_t i = 0; i < stats.frames_in_of.size(); ++i) {
    const std::string_view type = mesh::to_string(mesh::FrameType(i));
    if (type != "?") out.sample(number(stats.frames_in_of[i]), {{"type", type}});
  }
  out.counter("distlab_relay_publishes_total", "Messages published.", number(stats.publishes));
  out.counter("distlab_relay_deliveries_total", "Copies of them queued for subscribers.", number(stats.deliveries));
  out.counter("distlab_relay_calls_total", "Calls passed on to who advertised the procedure.",
              number(stats.calls_passed));
  out.gauge("distlab_relay_tunnel_ends", "Ends of tunnels: subscriptions to their topics.",
            number(stats.counted_subscriptions));
  out.gauge("distlab_relay_tunnels", "Tunnels, half of that.", number(stats.counted_subscriptions / 2));
}

void RelayDaemon::add_refusals(MetricsText& out) const {
  out.counter("distlab_relay_refusals_total", "Who was not served, by kind of event and reason.");
  for (const auto& [what, count] : relay_->stats().refusals) {
    out.sample(number(count), {{"kind", what.first}, {"reason", what.second}});
  }
}

void RelayDaemon::add_quic_metrics(MetricsText& out) const {
  const quic::SocketStats stats = relay_->quic_stats();
  out.gauge("distlab_quic_connections", "QUIC connections, with those whose handshake is under way.",
            number(stats.connections));
  out.gauge("distlab_quic_handshakes", "QUIC handshakes under way.", number(stats.handshakes));
  out.counter("distlab_quic_packets_lost_total", "QUIC packets lost on their way to peers, as far as noticed.",
              number(stats.packets_lost));
  out.counter("distlab_quic_packets_total", "UDP datagrams of connections.");
  out.sample(number(stats.packets_received), {{"way", "in"}});
  out.sample(number(stats.packets_sent), {{"way", "out"}});
  out.counter("distlab_quic_bytes_total", "Their payload.");
  out.sample(number(stats.bytes_received), {{"way", "in"}});
  out.sample(number(stats.bytes_sent), {{"way", "out"}});
}

bool RelayDaemon::serve(const ControlRequest& request, const ControlServer::Reply& reply) {
  if (request.method != "GET" || request.path != "/certificate") return false;
  reply({200, "application/x-pem-file", certificate_.pem});
  return true;
}

}  // namespace distlab::daemon
