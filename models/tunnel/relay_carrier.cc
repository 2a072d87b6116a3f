#include "models/tunnel/relay_carrier.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "models/host/event_kinds.h"
#include "models/mesh/cbor.h"
#include "models/tunnel/request.h"

namespace distlab::tunnel {
namespace {

constexpr std::string_view unknown_peer = "?";

NetError net_error(std::string_view code) {
  if (code == "timeout") return NetError::timed_out;
  if (code == "unknown_procedure") return NetError::not_found;
  return NetError::unreachable;
}

void record_opened(Host& host, const BridgeConfig& config, Time since) {
  host.record({kinds::tunnel_opened,
               config.peer,
               {{"id", config.id},
                {"direction", std::string(to_string(config.direction))},
                {"elapsed_ns", int64_t((host.now() - since).count())}}});
}

void record_failed(Host& host, const std::string& peer, std::string reason, Time since) {
  host.record({kinds::tunnel_failed,
               peer,
               {{"reason", std::move(reason)}, {"elapsed_ns", int64_t((host.now() - since).count())}}});
}

}  // namespace

// macula_dist_relay:connect/3.
class RelayCarrier::RelayDial final : public carrier::Dial {
 public:
  RelayDial(RelayCarrier& carrier, std::string peer, Dialled done)
      : carrier_(carrier),
        peer_(std::move(peer)),
        started_at_(carrier.host_.now()),
        done_(std::move(done)),
        later_(carrier.host_) {}

  void start() {
    mesh::Client* client = carrier_.slot_.current();
    if (client == nullptr) return fail_later(NetError::unreachable, "client");
    if (carrier_.full()) return fail_later(NetError::limit, "limit");
    client->call(procedure_of(peer_), request_body(carrier_.node_name_, peer_), carrier_.settings_.dist_timeout,
                 [this, alive = std::weak_ptr<int>(alive_)](const mesh::CallResult& result) {
                   if (!alive.expired()) answered(result);
                 });
  }

 private:
  void answered(const mesh::CallResult& result) {
    if (!result) return fail(net_error(result.error().code), "request: " + mesh::shortened(result.error().code));
    auto id = parse_answer(*result);
    if (!id) return fail(NetError::refused, "request: " + id.error());
    if (carrier_.slot_.current() == nullptr) return fail(NetError::unreachable, "client");
    if (carrier_.full()) return fail(NetError::limit, "limit");
    auto stream = carrier_.open(peer_, started_at_, std::move(*id));
    const auto done = std::move(done_);
    done(std::move(stream));
  }

  // The outcome never comes from inside dial().
  void fail_later(NetError error, const char* step) {
    later_.start(Duration::zero(), [this, error, step] { fail(error, step); });
  }
  void fail(NetError error, std::string step) {
    record_failed(carrier_.host_, peer_, step, started_at_);
    const auto done = std::move(done_);
    done(tl::unexpected(carrier::DialError{error, std::move(step)}));
  }

