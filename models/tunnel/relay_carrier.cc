#include "models/tunnel/relay_carrier.h"

#include <algorithm>
#include <utility>

#include "models/host/event_kinds.h"
#include "models/tunnel/request.h"

namespace distlab::tunnel {
namespace {

using carrier::DialError;

NetError net_error(const std::string& code) {
  if (code == "timeout") return NetError::timed_out;
  if (code == "unknown_procedure") return NetError::not_found;
  if (code == "limit") return NetError::limit;
  return NetError::unreachable;
}

}  // namespace

// ---- dialling ------------------------------------------------------------------------------------

class RelayCarrier::RelayDial final : public carrier::Dial {
 public:
  RelayDial(RelayCarrier& carrier, std::string peer, Dialled done)
      : carrier_(carrier),
        peer_(std::move(peer)),
        done_(std::move(done)),
        started_(carrier.host_.now()),
        fail_(carrier.host_) {
    mesh::Client* const client = carrier_.slot_.current();
    if (client == nullptr) {
      fail(NetError::unreachable, "client", "no client");
    } else if (carrier_.full()) {
      fail(NetError::limit, "limit", "too many tunnels");
    } else {
      request(*client);
    }
  }

 private:
  void request(mesh::Client& client) {
    client.call(procedure_of(peer_), to_json(TunnelRequest{carrier_.self_, peer_}),
                carrier_.settings_.tunnel.dist_timeout,
                [this, alive = std::weak_ptr(alive_)](const mesh::CallResult& result) {
                  if (!alive.expired()) answered(result);
                });
  }

  void answered(const mesh::CallResult& result) {
    if (!result) return failed({net_error(result.error().code), "request"}, result.error().code);
    const auto route = parse_reply(*result, peer_);
    if (!route) return failed({NetError::reset, "reply"}, "reply not understood");
    if (carrier_.bridges_.contains(route->id + "/out")) return failed({NetError::reset, "reply"}, "id in use");
    carrier_.host_.record({kinds::tunnel_opened,
                           peer_,
                           {{"id", route->id},
                            {"direction", "out"},
                            {"elapsed_ns", int64_t{(carrier_.host_.now() - started_).count()}}}});
    // Anything may happen in done(), the end of this dial among it.
    const Dialled done = std::move(done_);
    done(carrier_.bridge(*route, carrier_.key_for(peer_), {}));
  }

  void fail(NetError error, const char* step, const char* reason) {
    fail_.start(Duration::zero(), [=, this] { failed({error, step}, reason); });
  }

  void failed(DialError error, const std::string& reason) {
    carrier_.host_.record({kinds::tunnel_failed,
                           peer_,
                           {{"reason", reason}, {"elapsed_ns", int64_t{(carrier_.host_.now() - started_).count()}}}});
    const Dialled done = std::move(done_);
    done(tl::unexpected(std::move(error)));
  }

  RelayCarrier& carrier_;
  const std::string peer_;
  Dialled done_;
  const Time started_;
  Timer fail_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

// ---- accepting -----------------------------------------------------------------------------------

// From the answer to a request until the bridge runs (R:239-270).
class RelayCarrier::Acceptance {
 public:
  Acceptance(RelayCarrier& carrier, Route route, const Key& key)
      : carrier_(carrier), route_(std::move(route)), key_(key), step_(carrier.host_) {
    client_ = carrier_.slot_.current();
    if (client_ != nullptr) buffer_ = client_->subscribe(route_.recv_topic, [this](Bytes message) { keep(message); });
    step_.start(Duration::zero(), [this] { controller_ready(); });
  }
  ~Acceptance() { unsubscribe(); }
  Acceptance(const Acceptance&) = delete;
  Acceptance& operator=(const Acceptance&) = delete;

 private:
  static constexpr size_t max_early = 1'024;  // messages; a handshake needs a few

  void keep(Bytes message) {
    if (early_.size() < max_early) early_.emplace_back(message.begin(), message.end());
  }

  void unsubscribe() {
    if (client_ != nullptr && client_ == carrier_.slot_.current()) client_->unsubscribe(buffer_);
    client_ = nullptr;
  }

  void controller_ready() {
    const TunnelSettings& settings = carrier_.settings_.tunnel;
    if (!settings.resubscribe_on_accept) return finish();
    unsubscribe();
    step_.start(settings.resubscribe_gap, [this] { finish(); });
  }

