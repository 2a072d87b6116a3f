#include "models/mesh/relay.h"

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "models/host/event_kinds.h"

namespace distlab::mesh {
namespace {

using namespace std::chrono_literals;

// How often a session that is being closed is looked at: has the peer acknowledged its last frames?
constexpr Duration linger_step = 50ms;
// Connections beyond the limit of sessions, for as long as it takes to tell them why they are refused.
constexpr size_t spare_connections = 100;

bool opened_by_client_both_ways(quic::StreamId stream) {
  return stream % 4 == 0;  // RFC 9000 section 2.1
}

RelayCore::Settings core_settings(const Host& host, const RelaySettings& settings) {
  return {.name = settings.name.empty() ? host.name() : settings.name,
          .limits = settings.limits,
          .realms = settings.realms,
          .identities = settings.identities,
          .control_first = settings.control_first,
          .counted_topics = settings.counted_topics};
}

IngressSettings ingress_settings(const RelaySettings& settings) {
  return {.service_time = settings.service_time,
          .control_first = settings.control_first,
          .frame_bytes = settings.limits.frame_bytes,
          .inbound_bytes = settings.limits.inbound_bytes,
          .frames_per_second = settings.limits.frames_per_second,
          .bytes_per_second = settings.limits.bytes_per_second};
}

quic::ServerSettings server_settings(const RelaySettings& settings) {
  quic::ServerSettings out;
  out.transport = settings.transport;
  out.alpn = settings.alpn;
  out.credentials = settings.credentials;
  out.validate_address = settings.validate_address;
  out.max_connections = settings.limits.sessions + spare_connections;
  out.max_handshakes = settings.limits.handshakes;
  out.max_handshakes_per_address = settings.limits.handshakes_per_address;
  out.qlog = settings.qlog;
  out.reset_key = settings.reset_key;
  return out;
}

}  // namespace

class Relay::Peer final : public quic::ConnectionHandler {
 public:
  Peer(Relay& relay, SessionId session, std::unique_ptr<quic::Connection> quic_connection)
      : id(session), connection(std::move(quic_connection)), linger(relay.host_), relay_(relay) {
    connection->set_handler(*this);
  }

  void on_stream_opened(quic::StreamId opened) override {
    if (!stream && opened_by_client_both_ways(opened)) {
      stream = opened;
    } else {
      connection->reset(opened, uint64_t(CloseCode::protocol));
    }
  }
  void on_stream_data(quic::StreamId from, Bytes data, bool fin) override {
    if (from != stream) return;
    Relay& relay = relay_;
    const SessionId session = id;
    relay.on_data(session, data);  // may be the end of this object
    const auto found = relay.peers_.find(session);
    if (!fin || found == relay.peers_.end()) return;
    relay.hang_up(*found->second, CloseCode::normal, "fin");
    relay.pump();
  }
  void on_stream_writable(quic::StreamId) override {
    Relay& relay = relay_;
    relay.flush(*this);  // may be the end of this object
    relay.pump();
  }
  void on_stream_reset(quic::StreamId from, uint64_t) override {
    if (from != stream) return;
    Relay& relay = relay_;
    relay.hang_up(*this, CloseCode::normal, "stream reset");
    relay.pump();
  }
  void on_ended(const quic::End& why) override {
    Relay& relay = relay_;
    relay.remove(id, to_string(why), to_string(why.kind));
    relay.pump();
  }

  const SessionId id;
  const std::unique_ptr<quic::Connection> connection;
  std::optional<quic::StreamId> stream;
  std::optional<Time> linger_until;  // it is being closed
  bool finished = false;             // FIN follows the last frames
  Timer linger;

