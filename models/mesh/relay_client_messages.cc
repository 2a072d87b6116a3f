// What the client does with each message of the relay.
#include <algorithm>

#include "models/host/event_kinds.h"
#include "models/mesh/cbor.h"
#include "models/mesh/relay_client.h"

namespace distlab::mesh {
namespace {

constexpr uint64_t logged_errors = 20;  // of relays, in the life of a client: the rest is counted only

}  // namespace

void RelayClient::handle_incoming(const Frame& frame, uint64_t dial) {
  if (state_ == State::dead) return;
  const bool stale = dial != dials_ || state_ == State::waiting;
  if (!stale && frame.type() != FrameType::error) last_error_.clear();
  if (frame.type() == FrameType::publish) return deliver(frame);
  // What waited in the mailbox while its session ended means nothing any more, but for an answer.
  if (stale && frame.type() != FrameType::reply) return;
  auto message = decode(frame);
  if (!message) return on_link_finished("malformed: " + std::string(to_string(message.error())));
  std::visit([this](auto& it) { told(std::move(it)); }, *message);
}

void RelayClient::deliver(const Frame& frame) {
  const auto message = decode_publish(frame);
  if (!message) return on_link_finished("malformed: " + std::string(to_string(message.error())));
  ++stats_.delivered;
  const std::weak_ptr<int> alive = alive_;
  const SubscriptionId last = registrations_.last_given();
  auto listener = registrations_.listener_after(message->topic, SubscriptionId::none);
  while (listener && listener->id <= last) {
    (*listener->on_payload)(message->payload);
    if (alive.expired() || state_ == State::dead) return;
    listener = registrations_.listener_after(message->topic, listener->id);
  }
}

template <typename Unexpected>
void RelayClient::told(const Unexpected&) {
  on_link_finished("unexpected: only a client says this");
}

void RelayClient::told(const Welcome&) {
  if (state_ != State::dialling) return on_link_finished("unexpected: second WELCOME");
  dial_timer_.cancel();
  state_ = State::up;
  failures_ = 0;
  answering_ = 0;
  ++session_;
  ++stats_.connects;
  ping_ = PingWatch(settings_.ping_timeout);
  start_ping_timer();
  host_.record({kinds::mesh_up, relay_name(), {{"elapsed_ns", (host_.now() - dial_started_).count()}}});
  // Soft state: the relay knows nothing of earlier sessions (facts section 2). What waits in the mailbox
  // may say some of it once more, which does no harm.
  subscribes_due_.clear();
  for (const auto& topic : registrations_.topics()) {
    if (settings_.subscribe_delay > Duration::zero()) {
      send_later(topic);
    } else {
      send(encode(Subscribe{topic}));
    }
  }
  for (const auto& procedure : registrations_.procedures()) send(encode(Advertise{procedure}));
  const std::weak_ptr<int> alive = alive_;
  const auto on_connected = listener_.on_connected;  // it may destroy this object
  if (on_connected) on_connected();
  if (!alive.expired()) drain();
}

void RelayClient::start_ping_timer() {
  if (settings_.ping_interval == Duration::zero()) return;
  ping_timer_.start(settings_.ping_interval, [this] {
    start_ping_timer();
    // The last tick still waits for the process: two would say no more.
    const bool waits =
        std::any_of(mailbox_.begin(), mailbox_.end(), [](const Item& item) { return item.kind == ItemKind::ping; });
    if (!waits) post({ItemKind::ping});
  });
}

void RelayClient::told(const Disconnect& message) {
  on_link_finished("disconnect: " + message.reason);
}

void RelayClient::told(const Ping& message) {
  if (connected()) send(encode(Pong{message.id}));
}

void RelayClient::told(const Pong& message) {
  ping_.pong(message.id);
}

void RelayClient::told(const Error& message) {
  last_error_ = shortened(message.code) + ": " + shortened(message.message);
  if (++stats_.errors > logged_errors) return;
  host_.record({kinds::log, relay_name(), {{"level", "warning"}, {"text", "the relay says " + last_error_}}});
}

void RelayClient::told(mesh::Reply message) {
  auto done = calls_.take(message.id);
  if (done) (*done)(std::move(message.result));
}

void RelayClient::told(const Call& message) {
  const uint64_t session = session_;
  const auto run = registrations_.procedure(message.procedure);
  ++answering_;
  if (!run) return answer(session, message.id, tl::unexpected(CallError{"unknown_procedure", "not offered any more"}));
  if (answering_ > settings_.answering) {
    return answer(session, message.id, tl::unexpected(CallError{"limit", "answering"}));
  }
  auto reply = [this, alive = std::weak_ptr<int>(alive_), answered = std::make_shared<bool>(false), session,
                call = message.id](CallResult result) {
    if (std::exchange(*answered, true) || alive.expired()) return;
    answer(session, call, std::move(result));
  };
  (*run)(message.args, std::move(reply));
}

void RelayClient::answer(uint64_t session, uint64_t call, CallResult result) {
  if (session != session_ || !connected()) return;
  --answering_;
  Frame frame = encode(mesh::Reply{call, std::move(result)});
  if (frame.size() > settings_.frame_bytes) {
    frame = encode(mesh::Reply{call, tl::unexpected(CallError{"limit", "frame_bytes"})});
  }
  post({ItemKind::outgoing, std::move(frame)});
}

}  // namespace distlab::mesh
