#include "scenarios/cast/node_actor.h"

#include <string_view>
#include <utility>

#include "scenarios/cast/complain.h"
#include "scenarios/cast/node_settings.h"

namespace distlab::cast {

NodeActor::NodeActor(Host& host, const Script& script, std::vector<scenario::Action> actions,
                     tunnel::MessageFaults& message_faults)
    : host_(host),
      script_(script),
      node_settings_(script.scenario.nodes.at(host.name())),
      actions_(std::move(actions)) {
  if (node_settings_.carrier == scenario::CarrierKind::relay)
    mesh_ = std::make_unique<MeshAccess>(host_, script_, message_faults);
  node_ = std::make_unique<node::Node>(host_, config(), [this](tl::expected<void, NetError> up) {
    if (up) {
      run_workload();
    } else {
      complain(host_, "node cannot start: " + std::string(to_string(up.error())));
    }
  });
}

NodeActor::~NodeActor() = default;

node::NodeConfig NodeActor::config() {
  node::NodeConfig config = node_config(script_.scenario, node_settings_);
  if (mesh_) {
    config.carrier = [this](Host& on) -> std::unique_ptr<carrier::Carrier> {
      return mesh_->make_carrier(on, [this](std::string_view peer) { return node_->net_kernel().cookies().of(peer); });
    };
  }
  return config;
}

void NodeActor::run_workload() {
  workload::Options options;
  options.set_cookie = [this](const std::string& peer, const std::string& cookie) { node_->set_cookie(peer, cookie); };
  driver_ = std::make_unique<workload::Driver>(node_->runtime(), node_->services(), std::move(options));
  for (const scenario::Action& planned : actions_) {
    if (auto action = driver_action(script_.scenario, planned, host_.now() - run_start)) {
      driver_->add(std::move(*action));
    }
  }
}

void NodeActor::kill_client() {
  if (mesh_) mesh_->kill_client();
}

void NodeActor::start_client() {
  if (mesh_) mesh_->start_client();
}

void NodeActor::finish() {
  if (mesh_) mesh_->finish();
}

}  // namespace distlab::cast