 private:
  Relay& relay_;
};

Relay::Relay(Host& host, RelaySettings settings)
    : host_(host),
      settings_(std::move(settings)),
      core_(core_settings(host, settings_)),
      ingress_(ingress_settings(settings_)),
      timer_(host),
      shutdown_timer_(host) {
  assert(settings_.credentials);
  auto socket = quic::Socket::open(host, {any_address, settings_.port});
  if (!socket) return;
  socket_ = std::move(*socket);
  listen();
}

Relay::~Relay() = default;

void Relay::listen() {
  quic::ServerSettings settings = server_settings(settings_);
  settings.rejected = [this](const quic::Rejection& rejection) { rejected(rejection); };
  socket_->listen(std::move(settings), [this](auto connection) { accept(std::move(connection)); });
}

void Relay::set_credentials(std::shared_ptr<const quic::ServerCredentials> credentials) {
  assert(credentials);
  settings_.credentials = std::move(credentials);
  if (socket_) listen();
}

void Relay::accept(std::unique_ptr<quic::Connection> connection) {
  if (shutting_down_) return connection->close(uint64_t(CloseCode::shutdown), "shutdown");
  const SessionId id = core_.open(host_.now(), connection->remote());
  ingress_.open(id);
  peers_.emplace(id, std::make_unique<Peer>(*this, id, std::move(connection)));
  pump();
}

// The reason phrase and the code of a goodbye are the peer's, but there are only so many TLS alerts.
void Relay::rejected(const quic::Rejection& rejection) {
  if (const auto* lacking = std::get_if<quic::Shortage>(&rejection.why)) {
    const std::string reason = "limit: " + std::string(quic::to_string(*lacking));
    core_.on_rejected(host_.now(), kinds::quic_refused, rejection.remote, reason, reason);
  } else {
    const quic::End& why = std::get<quic::End>(rejection.why);
    const bool tls = why.kind == quic::EndKind::tls;
    core_.on_rejected(host_.now(), kinds::quic_failed, rejection.remote, to_string(why),
                      tls ? to_string(quic::End{why.kind, why.code, ""}) : std::string(to_string(why.kind)));
  }
  pump();
}

void Relay::on_data(SessionId id, Bytes data) {
  const Time now = host_.now();
  if (settings_.tap) settings_.tap(data);
  const auto taken = ingress_.on_bytes(now, id, data);
  if (!taken) core_.on_bad_frame(now, id, taken.error());
  pump();
}

void Relay::pump() {
  const Time now = host_.now();
  while (auto served = ingress_.next(now)) core_.on_frame(now, served->session, served->frame);
  for (const SessionId id : ingress_.take_changed()) {
    const auto found = peers_.find(id);
    if (found == peers_.end() || !found->second->stream) continue;
    found->second->connection->set_reading(*found->second->stream, ingress_.reading(id));
  }
  // Sending can end a session, which gives others something to send.
  for (auto touched = core_.take_touched(); !touched.empty(); touched = core_.take_touched()) {
    for (const SessionId id : touched) {
      if (const auto found = peers_.find(id); found != peers_.end()) flush(*found->second);
    }
  }
  for (Event& event : core_.take_events()) host_.record(std::move(event));
  arm_timer();
  if (shut_down_ && peers_.empty()) shutdown_timer_.start(Duration::zero(), std::exchange(shut_down_, nullptr));
}

// `peer` may be gone after this.
void Relay::flush(Peer& peer) {
  if (peer.stream) {
    for (Bytes out = core_.output(peer.id); !out.empty(); out = core_.output(peer.id)) {
      const size_t taken = peer.connection->write(*peer.stream, out);
      if (settings_.tap) settings_.tap(out.first(taken));
      core_.consumed(peer.id, taken);
      if (taken < out.size()) break;
    }
  }
  if (core_.closing(peer.id) != nullptr) close_gently(peer);
}

// FIN after the last frames, and CONNECTION_CLOSE once the peer has them, or time is up.
void Relay::close_gently(Peer& peer) {
  const Time now = host_.now();
  if (!peer.linger_until) {
    peer.linger_until = now + settings_.close_linger;
    ingress_.close(peer.id);
    if (peer.stream) peer.connection->set_reading(*peer.stream, true);  // or its FIN would never be seen
  }
  const bool said = !peer.stream || core_.output(peer.id).empty();
  if (peer.stream && said && !std::exchange(peer.finished, true)) peer.connection->finish(*peer.stream);
  const bool heard = !peer.stream || (said && peer.connection->buffered(*peer.stream) == 0);
  if (heard || now >= *peer.linger_until) {
    const RelayCore::Closing closing = *core_.closing(peer.id);
    return hang_up(peer, closing.code, closing.reason);
  }
  if (peer.linger.running()) return;
  peer.linger.start(std::min(linger_step, *peer.linger_until - now), [this, &peer] {
    flush(peer);
    pump();
  });
}

void Relay::hang_up(Peer& peer, CloseCode code, const std::string& reason) {
  peer.connection->close(uint64_t(code), reason);
  remove(peer.id, reason);
}

void Relay::remove(SessionId id, const std::string& reason, std::string_view sort) {
  ingress_.close(id);
  core_.on_gone(host_.now(), id, reason, sort);
  peers_.erase(id);
}

void Relay::shutdown(const std::string& reason, std::function<void()> done) {
  shutting_down_ = true;
  shut_down_ = std::move(done);
  core_.shutdown(host_.now(), reason);
  pump();
}

void Relay::arm_timer() {
  std::optional<Time> next = core_.next_time();
  if (const auto served = ingress_.next_time()) next = next ? std::min(*next, *served) : *served;
  if (!next) return timer_.cancel();
  // A timer that fires too early costs less than starting one anew for each frame.
  if (timer_.running() && timer_due_ <= *next) return;
  timer_due_ = *next;
  timer_.start(*next - host_.now(), [this] {
    core_.on_time(host_.now());
    pump();
  });
}

}  // namespace distlab::mesh
