#include <algorithm>
#include <utility>

#include "models/quic/driver.h"

namespace distlab::quic {
namespace {

// Of an accepted connection whose owner has set none.
ConnectionHandler& nobody() {
  struct Nobody final : ConnectionHandler {
    void on_stream_data(StreamId, Bytes, bool) override {}
    void on_ended(const End&) override {}
  };
  static Nobody handler;
  return handler;
}

}  // namespace

DriverConnection::DriverConnection(DriverSocket& socket, Path path, uint64_t number, bool server)
    : socket_(socket),
      number_(number),
      first_address_(path.remote.address),
      server_(server),
      handler_(&nobody()),
      timer_(socket.host()),
      last_path_(path) {}

DriverConnection::~DriverConnection() {
  if (scheduled) socket_.unschedule(*this);
  release_engine();
}

void DriverConnection::begin(EngineConfig config, TlsSession::Client tls, ConnectionHandler& handler) {
  handler_ = &handler;
  begun(Engine::client(*this, std::move(config), std::move(tls), socket_.host().now()));
  schedule();
}

bool DriverConnection::begin(EngineConfig config, TlsSession::Server tls, const Admission& admission) {
  return begun(Engine::server(*this, std::move(config), std::move(tls), admission, socket_.host().now()));
}

bool DriverConnection::begun(tl::expected<std::unique_ptr<Engine>, std::string> engine) {
  if (!engine) {
    stillborn_ = engine.error();
    return false;
  }
  engine_ = std::move(*engine);
  socket_.born(*this);
  return true;
}

void DriverConnection::schedule() {
  if (!working_ && !scheduled) socket_.schedule(*this);
}

// --- Work, from the host's loop -----------------------------------------------------------------

void DriverConnection::receive(const Path& path, Bytes datagram) {
  if (engine_ == nullptr) return;
  engine_->receive(socket_.host().now(), path, datagram);
  if (socket_.in_burst()) return schedule();
  settle();
}

void DriverConnection::on_timer() {
  armed_ = Time::max();
  if (engine_ == nullptr) return;
  const Time now = socket_.host().now();
  if (engine_->expiry() > now) return arm();  // it was put off meanwhile
  engine_->expire(now);
  settle();
}

void DriverConnection::settle() {
  if (engine_ == nullptr) return tell_end();
  Lifeline::Watch watch(lifeline_);
  working_ = true;
  for (bool told = true; told;) {
    told = false;
    while (const auto event = engine_->next_event()) {
      told = true;
      tell(*event, watch);
      if (watch.gone()) return;
      if (engine_ == nullptr) break;
    }
    if (engine_ == nullptr) break;
    engine_->flush(socket_.host().now(), *this, socket_.buffer(engine_->packet_size()));
    told = engine_->ended();
  }
  working_ = false;
  arm();
}

void DriverConnection::tell(const EngineEvent& event, const Lifeline::Watch& watch) {
  using Kind = EngineEvent::Kind;
  switch (event.kind) {
    case Kind::connected:
      return server_ ? socket_.hand_over(*this) : handler_->on_connected();
    case Kind::opened:
      return handler_->on_stream_opened(event.stream);
    case Kind::data: {
      auto [data, fin] = engine_->take_received(event.stream);
      handler_->on_stream_data(event.stream, data, fin);
      if (!watch.gone() && engine_ != nullptr) engine_->recycle(event.stream, std::move(data));
      return;
    }
    case Kind::writable:
      return handler_->on_stream_writable(event.stream);
    case Kind::reset:
      return handler_->on_stream_reset(event.stream, event.code);
    case Kind::datagram: {
      const std::vector<uint8_t> datagram = engine_->take_datagram();
      return handler_->on_datagram(datagram);
    }
    case Kind::path_changed:
      return handler_->on_path_changed(remote());
    case Kind::ended:
      return tell_end();
  }
}

void DriverConnection::tell_end() {
  if (std::exchange(over_, true)) return;
  End end{EndKind::host, 0, stillborn_};
  if (engine_ != nullptr) {
    engine_->flush(socket_.host().now(), *this, socket_.buffer(engine_->packet_size()));  // the goodbye
    end = engine_->end();
    release_engine();
  }
  if (server_ && handler_ == &nobody()) return socket_.drop(*this, end);
  handler_->on_ended(end);
}

// A timer that fires too early looks again; so only an earlier expiry is worth a new one.
void DriverConnection::arm() {
  if (engine_ == nullptr) return timer_.cancel();
  const Time expiry = engine_->expiry();
  if (expiry == Time::max()) return;
  const Time now = socket_.host().now();
  // Never at once: ngtcp2 can name the same instant for ever (facts ns3-quic.md section 4).
  const Time at = std::max(expiry, now + Duration{1});
  if (timer_.running() && armed_ <= at) return;
  armed_ = at;
  timer_.start(at - now, [this] { on_timer(); });
}

void DriverConnection::release_engine() {
  timer_.cancel();
  if (engine_ == nullptr) return;
  last_path_ = engine_->path();
  last_stats_ = engine_->stats();
  for (const ConnectionId& id : ids_) socket_.unroute(id, *this);
  for (const ResetToken& token : tokens_) socket_.forget_reset(token, *this);
  socket_.died(*this, engine_->remains(), ids_);
  engine_.reset();
}

// --- What the application does ------------------------------------------------------------------

tl::expected<StreamId, std::string> DriverConnection::open_stream() {
  if (engine_ == nullptr) return tl::unexpected(std::string("the connection has ended"));
  return engine_->open_stream();
}

size_t DriverConnection::write(StreamId stream, Bytes data) {
  if (engine_ == nullptr) return 0;
  const size_t taken = engine_->write(stream, data);
  if (taken > 0) schedule();
  return taken;
}

void DriverConnection::finish(StreamId stream) {
  if (engine_ == nullptr) return;
  engine_->finish(stream);
  schedule();
}

void DriverConnection::reset(StreamId stream, uint64_t code) {
  if (engine_ == nullptr) return;
  engine_->reset(stream, code);
  schedule();
}

void DriverConnection::set_reading(StreamId stream, bool on) {
  if (engine_ == nullptr) return;
  engine_->set_reading(stream, on);
  if (on) schedule();
}

bool DriverConnection::send_datagram(Bytes data) {
  if (engine_ == nullptr || !engine_->send_datagram(data)) return false;
  schedule();
  return true;
}

void DriverConnection::close(uint64_t code, std::string_view reason) {
  if (engine_ == nullptr) return;
  engine_->close(socket_.host().now(), code, reason, *this, socket_.buffer(engine_->packet_size()));
  release_engine();
  over_ = true;
}

bool DriverConnection::migrate() {
  if (engine_ == nullptr || server_ || !engine_->connected()) return false;
  auto port = Port::open(socket_, socket_.host(), {socket_.local().address, 0});
  if (!port || !engine_->migrate(socket_.host().now(), (*port)->local())) return false;
  own_port_ = std::move(*port);
  schedule();
  return true;
}

// --- What the engine asks for -------------------------------------------------------------------

void DriverConnection::fill_secret(std::span<uint8_t> out) {
  socket_.host().fill_secret(out);
}

ResetToken DriverConnection::reset_token(const ConnectionId& id) {
  return socket_.doorkeeper().reset_token(id);
}

void DriverConnection::on_id_issued(const ConnectionId& id) {
  ids_.push_back(id);
  socket_.route(id, *this);
}

void DriverConnection::on_id_retired(const ConnectionId& id) {
  std::erase(ids_, id);
  socket_.unroute(id, *this);
}

void DriverConnection::on_peer_token(const ResetToken& token, bool valid) {
  std::erase(tokens_, token);
  if (!valid) return socket_.forget_reset(token, *this);
  tokens_.push_back(token);
  socket_.expect_reset(token, *this);
}

void DriverConnection::send(const Path& path, Bytes packet) {
  Port& port = own_port_ != nullptr && path.local == own_port_->local() ? *own_port_ : socket_.port();
  port.send(path.remote, packet);
}

}  // namespace distlab::quic
