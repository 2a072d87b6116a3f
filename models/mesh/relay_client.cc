#include "models/mesh/relay_client.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "models/host/event_kinds.h"
#include "models/mesh/cbor.h"

namespace distlab::mesh {
namespace {

constexpr int max_doublings = 30;

Duration backoff(const ClientSettings& settings, int failures, RandomStream& random) {
  const double base = std::min(double(settings.backoff_min.count()) * std::exp2(std::min(failures, max_doublings)),
                               double(settings.backoff_max.count()));
  const double share = 1 + settings.backoff_jitter * (2 * random.uniform() - 1);
  return Duration(int64_t(base * share));
}

}  // namespace

RelayClient::RelayClient(Host& host, ClientSettings settings, ClientListener listener)
    : host_(host),
      settings_(std::move(settings)),
      listener_(std::move(listener)),
      message_ids_(host.random("mesh.message_id")),
      ping_(settings_.ping_timeout),
      dial_timer_(host),
      ping_timer_(host),
      call_timer_(host),
      subscribe_timer_(host),
      finish_timer_(host),
      death_(host) {
  assert(!settings_.relays.empty());
  host_.record({kinds::client_started, "", {}});
  dial();
}

RelayClient::~RelayClient() = default;

void RelayClient::dial() {
  state_ = State::dialling;
  ++dials_;
  dial_started_ = host_.now();
  last_error_.clear();
  RelayLink::Handler& handler = *this;
  link_ = std::make_unique<RelayLink>(host_, settings_, settings_.relays[relay_], handler);
  dial_timer_.start(settings_.connect_timeout, [this] { failed_to_connect("timeout"); });
}

void RelayClient::on_link_open() {
  send(encode(Connect{settings_.realm, settings_.identity}));
}

void RelayClient::failed_to_connect(const std::string& reason) {
  ++stats_.failures;
  host_.record({kinds::mesh_failed,
                relay_name(),
                {{"reason", last_error_.empty() ? shortened(reason) : last_error_},
                 {"elapsed_ns", (host_.now() - dial_started_).count()}}});
  drop_link("gave up");
  relay_ = (relay_ + 1) % settings_.relays.size();
  wait_and_dial();
  ++failures_;
  drain();
}

void RelayClient::wait_and_dial() {
  state_ = State::waiting;
  const Duration wait = backoff(settings_, failures_, host_.random("mesh.backoff"));
  dial_timer_.start(wait, [this] { dial(); });
}

void RelayClient::drop_link(const std::string& reason) {
  dial_timer_.cancel();
  ping_timer_.cancel();
  forget_outgoing();
  if (!link_) return;
  link_->close(reason);
  link_.reset();
}

void RelayClient::lost(OnLoss policy, const std::string& reason) {
  const std::string why = last_error_.empty() ? shortened(reason) : last_error_;
  if (policy == OnLoss::die) return die(why);
  if (policy == OnLoss::ignore) return;
  host_.record({kinds::mesh_down, relay_name(), {{"reason", why}}});
  drop_link(why);
  failures_ = 0;
  wait_and_dial();
  ++failures_;
  const std::weak_ptr<int> alive = alive_;
  const auto on_disconnected = listener_.on_disconnected;  // it may destroy this object
  if (on_disconnected) on_disconnected(why);
  if (!alive.expired()) drain();
}

void RelayClient::on_link_finished(const std::string& reason) {
  if (state_ == State::dialling) return failed_to_connect(reason);
  lost(settings_.on_farewell, reason);
}

void RelayClient::on_link_failed(const std::string& reason) {
  if (state_ == State::dialling) return failed_to_connect(reason);
  if (settings_.on_connection_end != OnLoss::ignore) return lost(settings_.on_connection_end, reason);
  // Facts section 1.4: the end of the connection comes as a message that nobody handles.
  state_ = State::deaf;
  link_.reset();
  forget_outgoing();
  drain();
}

void RelayClient::kill(const std::string& reason) {
  die(reason);
}

void RelayClient::die(const std::string& reason) {
  if (state_ == State::dead) return;
  if (connected()) host_.record({kinds::mesh_down, relay_name(), {{"reason", reason}}});
  host_.record({kinds::client_died, "", {{"reason", reason}}});
  state_ = State::dead;
  drop_link(reason);
  subscribe_timer_.cancel();
  call_timer_.cancel();
  for (const Item& item : std::exchange(mailbox_, {})) {
    if (item.kind != ItemKind::outgoing) continue;
    ++stats_.lost_frames;
    stats_.lost_bytes += item.frame->size();
  }
  mailbox_bytes_ = 0;
  finish_timer_.cancel();
  for (auto& done : calls_.take_all()) finished_.emplace_back(std::move(done), CallError{"client_down", reason});
  // First the word of its death, then the end of its calls: who calls again must not find it.
  death_.start(Duration::zero(), [this, reason] {
    const std::weak_ptr<int> alive = alive_;
    const auto on_died = listener_.on_died;  // it may destroy this object
    if (on_died) on_died(reason);
    if (!alive.expired()) run_finished();
  });
}

bool RelayClient::held_up() const {
  return !outgoing_.empty() || (state_ == State::dialling && settings_.blocking_connect);
}

void RelayClient::post(Item item) {
  if (state_ == State::dead) return;
  if (mailbox_.empty() && !draining_ && !held_up()) return handle(item);
  if (item.frame) mailbox_bytes_ += item.frame->size();
  mailbox_.push_back(std::move(item));
  stats_.mailbox_peak = std::max(stats_.mailbox_peak, mailbox_.size());
  if (mailbox_bytes_ > settings_.mailbox_limit) die("mailbox");
}

void RelayClient::drain() {
  if (draining_) return;
  const std::weak_ptr<int> alive = alive_;
  draining_ = true;
  while (!mailbox_.empty() && !held_up()) {
    const Item item = std::move(mailbox_.front());
    mailbox_.pop_front();
    if (item.frame) mailbox_bytes_ -= item.frame->size();
    handle(item);
    if (alive.expired()) return;
  }
  draining_ = false;
}

void RelayClient::handle(const Item& item) {
  switch (item.kind) {
    case ItemKind::outgoing:
      return handle_outgoing(item);
    case ItemKind::incoming:
      return handle_incoming(*item.frame, item.number);
    case ItemKind::ping:
      return ping_tick();
  }
}

// SUBSCRIBE and ADVERTISE without a session need nothing: they are said again after the next WELCOME.
void RelayClient::handle_outgoing(const Item& item) {
  if (connected()) return send(*item.frame);
  if (item.frame->type() == FrameType::publish) ++stats_.dropped_disconnected;
  if (item.number == 0) return;
  if (auto done = calls_.take(item.number)) finish_later(std::move(*done), {"not_connected", "no relay"});
}

void RelayClient::send(const Frame& frame) {
  if (state_ == State::deaf) {
    ++stats_.lost_frames;
    stats_.lost_bytes += frame.size();
    return;
  }
  outgoing_.push_back(frame);
  write_on();
}

void RelayClient::write_on() {
  while (!outgoing_.empty() && link_) {
    const Bytes rest = outgoing_.front().bytes().subspan(written_);
    const size_t taken = link_->write(rest);
    written_ += taken;
    if (taken < rest.size()) return;
    outgoing_.pop_front();
    written_ = 0;
  }
}

void RelayClient::forget_outgoing() {
  for (const Frame& frame : std::exchange(outgoing_, {})) {
    ++stats_.lost_frames;
    stats_.lost_bytes += frame.size();
  }
  written_ = 0;
}

void RelayClient::on_link_writable() {
  write_on();
  drain();
}

void RelayClient::on_link_frame(Frame frame) {
  // A blocking dial waits for WELCOME itself.
  if (state_ == State::dialling) return handle_incoming(frame, dials_);
  post({ItemKind::incoming, std::move(frame), dials_});
}

void RelayClient::ping_tick() {
  if (!connected()) return;
  const auto id = ping_.tick(host_.now());
  if (!id) return lost(settings_.on_ping_timeout, "ping_timeout");
  send(encode(Ping{*id}));
}

void RelayClient::publish(const std::string& topic, Bytes payload) {
  ++stats_.published;
  if (state_ == State::dead || (state_ == State::waiting && mailbox_.empty())) {
    ++stats_.dropped_disconnected;
    return;
  }
  Publish message{topic, payload};
  message_ids_.fill(message.id);
  Frame frame = encode(message);
  if (frame.size() > settings_.frame_bytes) {
    ++stats_.dropped_oversize;
    return;
  }
  post({ItemKind::outgoing, std::move(frame)});
}

SubscriptionId RelayClient::subscribe(const std::string& topic, OnPayload on_payload) {
  const auto subscribed = registrations_.subscribe(topic, std::move(on_payload));
  if (subscribed.first) send_later(topic);
  return subscribed.id;
}

void RelayClient::unsubscribe(SubscriptionId id) {
  const auto topic = registrations_.unsubscribe(id);
  if (!topic) return;
  std::erase_if(subscribes_due_, [&](const auto& due) { return due.second == *topic; });
  post({ItemKind::outgoing, encode(Unsubscribe{*topic})});
}

void RelayClient::send_later(const std::string& topic) {
  if (settings_.subscribe_delay == Duration::zero()) {
    return post({ItemKind::outgoing, encode(Subscribe{topic})});
  }
  if (state_ == State::dead) return;
  subscribes_due_.emplace_back(host_.now() + settings_.subscribe_delay, topic);
  if (!subscribe_timer_.running()) subscribe_timer_.start(settings_.subscribe_delay, [this] { subscribe_due(); });
}

void RelayClient::subscribe_due() {
  while (!subscribes_due_.empty() && subscribes_due_.front().first <= host_.now()) {
    const std::string topic = std::move(subscribes_due_.front().second);
    subscribes_due_.pop_front();
    post({ItemKind::outgoing, encode(Subscribe{topic})});
  }
  if (subscribes_due_.empty() || state_ == State::dead) return;
  subscribe_timer_.start(subscribes_due_.front().first - host_.now(), [this] { subscribe_due(); });
}

void RelayClient::advertise(const std::string& procedure, Procedure run) {
  registrations_.advertise(procedure, std::move(run));
  post({ItemKind::outgoing, encode(Advertise{procedure})});
}

void RelayClient::unadvertise(const std::string& procedure) {
  if (registrations_.unadvertise(procedure)) post({ItemKind::outgoing, encode(Unadvertise{procedure})});
}

void RelayClient::call(const std::string& procedure, Json args, Duration timeout,
                       std::function<void(CallResult)> done) {
  if (state_ == State::dead) return finish_later(std::move(done), {"client_down", "no process"});
  if (calls_.size() >= settings_.calls) return finish_later(std::move(done), {"limit", "calls"});
  if (timeout == Duration::zero()) timeout = settings_.call_timeout;
  const uint64_t id = calls_.add(host_.now() + timeout, std::move(done));
  Frame frame = encode(Call{id, procedure, std::move(args)});
  if (frame.size() > settings_.frame_bytes) {
    return finish_later(std::move(*calls_.take(id)), {"limit", "frame_bytes"});
  }
  arm_call_timer();
  post({ItemKind::outgoing, std::move(frame), id});
}

// The caller's own timer, as that of gen_server:call: it runs even if the client process is held up.
void RelayClient::arm_call_timer() {
  const auto next = calls_.next_deadline();
  if (!next) return call_timer_.cancel();
  call_timer_.start(*next - host_.now(), [this] {
    const std::weak_ptr<int> alive = alive_;
    while (auto done = calls_.expired(host_.now())) {
      (*done)(tl::unexpected(CallError{"timeout", "no answer"}));
      if (alive.expired()) return;
    }
    if (state_ != State::dead) arm_call_timer();
  });
}

void RelayClient::finish_later(CallTable::Done done, CallError error) {
  finished_.emplace_back(std::move(done), std::move(error));
  if (!finish_timer_.running()) finish_timer_.start(Duration::zero(), [this] { run_finished(); });
}

void RelayClient::run_finished() {
  const std::weak_ptr<int> alive = alive_;
  for (auto& [done, error] : std::exchange(finished_, {})) {
    done(tl::unexpected(std::move(error)));
    if (alive.expired()) return;
  }
}

}  // namespace distlab::mesh
