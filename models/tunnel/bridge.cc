#include "models/tunnel/bridge.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "models/host/event_kinds.h"

namespace distlab::tunnel {
namespace {

// Anybody who knows a topic can send to it: beyond this, failures of a tunnel are counted only.
constexpr uint64_t max_decrypt_events = 1000;

Event about(std::string_view kind, const BridgeConfig& config) {
  return {kind, config.peer, {{"id", config.id}}};
}

}  // namespace

std::string_view to_string(BridgeState state) {
  switch (state) {
    case BridgeState::waiting_socket:
      return "waiting_socket";
    case BridgeState::running:
      return "running";
    case BridgeState::reconnecting:
      return "reconnecting";
    case BridgeState::stopped:
      return "stopped";
  }
  return "unknown";
}

LoopbackSettings loopback_settings(const TunnelSettings& settings) {
  return {settings.loopback_send_buffer, settings.loopback_receive_buffer, settings.chunk_bytes};
}

// macula_dist_bridge:init/1.
Bridge::Bridge(Host& host, const TunnelSettings& settings, mesh::ClientSlot& slot, BridgeConfig config,
               std::unique_ptr<LoopbackEnd> socket, Stopped stopped)
    : host_(host),
      settings_(settings),
      slot_(slot),
      config_(std::move(config)),
      topics_(topics_of(config_.id, config_.direction)),
      stopped_(std::move(stopped)),
      cipher_(config_.key),
      socket_(std::move(socket)),
      reader_(host, settings, *socket_, *this),
      client_(slot.current()),
      watcher_(slot.watch([this](mesh::Client* now) { client_changed(now); })),
      down_(host),
      reconnect_(host),
      burial_(host) {
  assert(client_ != nullptr);
  socket_->set_reading(false);
  socket_->set_handler(*this);
  for (const auto& message : std::exchange(config_.flushed, {})) post(Message::flushed, message);
  if (state_ != BridgeState::stopped) subscribe();
}

Bridge::~Bridge() {
  slot_.unwatch(watcher_);
  if (client_ != nullptr) client_->unsubscribe(subscription_);
}

void Bridge::socket_ready() {
  if (state_ != BridgeState::waiting_socket) return;
  enter(BridgeState::running, "socket_ready");
  if (!reader_.started()) reader_.start();
}

TunnelMetrics Bridge::metrics() const {
  TunnelMetrics metrics = metrics_;
  metrics.accepted = socket_->received();
  return metrics;
}

// --- the client ---

void Bridge::subscribe() {
  subscription_ = client_->subscribe(topics_.receive, [this, alive = std::weak_ptr<int>(alive_)](Bytes payload) {
    if (!alive.expired()) post(Message::payload, payload);
  });
}

// A client that is replaced is dead, too: its place is taken when it dies, or it is left without a word.
void Bridge::client_changed(mesh::Client* now) {
  if (state_ == BridgeState::stopped || client_ == nullptr || now == client_) return;
  client_ = nullptr;
  reader_.client_died();
  down_.start(Duration::zero(), [this] { post(Message::client_down); });
}

// macula_dist_bridge:attempt_reconnect/1.
void Bridge::attempt_reconnect() {
  if (reconnect_attempts_ >= settings_.reconnect_max_attempts) return stop("relay_reconnect_failed");
  client_ = slot_.current();
  if (client_ != nullptr && settings_.reconnect_needs_session && !client_->connected()) client_ = nullptr;
  if (client_ == nullptr) {
    ++reconnect_attempts_;
    reconnect_.start(settings_.reconnect_interval, [this] { post(Message::reconnect_tick); });
    return;
  }
  reconnect_attempts_ = 0;
  subscribe();
  enter(BridgeState::running, "reconnected");
  reader_.start();
}

// --- the reader's side ---

void Bridge::on_data(Bytes data) {
  reader_.on_data(data);
}

size_t Bridge::client_mailbox() const {
  return client_ == nullptr ? 0 : client_->mailbox();
}

void Bridge::publish(Bytes chunk) {
  assert(client_ != nullptr);
  Nonce nonce;
  host_.fill_secret(nonce);
  const Bytes message = cipher_.seal(nonce, chunk);
  if (config_.faults != nullptr && config_.faults->pending(config_.peer)) {
    config_.faults->apply(config_.peer, topics_.send, message,
                          [this](const std::string& topic, Bytes out) { client_->publish(topic, out); });
  } else {
    client_->publish(topics_.send, message);
  }
  metrics_.bytes_out += chunk.size();
  ++metrics_.msgs_out;
}

void Bridge::lost(size_t bytes, std::string_view reason) {
  // A killed reader does not come to count (facts section 1.4: add/3 stands behind the retries).
  if (settings_.count_lost_as_sent && reason == "publish_retries") {
    metrics_.bytes_out += bytes;
    ++metrics_.msgs_out;
  }
  metrics_.lost += bytes;
  record_lost(bytes, reason);
}

void Bridge::reader_ended(std::string_view reason) {
  stop(reason);
}

// --- the process: one message after the other, none while it is blocked ---

void Bridge::post(Message message, Bytes bytes) {
  if (state_ == BridgeState::stopped) return;
  if (unsent_.empty() && mailbox_.empty()) return handle(message, bytes);
  mailbox_.push_back({message, {bytes.begin(), bytes.end()}});
  mailbox_bytes_ += bytes.size();
  metrics_.mailbox_peak = std::max(metrics_.mailbox_peak, mailbox_bytes_);
  if (mailbox_bytes_ > settings_.max_bridge_mailbox) stop("mailbox");
}

void Bridge::handle(Message message, Bytes bytes) {
  switch (message) {
    case Message::payload:
      return take_payload(bytes);
    case Message::flushed:
      return take_flushed(bytes);
    case Message::client_down:
      subscription_ = mesh::SubscriptionId::none;
      reconnect_attempts_ = 0;
      enter(BridgeState::reconnecting, "client_down");
      return attempt_reconnect();
    case Message::reconnect_tick:
      return attempt_reconnect();
  }
}

void Bridge::drain() {
  while (!mailbox_.empty() && unsent_.empty() && state_ != BridgeState::stopped) {
    const Waiting next = std::move(mailbox_.front());
    mailbox_.pop_front();
    mailbox_bytes_ -= next.bytes.size();
    handle(next.message, next.bytes);
  }
}

void Bridge::take_payload(Bytes message) {
  const auto data = cipher_.open(message);
  if (!data) {
    decrypt_failed(message.size());
    if (settings_.close_on_decrypt_failure) stop("decrypt_failed");
    return;
  }
  if (data->empty() && settings_.close_message) return stop("peer_closed");
  metrics_.bytes_in += data->size();
  ++metrics_.msgs_in;
  write(*data);
}

// macula_dist_relay:flush_buffered_to_socket/2, which no metrics count.
void Bridge::take_flushed(Bytes message) {
  if (const auto data = cipher_.open(message)) return write(*data);
  decrypt_failed(message.size());
  if (settings_.flush_passes_ciphertext) write(message);
}

void Bridge::decrypt_failed(size_t bytes) {
  if (++metrics_.decrypt_failures > max_decrypt_events) return;
  Event event = about(kinds::decrypt_failed, config_);
  event.fields.push_back({"bytes", int64_t(bytes)});
  host_.record(std::move(event));
}

// gen_tcp:send, which blocks the process while the socket is full.
void Bridge::write(Bytes data) {
  const size_t taken = socket_->write(data);
  metrics_.delivered += taken;
  unsent_.assign(data.begin() + ptrdiff_t(taken), data.end());
}

void Bridge::on_writable() {
  if (state_ == BridgeState::stopped || unsent_.empty()) return;
  const auto rest = std::exchange(unsent_, {});
  write(rest);
  drain();
}

void Bridge::on_closed(NetError why) {
  if (state_ == BridgeState::stopped) return;
  if (!unsent_.empty()) return stop(fmt::format("send_error: {}", to_string(why)));
  reader_.on_closed();
}

// --- the record, and the end ---

void Bridge::enter(BridgeState state, std::string_view reason) {
  state_ = state;
  Event event = about(kinds::bridge_state, config_);
  event.fields.push_back({"state", std::string(to_string(state))});
  event.fields.push_back({"reason", std::string(reason)});
  host_.record(std::move(event));
}

void Bridge::record_lost(size_t bytes, std::string_view reason) {
  if (bytes == 0) return;
  Event event = about(kinds::tunnel_lost, config_);
  event.fields.push_back({"reason", std::string(reason)});
  event.fields.push_back({"bytes", int64_t(bytes)});
  host_.record(std::move(event));
}

void Bridge::record_metrics() const {
  const TunnelMetrics metrics = this->metrics();
  Event counters = about(kinds::tunnel_metrics, config_);
  for (const auto& [key, value] : {std::pair<std::string_view, uint64_t>{"bytes_out", metrics.bytes_out},
                                   {"bytes_in", metrics.bytes_in},
                                   {"msgs_out", metrics.msgs_out},
                                   {"msgs_in", metrics.msgs_in},
                                   {"accepted", metrics.accepted},
                                   {"delivered", metrics.delivered}}) {
    counters.fields.push_back({key, int64_t(value)});
  }
  host_.record(std::move(counters));
}

void Bridge::record_end(std::string_view reason) {
  record_metrics();
  Event closed = about(kinds::tunnel_closed, config_);
  closed.fields.push_back({"reason", std::string(reason)});
  host_.record(std::move(closed));
}

// What the peer's distribution has sent, and ours will never read.
size_t Bridge::undelivered() const {
  size_t bytes = unsent_.size();
  for (const Waiting& waiting : mailbox_) bytes += waiting.bytes.size() - std::min(waiting.bytes.size(), overhead);
  return bytes;
}

// macula_dist_bridge:terminate/2. The object goes with the next event: one of its handlers is running.
void Bridge::stop(std::string_view reason) {
  if (state_ == BridgeState::stopped) return;
  enter(BridgeState::stopped, reason);
  lost(reader_.in_hand() + socket_->unread(), "stopped");
  record_lost(undelivered(), "undelivered");
  reader_.stop();
  down_.cancel();
  reconnect_.cancel();
  if (client_ != nullptr) {
    if (settings_.close_message && reason != "peer_closed") {
      Nonce nonce;
      host_.fill_secret(nonce);
      client_->publish(topics_.send, cipher_.seal(nonce, {}));
    }
    client_->unsubscribe(subscription_);
    client_ = nullptr;
  }
  socket_->close();
  record_end(reason);
  burial_.start(Duration::zero(), [this] {
    const auto stopped = stopped_;  // it may destroy this object
    stopped();
  });
}

}  // namespace distlab::tunnel
