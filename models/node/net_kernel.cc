#include "models/node/net_kernel.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "models/etf/term.h"
#include "models/host/event_kinds.h"
#include "models/node/connection.h"
#include "models/process/peer_flags.h"

namespace distlab::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// net_kernel:make_init_opts/1 and connecttime/0.
NetKernelConfig sane(NetKernelConfig config) {
  config.net_tickintensity = std::clamp<uint32_t>(config.net_tickintensity, 4, 1000);
  if (config.net_setuptime <= Duration::zero()) config.net_setuptime = seconds{7};
  config.net_setuptime = std::min<Duration>(config.net_setuptime, seconds{120});
  return config;
}

Duration interval(const NetKernelConfig& config) {
  const auto intensity = milliseconds::rep{config.net_tickintensity};
  const auto time = std::max(std::chrono::ceil<milliseconds>(config.net_ticktime), milliseconds{1});
  return milliseconds{(time.count() + intensity - 1) / intensity};
}

size_t encoded_size(const dist::Message& message, dist::Flags flags) {
  const auto encoded = dist::encode_for(message, flags);
  return encoded.control.size() + encoded.payload.size();
}

}  // namespace

NetKernel::NetKernel(Host& host, carrier::Carrier& carrier, NetKernelConfig config)
    : host_(host),
      carrier_(carrier),
      config_(sane(std::move(config))),
      cookies_(config_.cookie, config_.peer_cookies),
      tick_interval_(interval(config_)),
      ticker_(host),
      reaper_(host) {}

NetKernel::~NetKernel() = default;

void NetKernel::start(Started done) {
  assert(!started_);
  const std::weak_ptr<int> alive = alive_;
  carrier_.listen(
      config_.name,
      [this, alive](std::unique_ptr<ByteStream> stream) {
        if (!alive.expired()) accept(std::move(stream));
      },
      [this, alive, done = std::move(done)](tl::expected<uint32_t, NetError> outcome) {
        if (alive.expired()) return;
        if (!outcome) return done(tl::unexpected(outcome.error()));
        creation_ = *outcome;
        started_ = true;
        ticker_.start(tick_interval_, [this] { tick(); });
        done({});
      });
}

// Runs fn with the next event, unless we are gone by then.
void NetKernel::post(std::function<void()> fn) {
  host_.start_timer(Duration::zero(), [alive = std::weak_ptr<int>(alive_), fn = std::move(fn)] {
    if (!alive.expired()) fn();
  });
}

// handle_info(tick): to all owners of connections, those still in set-up included, but not to
// accepted connections that nobody has been told apart by name yet, nor to those that wait for an
// old connection to die.
void NetKernel::tick() {
  ticker_.start(tick_interval_, [this] { tick(); });
  std::vector<uint64_t> owners;
  for (const auto& [peer, row] : rows_) owners.push_back(row.owner->id());
  std::sort(owners.begin(), owners.end());  // maps:foreach: by pid, and so by age
  for (const uint64_t id : owners) {
    if (const auto found = connections_.find(id); found != connections_.end()) found->second->tick();
  }
}

// --- process::Distribution ---

process::SendResult NetKernel::send(const std::string& peer, dist::Message message) {
  using process::SendResult;
  if (!started_ || peer == config_.name) return SendResult::dropped;
  Row* row = find(peer);
  if (row == nullptr) {
    if (config_.auto_connect == AutoConnect::never || barred_.count(peer) > 0) return SendResult::dropped;
    row = setup(peer);
    if (row == nullptr) return SendResult::dropped;
  }
  if (row->state != PeerState::pending) return row->owner->send(message);
  // dist.c: what is sent to a pending connection waits in its output queue, held against the same
  // limit.
  row->queued_bytes += encoded_size(message, announced_flags());
  row->queue.push_back(std::move(message));
  return row->queued_bytes >= config_.dist_buf_busy_limit ? SendResult::busy : SendResult::sent;
}

// handle_call({connect, Type, Node}).
void NetKernel::connect(const std::string& peer, std::function<void(bool)> done) {
  const auto reply = [this, &done](bool result) { post([done = std::move(done), result] { done(result); }); };
  if (peer == config_.name) return reply(true);
  if (!started_) return reply(false);
  Row* row = find(peer);
  if (row != nullptr && row->state == PeerState::up) return reply(true);
  if (row == nullptr) row = setup(peer);
  if (row == nullptr) return reply(false);
  row->waiting.push_back(std::move(done));
}

// do_disconnect/3: exit(Ctrlr, disconnect).
void NetKernel::disconnect(const std::string& peer) {
  const Row* row = find(peer);
  if (row == nullptr || row->state == PeerState::pending) return;
  post([this, id = row->owner->id()] {
    if (const auto found = connections_.find(id); found != connections_.end()) found->second->exit("disconnect");
  });
}

bool NetKernel::connected(const std::string& peer) const {
  const PeerState now = state(peer);
  return now == PeerState::up || now == PeerState::up_pending;
}

std::vector<std::string> NetKernel::visible_nodes() const {
  std::vector<std::string> nodes;
  for (const auto& [peer, row] : rows_) {
    if (row.state != PeerState::pending && row.visible) nodes.push_back(peer);
  }
  return nodes;
}

std::vector<std::string> NetKernel::hidden_nodes() const {
  std::vector<std::string> nodes;
  for (const auto& [peer, row] : rows_) {
    if (row.state != PeerState::pending && !row.visible) nodes.push_back(peer);
  }
  return nodes;
}

uint64_t NetKernel::flags(const std::string& peer) const {
  return connected(peer) ? find(peer)->owner->flags() : 0;
}

PeerState NetKernel::state(const std::string& peer) const {
  const Row* row = find(peer);
  return row == nullptr ? PeerState::none : row->state;
}