  RelayCarrier& carrier_;
  const std::string peer_;
  const Time started_at_;
  Dialled done_;
  Timer later_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

RelayCarrier::RelayCarrier(Host& host, TunnelSettings settings, mesh::ClientSlot& slot, CookieLookup cookie_of,
                           MessageFaults* faults)
    : host_(host),
      settings_(settings),
      slot_(slot),
      cookie_of_(std::move(cookie_of)),
      faults_(faults),
      listening_(host),
      burial_(host) {}

RelayCarrier::~RelayCarrier() {
  if (watcher_) slot_.unwatch(*watcher_);
  if (advertised_with_ != nullptr) advertised_with_->unadvertise(procedure_of(node_name_));
}

// macula_dist:do_listen/2, and advertise_dist_accept/0 for the client that join_mesh/1 has registered.
void RelayCarrier::listen(const std::string& node_name, Accepted accepted, Listening done) {
  assert(!watcher_);
  node_name_ = node_name;
  accepted_ = std::move(accepted);
  watcher_ = slot_.watch([this](mesh::Client* client) {
    if (client == advertised_with_) return;
    advertised_with_ = nullptr;  // it is dead
    if (client != nullptr && settings_.advertise_again) advertise(client);
  });
  if (slot_.current() != nullptr) advertise(slot_.current());
  listening_.start(Duration::zero(), [this, done = std::move(done)] { done(uint32_t(settings_.creation)); });
}

void RelayCarrier::advertise(mesh::Client* client) {
  advertised_with_ = client;
  client->advertise(procedure_of(node_name_), [this, alive = std::weak_ptr<int>(alive_)](
                                                  const mesh::Json& args, const mesh::Client::Reply& reply) {
    if (!alive.expired()) requested(args, reply);
  });
}

std::unique_ptr<carrier::Dial> RelayCarrier::dial(const std::string& node_name, std::function<void()>, Dialled done) {
  auto dial = std::make_unique<RelayDial>(*this, node_name, std::move(done));
  dial->start();
  return dial;
}

// macula_dist_relay:create_dist_socket/2.
std::unique_ptr<ByteStream> RelayCarrier::open(const std::string& peer, Time since, std::string id) {
  LoopbackPair pair(host_, loopback_settings(settings_));
  pair.dist->set_reading(false);
  socket_ready(start_bridge(bridge_config(std::move(id), peer, Direction::out), std::move(pair.bridge), since));
  return std::move(pair.dist);
}

BridgeConfig RelayCarrier::bridge_config(std::string id, std::string peer, Direction direction) {
  BridgeConfig config;
  config.id = std::move(id);
  config.key = tunnel_key(cookie_of_(settings_.own_cookie_only ? node_name_ : peer));
  config.peer = std::move(peer);
  config.direction = direction;
  config.faults = faults_;
  return config;
}

// macula_dist_relay:handle_tunnel_request/1.
void RelayCarrier::requested(const mesh::Json& args, const mesh::Client::Reply& reply) {
  const auto from = parse_request(args);
  const std::string peer = from && !from->empty() ? *from : std::string(unknown_peer);
  if (!from) return refuse(peer, "bad_request", reply);
  if (slot_.current() == nullptr) return refuse(peer, "no_mesh_client", reply);
  if (full()) return refuse(peer, "limit", reply);
  refusing_ = false;
  std::array<uint8_t, 16> random;
  host_.random("tunnel.id").fill(random);  // topics are sorted by it: no secret
  std::string id = make_tunnel_id(random);
  auto config = bridge_config(id, peer, Direction::in);
  const uint64_t number = ++last_;
  AcceptSetup::Owner& owner = *this;
  auto& setup = setups_[number] =
      std::make_unique<AcceptSetup>(host_, settings_, slot_, std::move(config), owner, number);
  if (settings_.reply_before_subscribe) reply(answer_body(id));
  setup->begin();
  if (!settings_.reply_before_subscribe) reply(answer_body(id));
}

// A flood is one event, until a request is granted again.
void RelayCarrier::refuse(const std::string& peer, std::string code, const mesh::Client::Reply& reply) {
  if (!std::exchange(refusing_, true)) record_failed(host_, peer, code, host_.now());
  reply(tl::unexpected(mesh::CallError{std::move(code), "tunnel request refused"}));
}

// Unless a bridge comes last, each set-up has one already.
bool RelayCarrier::full() const {
  const size_t tunnels =
      settings_.resubscribe_on_accept ? bridges_.size() + setups_.size() : std::max(bridges_.size(), setups_.size());
  return tunnels >= settings_.max_tunnels;
}

uint64_t RelayCarrier::start_bridge(BridgeConfig config, std::unique_ptr<LoopbackEnd> socket, Time since) {
  record_opened(host_, config, since);
  const uint64_t number = ++last_;
  bridges_[number] = std::make_unique<Bridge>(host_, settings_, slot_, std::move(config), std::move(socket),
                                              [this, number] { bridges_.erase(number); });
  return number;
}

void RelayCarrier::socket_ready(uint64_t bridge) {
  if (const auto found = bridges_.find(bridge); found != bridges_.end()) found->second->socket_ready();
}

void RelayCarrier::accept(std::unique_ptr<ByteStream> dist) {
  accepted_(std::move(dist));
}

void RelayCarrier::setup_over(uint64_t number, std::string_view failure) {
  auto setup = setups_.extract(number);
  assert(!setup.empty());
  if (!failure.empty()) {
    record_failed(host_, setup.mapped()->peer(), std::string(failure), setup.mapped()->started_at());
  }
  dead_setups_.push_back(std::move(setup.mapped()));  // one of its callbacks is running
  if (!burial_.running()) burial_.start(Duration::zero(), [this] { dead_setups_.clear(); });
}

namespace {

TunnelSnapshot snapshot(const Bridge& bridge) {
  return {bridge.id(), bridge.peer(), bridge.direction(), bridge.state(), bridge.metrics()};
}

}  // namespace

std::vector<TunnelSnapshot> RelayCarrier::tunnel_metrics() const {
  std::vector<TunnelSnapshot> all;
  all.reserve(bridges_.size());
  for (const auto& [number, bridge] : bridges_) all.push_back(snapshot(*bridge));
  return all;
}

void RelayCarrier::record_metrics() const {
  for (const auto& [number, bridge] : bridges_)
    if (bridge->state() != BridgeState::stopped) bridge->record_metrics();
}

std::optional<TunnelSnapshot> RelayCarrier::tunnel_metrics(std::string_view id) const {
  for (const auto& [number, bridge] : bridges_) {
    if (bridge->id() == id) return snapshot(*bridge);
  }
  return std::nullopt;
}

}  // namespace distlab::tunnel
