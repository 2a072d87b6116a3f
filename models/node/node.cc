#include "models/node/node.h"

#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "models/etf/term.h"
#include "models/host/event_kinds.h"
#include "models/process/call.h"

namespace distlab::node {
namespace {

std::unique_ptr<carrier::Carrier> make_carrier(Host& host, const NodeConfig& config) {
  return config.carrier ? config.carrier(host) : std::make_unique<carrier::TcpCarrier>(host, config.tcp);
}

}  // namespace

Node::Node(Host& host, NodeConfig config, Started started)
    : host_(host),
      config_(std::move(config)),
      started_(std::move(started)),
      carrier_(make_carrier(host, config_)),
      net_kernel_(host, *carrier_, config_.net_kernel),
      start_(host) {
  start_.start(Duration::zero(), [this] { net_kernel_.start([this](auto outcome) { listening(outcome); }); });
}

Node::~Node() = default;

void Node::listening(tl::expected<void, NetError> outcome) {
  if (outcome) {
    runtime_ = std::make_unique<process::Runtime>(host_, net_kernel_, config_.limits);
    net_kernel_.set_listener(runtime_.get());
    services_ = std::make_unique<process::Services>(*runtime_, config_.services);
  } else {
    // net_kernel:start_protos_listen/6.
    host_.record({kinds::log,
                  name(),
                  {{"level", std::string("error")},
                   {"text", outcome.error() == NetError::address_in_use
                                ? fmt::format("the name {} seems to be in use by another Erlang node", name())
                                : fmt::format("register/listen error: {}", to_string(outcome.error()))}}});
  }
  if (const auto started = std::exchange(started_, {})) started(outcome);
}

process::Runtime& Node::runtime() {
  assert(running());
  return *runtime_;
}

process::Services& Node::services() {
  assert(running());
  return *services_;
}

void Node::connect(const std::string& peer, std::function<void(bool)> done) {
  net_kernel_.connect(
      peer, done ? std::move(done) : [](bool) {});
}

// net_adm:ping/1: whatever comes but `yes` is a pang, after which the node is disconnected.
void Node::ping(const std::string& peer, Pinged done) {
  if (!running()) {
    net_kernel_.connect(peer, [done = std::move(done)](bool) { done(Ping::pang, Duration::zero()); });
    return;
  }
  runtime_->spawn<process::CallClient>(process::RemoteName{"net_kernel", peer},
                                       etf::tuple(etf::atom("is_auth"), etf::atom(name())), std::nullopt,
                                       [this, peer, done = std::move(done)](const process::CallOutcome& outcome) {
                                         const bool pong = outcome.result == "ok" && outcome.value.is_atom("yes");
                                         if (!pong) net_kernel_.disconnect(peer);
                                         done(pong ? Ping::pong : Ping::pang, outcome.elapsed);
                                       });
}

void Node::set_cookie(const std::string& peer, std::string cookie) {
  if (peer.empty() || peer == name()) return net_kernel_.cookies().set_own(std::move(cookie));
  net_kernel_.cookies().set(peer, std::move(cookie));
}

}  // namespace distlab::node