NetKernel::Row* NetKernel::find(const std::string& peer) {
  const auto found = rows_.find(peer);
  return found == rows_.end() ? nullptr : &found->second;
}

const NetKernel::Row* NetKernel::find(const std::string& peer) const {
  const auto found = rows_.find(peer);
  return found == rows_.end() ? nullptr : &found->second;
}

// --- making connections ---

// setup/5. Null: nothing can be set up.
NetKernel::Row* NetKernel::setup(const std::string& peer) {
  if (!allowed(peer)) {
    log(peer, "error",
        fmt::format("** Connection attempt with disallowed node {} ** ", etf::atom(peer).to_string(600)));
    return nullptr;
  }
  if (!dist::is_node_name(peer) || full()) return nullptr;
  host_.record({kinds::connect_started, peer, {}});
  barred_.erase(peer);
  const uint64_t id = next_connection_++;
  auto connection = std::make_unique<Connection>(*this, id, peer);
  Row& row = rows_[peer];
  row.owner = connection.get();
  row.dialled = host_.now();
  connections_.emplace(id, std::move(connection));
  row.owner->start();
  return &row;
}

void NetKernel::accept(std::unique_ptr<ByteStream> stream) {
  if (!started_ || full()) return stream->abort();
  const uint64_t id = next_connection_++;
  auto& connection = connections_[id] = std::make_unique<Connection>(*this, id, std::move(stream));
  connection->start();
}

uint32_t NetKernel::challenge() {
  return uint32_t(host_.random("net_kernel challenge").next());
}

dist::Flags NetKernel::announced_flags() const {
  return dist::default_flags(!config_.hidden) & ~config_.dropped_flags;
}

// dist_util:is_allowed/2: by whole name, host, or name before the '@'.
bool NetKernel::allowed(std::string_view peer) const {
  if (config_.allowed.empty()) return true;
  const size_t at = std::min(peer.find('@'), peer.size());
  const std::string_view host = at < peer.size() ? peer.substr(at + 1) : peer;
  return config_.allowed.count(peer) > 0 || config_.allowed.count(host) > 0 ||
         (at < peer.size() && config_.allowed.count(peer.substr(0, at + 1)) > 0);
}

// --- what connections ask ---

// handle_info({AcceptPid, {accept_pending, MyNode, NodeOrHost, Type}}).
dist::Pending NetKernel::accept_pending(Connection& asking, const std::string& peer, bool visible) {
  const auto [found, fresh] = rows_.try_emplace(peer);
  Row& row = found->second;
  if (fresh) {
    row.owner = &asking;
    row.visible = visible;
    return dist::Pending::ok;
  }
  switch (row.state) {
    case PeerState::pending:
      if (config_.name > peer) return dist::Pending::nok_pending;
      // A simultaneous connect: the peer's attempt takes the place of ours.
      row.owner->kill();
      row.owner = &asking;
      return dist::Pending::ok_pending;
    case PeerState::up:
      row.state = PeerState::up_pending;
      row.pending_owner = &asking;
      return dist::Pending::up_pending;
    default:
      return dist::Pending::already_pending;
  }
}

bool NetKernel::is_pending(const Connection& asking, const std::string& peer) const {
  const Row* row = find(peer);
  return row != nullptr && row->owner == &asking;
}

// handle_info({AcceptPid, {wait_pending, Node}}): exit(OldCtrlr, wait_pending).
void NetKernel::wait_pending(Connection& asking, const std::string& peer) {
  Row* row = find(peer);
  if (row != nullptr && row->state == PeerState::up_pending && row->pending_owner == &asking) {
    row->owner->exit("wait_pending");
  }
}

// handle_info({SetupPid, {nodeup, Node, Address, Type, NamedMe}}).
void NetKernel::node_up(Connection& connection) {
  Row* row = find(connection.peer());
  assert(row != nullptr && row->state == PeerState::pending && row->owner == &connection);
  row->state = PeerState::up;
  row->visible = connection.visible();
  row->dialled.reset();
  host_.record({kinds::node_up,
                connection.peer(),
                {{"direction", std::string(connection.incoming() ? "in" : "out")},
                 {"setup_ns", int64_t(connection.setup_time().count())}}});
  auto queue = std::exchange(row->queue, {});
  const bool was_busy = std::exchange(row->queued_bytes, 0) >= config_.dist_buf_busy_limit;
  auto result = process::SendResult::sent;
  // What was sent before the peer's flags were known may be more than it understands.
  for (auto& message : queue) {
    if (process::fit_to_peer(message, connection.flags())) result = connection.send(message);
  }
  if (was_busy && result == process::SendResult::sent) resumed(connection.peer());
}

void NetKernel::announce(Connection& connection) {
  const auto waiting = std::exchange(find(connection.peer())->waiting, {});
  // A copy of the name: the listener may end the connection.
  if (listener_ != nullptr) listener_->on_node_up(std::string(connection.peer()), connection.visible());
  answer(waiting, true);
}

void NetKernel::deliver(Connection& connection, dist::Message message) {
  if (listener_ != nullptr) listener_->on_message(connection.peer(), std::move(message));
}

void NetKernel::resumed(const std::string& peer) {
  post([this, peer] {
    if (listener_ != nullptr) listener_->on_resume(peer);
  });
}

void NetKernel::answer(const std::vector<std::function<void(bool)>>& waiting, bool connected) {
  for (const auto& done : waiting) done(connected);
}

void NetKernel::log(const std::string& peer, std::string_view level, std::string text) {
  host_.record({kinds::log, peer, {{"level", std::string(level)}, {"text", std::move(text)}}});
}

}  // namespace distlab::node