  // Hands the tunnel to the node, which may do anything, and is gone.
  void finish() {
    RelayCarrier& carrier = carrier_;
    const Accepted accepted = carrier.accepted_;
    // The bridge subscribes before the buffer does no longer: in between nothing is missed.
    auto stream = carrier.bridge(route_, key_, early_);
    std::erase_if(carrier.acceptances_, [this](const auto& one) { return one.get() == this; });
    if (accepted) accepted(std::move(stream));
  }

  RelayCarrier& carrier_;
  const Route route_;
  const Key key_;
  mesh::Client* client_ = nullptr;
  mesh::SubscriptionId buffer_ = mesh::SubscriptionId::none;
  std::vector<std::vector<uint8_t>> early_;
  Timer step_;
};

mesh::CallResult RelayCarrier::requested(const mesh::Json& args) {
  const auto refuse = [](const char* code, const char* message) -> mesh::CallResult {
    return tl::unexpected(mesh::CallError{code, message});
  };
  const auto request = parse_request(args);
  if (!request) return refuse("bad_request", "from_node and target_node are needed");
  if (request->target_node != self_) return refuse("not_here", "another node is meant");
  if (full()) return refuse("limit", "too many tunnels");
  std::array<uint8_t, 16> random{};
  host_.fill_secret(random);
  const Route route = accepted_route(random, request->from_node);
  host_.record({kinds::tunnel_opened, route.peer, {{"id", route.id}, {"direction", "in"}, {"elapsed_ns", int64_t{0}}}});
  acceptances_.push_back(std::make_unique<Acceptance>(*this, route, key_for(route.peer)));
  return to_reply(route);
}

// ---- the carrier ---------------------------------------------------------------------------------

RelayCarrier::RelayCarrier(Host& host, mesh::ClientSlot& slot, CarrierSettings settings)
    : host_(host), slot_(slot), settings_(std::move(settings)), listening_(host) {}

RelayCarrier::~RelayCarrier() {
  if (watcher_ != 0) slot_.unwatch(watcher_);
  if (mesh::Client* const client = slot_.current(); client != nullptr && !self_.empty())
    client->unadvertise(procedure_of(self_));
}

void RelayCarrier::listen(const std::string& node_name, Accepted accepted, Listening done) {
  self_ = node_name;
  accepted_ = std::move(accepted);
  watcher_ = slot_.watch([this](mesh::Client* client) { advertise(client); });
  advertise(slot_.current());
  listening_.start(Duration::zero(), [this, done = std::move(done)] { done(settings_.tunnel.creation); });
}

// register_mesh_client/1 does this for every client (R:84-95).
void RelayCarrier::advertise(mesh::Client* client) {
  if (client == nullptr) return;
  client->advertise(procedure_of(self_),
                    [this, alive = std::weak_ptr(alive_)](const mesh::Json& args, const mesh::Client::Reply& reply) {
                      if (!alive.expired()) reply(requested(args));
                    });
}

std::unique_ptr<carrier::Dial> RelayCarrier::dial(const std::string& node_name, std::function<void()> /*progress*/,
                                                  Dialled done) {
  return std::make_unique<RelayDial>(*this, node_name, std::move(done));
}

std::unique_ptr<ByteStream> RelayCarrier::bridge(Route route, const Key& key,
                                                 const std::vector<std::vector<uint8_t>>& early) {
  auto loopback = std::make_unique<Loopback>(host_, settings_.tunnel.loopback_buffer);
  auto stream = loopback->take_stream();
  const bool outgoing = route.send_topic.ends_with(".out");
  const std::string name = route.id + (outgoing ? "/out" : "/in");
  auto made = std::make_unique<Bridge>(host_, settings_.tunnel, slot_, faults_, std::move(route), key,
                                       std::move(loopback), [this, name] { bridges_.erase(name); });
  Bridge& bridge = *bridges_.insert_or_assign(name, std::move(made)).first->second;
  for (const auto& message : early) bridge.flush(message);
  return stream;
}

Key RelayCarrier::key_for(const std::string& peer) const {
  return key_from_cookie(settings_.cookie(peer));
}

std::map<std::string, Metrics> RelayCarrier::tunnel_metrics() const {
  std::map<std::string, Metrics> out;
  for (const auto& [name, bridge] : bridges_) out.emplace(bridge->route().id, bridge->metrics());
  return out;
}

void RelayCarrier::record_metrics() {
  for (const auto& [name, bridge] : bridges_)
    if (bridge->state() != Bridge::State::stopped) bridge->record_metrics();
}

}  // namespace distlab::tunnel
