#include "scenarios/cast/agent_actor.h"

#include <utility>

#include <fmt/format.h>

namespace distlab::cast {
namespace {

node::Cookies cookies_of(const scenario::Scenario& scenario, const scenario::Node& node) {
  node::Cookies out(node.cookie);
  for (const auto& [peer, cookie] : node.cookies) out.set(scenario.nodes.at(peer).name, cookie);
  return out;
}

}  // namespace

AgentActor::AgentActor(Host& host, const Script& script, tunnel::MessageFaults& message_faults)
    : host_(host),
      script_(script),
      node_(script.scenario.nodes.at(host.name())),
      message_faults_(message_faults),
      cookies_(cookies_of(script.scenario, node_)) {
  if (node_.implementation == scenario::Implementation::macula) {
    macula_front_ = std::make_unique<gateway::MaculaFront>(host_, static_cast<gateway::MaculaMesh&>(*this));
    return;
  }
  gateway::EpmdFrontSettings settings{.node = node_.name, .peers = {}, .epmd_port = 0};
  for (const auto& [key, peer] : script_.scenario.nodes) settings.peers.push_back(peer.name);
  epmd_front_ = std::make_unique<gateway::EpmdFront>(host_, std::move(settings));
}

void AgentActor::boot() {
  if (!epmd_front_) return;
  enter();
  epmd_front_->serve(*carrier_);
}

AgentActor::~AgentActor() = default;

bool AgentActor::listening() const {
  return epmd_front_ ? epmd_front_->listening() : macula_front_->listening();
}

void AgentActor::enter() {
  mesh_ = std::make_unique<MeshAccess>(host_, script_, message_faults_);
  carrier_ = mesh_->make_carrier(host_, [this](std::string_view peer) { return cookies_.of(peer); });
}

void AgentActor::set_cookie(const std::string& peer, const std::string& cookie) {
  cookies_.learn(peer == node_.name ? "" : peer, cookie);
}

// What the scenario says of relays and realm holds, whatever the BEAM asks for.
tl::expected<carrier::Carrier*, std::string> AgentActor::join(const gateway::JoinRequest& request) {
  if (request.node != node_.name)
    return tl::unexpected(fmt::format("this agent is for {}, not for {}", node_.name, request.node));
  if (!request.cookie.empty()) cookies_.set_own(request.cookie);
  enter();
  return carrier_.get();
}

void AgentActor::leave() {
  carrier_.reset();
  mesh_.reset();
}

std::vector<gateway::TunnelLine> AgentActor::tunnels() {
  return carrier_ ? tunnel_lines(carrier_->tunnel_metrics()) : std::vector<gateway::TunnelLine>{};
}

std::string AgentActor::relay() {
  if (!mesh_ || mesh_->membership().client() == nullptr) return "";
  return mesh_->membership().client()->connected() ? mesh_->membership().client()->relay_name() : "";
}

void AgentActor::kill_client() {
  if (mesh_) mesh_->kill_client();
}

void AgentActor::start_client() {
  if (mesh_) mesh_->start_client();
}

void AgentActor::finish() {
  if (mesh_) mesh_->finish();
}

std::vector<gateway::TunnelLine> tunnel_lines(const std::vector<tunnel::TunnelSnapshot>& tunnels) {
  std::vector<gateway::TunnelLine> out;
  for (const tunnel::TunnelSnapshot& one : tunnels) {
    out.push_back({.id = one.id,
                   .peer = one.peer,
                   .state = std::string(to_string(one.state)),
                   .direction = one.direction == tunnel::Direction::out ? "out" : "in",
                   .bytes_in = one.metrics.bytes_in,
                   .bytes_out = one.metrics.bytes_out,
                   .msgs_in = one.metrics.msgs_in,
                   .msgs_out = one.metrics.msgs_out});
  }
  return out;
}

}  // namespace distlab::cast
