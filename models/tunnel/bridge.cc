#include "models/tunnel/bridge.h"

#include <utility>

#include "models/host/event_kinds.h"

namespace distlab::tunnel {

std::string_view to_string(Bridge::State state) {
  switch (state) {
    case Bridge::State::running:
      return "running";
    case Bridge::State::reconnecting:
      return "reconnecting";
    case Bridge::State::stopped:
      return "stopped";
  }
  return "";
}

Bridge::Bridge(Host& host, const TunnelSettings& settings, mesh::ClientSlot& slot, MessageFaults& faults, Route route,
               const Key& key, std::unique_ptr<Loopback> loopback, Stopped stopped)
    : host_(host),
      settings_(settings),
      slot_(slot),
      faults_(faults),
      route_(std::move(route)),
      crypt_(key),
      loopback_(std::move(loopback)),
      stopped_(std::move(stopped)),
      reconnect_(host),
      reader_(host),
      idle_(host),
      end_(host) {
  watcher_ = slot_.watch([this](mesh::Client* client) { client_changed(client); });
  loopback_->set_listener({[this] { read_on(); }, [this] { write_on(); }});
  enter(State::running, "");
  if (slot_.current() != nullptr) {
    subscribe();
  } else {
    client_changed(nullptr);
  }
  watch_idle();
}

Bridge::~Bridge() {
  slot_.unwatch(watcher_);
  unsubscribe();
}

// ---- the client ----------------------------------------------------------------------------------

void Bridge::subscribe() {
  client_ = slot_.current();
  subscription_ = client_->subscribe(route_.recv_topic, [this](Bytes message) { arrived(message); });
}

// Of a client that is still registered; with a dead one its subscriptions are gone.
void Bridge::unsubscribe() {
  if (client_ != nullptr && client_ == slot_.current()) client_->unsubscribe(subscription_);
  client_ = nullptr;
  subscription_ = mesh::SubscriptionId::none;
}

// DOWN of the monitored client. A new one is not announced: the bridge has to look for it.
void Bridge::client_changed(mesh::Client* client) {
  if (state_ != State::running || (client != nullptr && client == client_)) return;
  client_ = nullptr;
  subscription_ = mesh::SubscriptionId::none;
  enter(State::reconnecting, "client down");
  attempts_ = 0;
  reconnect_.start(Duration::zero(), [this] { attempt(); });
}

// At once, then every reconnect_interval; when the last attempt has failed for that long, it is over.
void Bridge::attempt() {
  if (attempts_ >= settings_.reconnect_max_attempts) return stop("no client");
  ++attempts_;
  if (mesh::Client* const client = slot_.current()) return reconnected(*client);
  reconnect_.start(settings_.reconnect_interval, [this] { attempt(); });
}

void Bridge::reconnected(mesh::Client& /*client*/) {
  enter(State::running, "");
  subscribe();
  reader_.cancel();
  if (settings_.reader_runs_while_reconnecting && in_hand_) {
    // The old reader is killed with what it holds (section 1.4).
    lost("reader killed", in_hand_->size());
    in_hand_.reset();
  }
  tries_ = 0;
  if (in_hand_) publish(*std::exchange(in_hand_, std::nullopt));
  read_on();
}

// ---- from distribution into the mesh -------------------------------------------------------------

void Bridge::read_on() {
  while (state_ != State::stopped && !in_hand_ && !reader_.running()) {
    std::vector<uint8_t> chunk = loopback_->read(settings_.chunk);
    if (chunk.empty()) break;
    metrics_.accepted += chunk.size();
    watch_idle();
    publish(std::move(chunk));
  }
  if (loopback_->finished() && !in_hand_) stop("closed by distribution");
}

void Bridge::publish(std::vector<uint8_t> chunk) {
  mesh::Client* const client = slot_.current();
  const bool waits = state_ == State::reconnecting && !settings_.reader_runs_while_reconnecting;
  if (client == nullptr || waits) {
    in_hand_ = std::move(chunk);
    tries_ = 1;
    if (!waits) reader_.start(settings_.publish_retry_interval, [this] { retry(); });
    return;
  }
  Nonce nonce;
  host_.fill_secret(nonce);
  faults_.pass(route_.peer, crypt_.seal(nonce, chunk),
               [&](const std::vector<uint8_t>& message) { client->publish(route_.send_topic, message); });
  metrics_.bytes_out += chunk.size();
  ++metrics_.msgs_out;
  if (client->mailbox() > settings_.backpressure_hwm)
    reader_.start(settings_.backpressure_pause, [this] { read_on(); });
}

// B:220-234: what cannot be handed over in time is given up without a word, and counted as sent.
void Bridge::retry() {
  std::vector<uint8_t> chunk = *std::exchange(in_hand_, std::nullopt);
  const uint32_t tries = tries_;
  if (slot_.current() == nullptr && tries >= settings_.publish_retries) {
    metrics_.bytes_out += chunk.size();
    ++metrics_.msgs_out;
    lost("no client", chunk.size());
  } else {
    publish(std::move(chunk));
    if (in_hand_) tries_ = tries + 1;
  }
  read_on();
}

void Bridge::lost(std::string_view reason, size_t bytes) {
  host_.record({kinds::tunnel_lost,
                route_.peer,
                {{"id", route_.id}, {"reason", std::string(reason)}, {"bytes", static_cast<int64_t>(bytes)}}});
}

// ---- from the mesh to distribution ---------------------------------------------------------------

void Bridge::arrived(Bytes message) {
  if (state_ == State::stopped) return;
  auto plain = crypt_.open(message);
  if (!plain) {
    host_.record(
        {kinds::decrypt_failed, route_.peer, {{"id", route_.id}, {"bytes", static_cast<int64_t>(message.size())}}});
    return;
  }
  metrics_.bytes_in += plain->size();
  ++metrics_.msgs_in;
  deliver(std::move(*plain));
}

void Bridge::flush(Bytes message) {
  if (!settings_.flush_passes_undecrypted || crypt_.open(message)) return arrived(message);
  deliver({message.begin(), message.end()});
}

void Bridge::deliver(std::vector<uint8_t> plain) {
  inbox_bytes_ += plain.size();
  inbox_.push_back(std::move(plain));
  if (inbox_.size() == 1) write_on();
  if (inbox_bytes_ > settings_.bridge_mailbox) stop("mailbox");
}

// gen_tcp:send/2 blocks the bridge while distribution does not read; the rest waits in its mailbox.
void Bridge::write_on() {
  while (state_ != State::stopped && !inbox_.empty()) {
    const Bytes left = Bytes(inbox_.front()).subspan(inbox_begin_);
    const size_t taken = loopback_->write(left);
    metrics_.delivered += taken;
    inbox_bytes_ -= taken;
    inbox_begin_ += taken;
    if (taken < left.size()) return;
    inbox_.pop_front();
    inbox_begin_ = 0;
  }
}

// ---- its life ------------------------------------------------------------------------------------

void Bridge::watch_idle() {
  if (!settings_.recv_timeout_is_fatal) return;
  idle_.start(settings_.bridge_recv_timeout, [this] { stop("recv timeout"); });
}

void Bridge::enter(State state, std::string_view reason) {
  state_ = state;
  host_.record({kinds::bridge_state,
                route_.peer,
                {{"id", route_.id}, {"state", std::string(to_string(state))}, {"reason", std::string(reason)}}});
}

void Bridge::stop(std::string_view reason) {
  if (state_ == State::stopped) return;
  if (in_hand_) lost("bridge stopped", in_hand_->size());
  in_hand_.reset();
  enter(State::stopped, reason);
  unsubscribe();
  for (Timer* timer : {&reconnect_, &reader_, &idle_}) timer->cancel();
  loopback_->close();
  record_metrics();
  host_.record({kinds::tunnel_closed, route_.peer, {{"id", route_.id}, {"reason", std::string(reason)}}});
  end_.start(Duration::zero(), [tell = stopped_] { tell(); });
}

void Bridge::record_metrics() {
  const auto count = [](uint64_t n) { return static_cast<int64_t>(n); };
  host_.record({kinds::tunnel_metrics,
                route_.peer,
                {{"id", route_.id},
                 {"bytes_out", count(metrics_.bytes_out)},
                 {"bytes_in", count(metrics_.bytes_in)},
                 {"msgs_out", count(metrics_.msgs_out)},
                 {"msgs_in", count(metrics_.msgs_in)},
                 {"accepted", count(metrics_.accepted)},
                 {"delivered", count(metrics_.delivered)}}});
}

}  // namespace distlab::tunnel
