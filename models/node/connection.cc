#include "models/node/connection.h"

#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "models/etf/term.h"
#include "models/host/event_kinds.h"
#include "models/node/net_kernel.h"

namespace distlab::node {
namespace {

// An atom has at most 255 characters; 13 digits of base 36 and the '@' come before the host name.
constexpr size_t max_named_host = 255 - 14;

// From the last packet of the handshake to the first look at the mailbox; see handshake_done().
// In OTP it is a matter of scheduling, some tenths of a millisecond.
constexpr Duration nodeup_latency = std::chrono::milliseconds{1};
constexpr size_t max_greeting = 256 * 1024;  // bytes read within that time

// inet_drv.c: an error met while reading ends the port with its name, anything else as a normal
// exit, which the nodedown calls connection_closed (dist.c:erts_do_net_exits).
std::string_view end_of_stream(NetError why) {
  if (why == NetError::timed_out || why == NetError::unreachable) return to_string(why);
  return "connection_closed";
}

}  // namespace

Connection::Connection(NetKernel& kernel, uint64_t id, std::string peer)
    : kernel_(kernel),
      host_(kernel.host_),
      id_(id),
      peer_(std::move(peer)),
      incoming_(false),
      started_at_(host_.now()),
      setup_timer_(host_) {}

Connection::Connection(NetKernel& kernel, uint64_t id, std::unique_ptr<ByteStream> in)
    : kernel_(kernel),
      host_(kernel.host_),
      id_(id),
      incoming_(true),
      started_at_(host_.now()),
      setup_timer_(host_),
      stream_(std::move(in)) {}

Connection::~Connection() = default;

// inet_tcp_dist:do_setup/7 and do_accept/7.
void Connection::start() {
  restart_setup_timer();
  if (incoming_) return make_handshake();
  dial_ = kernel_.carrier_.dial(
      peer_, [this] { restart_setup_timer(); }, [this](auto outcome) { dialled(std::move(outcome)); });
}

// dist_util:start_timer/1 and reset_timer/1: net_setuptime anew for every step.
void Connection::restart_setup_timer() {
  if (!ended_) setup_timer_.start(kernel_.config_.net_setuptime, [this] { exit("setup_timer_timeout"); });
}

void Connection::dialled(tl::expected<std::unique_ptr<ByteStream>, carrier::DialError> outcome) {
  if (ended_) return;
  if (!outcome) return exit(fmt::format("{}: {}", outcome.error().step, to_string(outcome.error().error)));
  stream_ = std::move(*outcome);
  make_handshake();
}

void Connection::make_handshake() {
  const auto& config = kernel_.config_;
  const auto cookie = [this](std::string_view peer) { return kernel_.cookies_.of(peer); };
  if (incoming_) {
    auto acceptor = std::make_unique<dist::Acceptor>(
        dist::AcceptorConfig{.self = config.name,
                             .creation = kernel_.creation_,
                             .flags = kernel_.announced_flags(),
                             .mandatory = config.mandatory_flags,
                             .cookie = cookie,
                             .challenge = kernel_.challenge(),
                             .allowed = [this](std::string_view peer) { return kernel_.allowed(peer); }});
    acceptor_ = acceptor.get();
    handshake_ = std::move(acceptor);
  } else {
    handshake_ = std::make_unique<dist::Initiator>(dist::InitiatorConfig{.self = config.name,
                                                                         .peer = peer_,
                                                                         .creation = kernel_.creation_,
                                                                         .flags = kernel_.announced_flags(),
                                                                         .mandatory = config.mandatory_flags,
                                                                         .cookie = cookie,
                                                                         .challenge = kernel_.challenge()});
  }
  stream_->set_handler(*this);
  drive_handshake();
}

void Connection::on_data(Bytes data) {
  if (ended_) return;
  if (channel_) return receive(data);
  handshake_->on_bytes(data);
  if (!greeting_) return drive_handshake();
  *greeting_ += data.size();
  if (*greeting_ > max_greeting) stream_->set_reading(false);
}

void Connection::on_writable() {
  if (!ended_) pump();
}

void Connection::on_closed(NetError why) {
  if (ended_) return;
  if (greeting_) connected();
  if (ended_) return;
  if (channel_) return exit(end_of_stream(why));
  handshake_->on_closed();
  drive_handshake();
}

// One write for each packet, as dist_util sends them: that is what Nagle's algorithm goes by, and why an acceptor's
// challenge waits for the acknowledgement of its status.
void Connection::write_packets(const std::vector<uint8_t>& packets) {
  const Bytes all(packets);
  for (size_t at = 0; at < all.size();) {
    const size_t size = 2 + dist::read_length(all.subspan(at), dist::HeaderSize::two);
    const Bytes packet = all.subspan(at, size);
    unsent_.insert(unsent_.end(), packet.begin(), packet.end());
    pump();
    at += size;
  }
  pump();
}

// After every input: writes what the engine wants to say, answers what it asks, until it waits for
// the peer.
void Connection::drive_handshake() {
  do {
    write_packets(handshake_->take_output());
    record_steps();
    if (handshake_->take_timer_reset()) restart_setup_timer();
    if (handshake_->state() == dist::HandshakeState::failed) return handshake_failed();
    if (handshake_->state() == dist::HandshakeState::done) return handshake_done();
  } while (answer_handshake());
  if (!ended_) stream_->set_reading(handshake_->wants_bytes());
}

// True if the engine has something new to say.
bool Connection::answer_handshake() {
  switch (handshake_->state()) {
    case dist::HandshakeState::asks_status:
      ask_status(*acceptor_);
      return !ended_;
    case dist::HandshakeState::asks_pending:
      static_cast<dist::Initiator&>(*handshake_).answer_pending(kernel_.is_pending(*this, peer_));
      return true;
    case dist::HandshakeState::asks_wait_pending:
      if (!old_gone_) kernel_.wait_pending(*this, peer_);
      if (ended_ || !old_gone_) return false;
      acceptor_->old_connection_gone();
      return true;
    default:
      return false;
  }
}

void Connection::ask_status(dist::Acceptor& acceptor) {
  if (!acceptor.wants_name()) {
    peer_ = acceptor.peer();
    acceptor.answer_status(kernel_.accept_pending(*this, peer_, acceptor.peer_visible()));
    return;
  }
  // list_to_atom/1 of the name to be given fails with system_limit.
  if (acceptor.peer().size() > max_named_host) return exit("system_limit");
  uint32_t creation = 0;
  peer_ = kernel_.accept_named(*this, acceptor.peer(), acceptor.peer_visible(), creation);
  acceptor.answer_named(peer_, creation);
}

void Connection::record_steps() {
  const auto steps = handshake_->take_steps();
  if (!host_.wants(kinds::handshake_step)) return;
  for (const auto& step : steps) {
    host_.record({kinds::handshake_step,
                  peer_.empty() && acceptor_ ? acceptor_->peer() : peer_,
                  {{"role", std::string(incoming_ ? "acceptor" : "initiator")},
                   {"step", std::string(step.step)},
                   {"status", step.status}}});
  }
}

void Connection::handshake_failed() {
  const dist::HandshakeFailure failure = handshake_->failure();
  if (host_.wants(kinds::handshake_step)) {
    host_.record({kinds::handshake_step,
                  peer_.empty() && acceptor_ ? acceptor_->peer() : peer_,
                  {{"role", std::string(incoming_ ? "acceptor" : "initiator")},
                   {"step", std::string("failed")},
                   {"status", failure.detail}}});
  }
  if (failure.log) log(*failure.log);
  exit(failure.detail);
}

void Connection::old_connection_gone() {
  old_gone_ = true;
}

// The acceptor's nodeup messages are under way right behind its ack. Before the initiator looks at
// its mailbox it asks net_kernel (mark_nodeup/3) and sets the socket to active, which delivers what
// the driver has read with the ack (inet_drv.c:tcp_deliver), and that counts as read before the first
// queued tick does.
void Connection::handshake_done() {
  setup_timer_.cancel();
  stream_->set_nodelay(true);  // dist_util:connection/1, f_setopts_pre_nodeup
  if (incoming_) return connected();
  greeting_ = 0;
  stream_->set_reading(true);
  setup_timer_.start(nodeup_latency, [this] { connected(); });
}

// dist_util:connection/1.
void Connection::connected() {
  setup_timer_.cancel();
  greeting_.reset();
  up_at_ = host_.now();
  const dist::HandshakeResult result = handshake_->result();
  flags_ = result.flags;
  dist::ChannelConfig config;
  config.names = {kernel_.config_.name, peer_, uint32_t(id_)};
  config.flags = flags_;
  config.busy_limit = kernel_.config_.dist_buf_busy_limit;
  config.received_packets = handshake_->received_packets();
  config.sent_packets = handshake_->sent_packets();
  channel_.emplace(std::move(config));
  ticks_.emplace(kernel_.config_.net_tickintensity, !visible());
  const auto rest = handshake_->take_rest();
  acceptor_ = nullptr;
  handshake_.reset();
  kernel_.node_up(*this);  // what processes have sent to the pending connection goes out first

  // The order in OTP 25, as seen on the wire: what came with the ack is read; con_loop/2, of priority
  // max, handles the ticks in its mailbox; then processes learn of the nodeup and greet the peer.
  std::vector<Incoming> greeting;
  channel_->on_bytes(rest);
  while (auto message = channel_->next()) {
    greeting.push_back(std::move(*message));
    if (!greeting.back()) break;
  }
  bool responding = true;
  while (queued_ticks_ > 0 && responding) {
    --queued_ticks_;
    responding = process_tick();
  }
  kernel_.announce(*this);
  for (auto& message : greeting) {
    if (!ended_) take(std::move(message));
  }
  if (!responding) exit("net_tick_timeout");
  if (!ended_) stream_->set_reading(true);
}

void Connection::tick() {
  if (ended_) return;
  if (!channel_) {
    ++queued_ticks_;
  } else if (!process_tick()) {
    exit("net_tick_timeout");
  }
}

// con_loop's clause for {Kernel, tick}. False: not responding.
bool Connection::process_tick() {
  switch (ticks_->on_tick(channel_->stats())) {
    case dist::TickAction::nothing:
      return true;
    case dist::TickAction::write_tick:
      channel_->write_tick();
      if (host_.wants(kinds::tick)) host_.record({kinds::tick, peer_, {}});
      pump();
      return true;
    case dist::TickAction::not_responding:
      log(fmt::format("** Node {} not responding **\n** Removing (timedout) connection **",
                      etf::atom(peer_).to_string(600)));
      return false;
  }
  return true;
}

void Connection::receive(Bytes data) {
  channel_->on_bytes(data);
  while (!ended_) {
    auto message = channel_->next();
    if (!message) return;
    take(std::move(*message));
  }
}

void Connection::take(Incoming message) {
  if (message) return kernel_.deliver(*this, std::move(*message));
  for (const auto& line : message.error().log) log(line);
  exit(message.error().reason);
}

process::SendResult Connection::send(const dist::Message& message) {
  assert(channel_);
  const bool was_busy = channel_->busy();
  channel_->send(message);
  pump();
  if (!was_busy && channel_->busy()) {
    host_.record({kinds::busy_dist_port, peer_, {{"queued", int64_t(channel_->queued_bytes())}}});
  }
  return channel_->busy() ? process::SendResult::busy : process::SendResult::sent;
}

// Writes until the stream takes no more.
void Connection::pump() {
  if (!unsent_.empty()) {
    const size_t taken = stream_->write(unsent_);
    unsent_.erase(unsent_.begin(), unsent_.begin() + ptrdiff_t(taken));
    if (!unsent_.empty()) return;
  }
  if (!channel_) return;
  for (Bytes out; !(out = channel_->output()).empty();) {
    const size_t offered = out.size();
    const size_t taken = stream_->write(out);
    channel_->consumed(taken);
    if (taken < offered) break;
  }
  if (channel_->take_resumed()) kernel_.resumed(peer_);
}

void Connection::kill() {
  if (ended_) return;
  ended_ = true;
  setup_timer_.cancel();
  if (stream_) stream_->close();
  kernel_.discard(*this);
}

void Connection::exit(std::string_view reason) {
  if (ended_) return;
  const std::string why(reason);
  kill();
  kernel_.exited(*this, why);
}

void Connection::log(std::string text) {
  kernel_.log(peer_.empty() && acceptor_ ? acceptor_->peer() : peer_, "error", std::move(text));
}

}  // namespace distlab::node
