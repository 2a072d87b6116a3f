#include "scenarios/cast/node_actor.h"

#include <string_view>
#include <utility>

#include "scenarios/cast/complain.h"
#include "scenarios/cast/node_settings.h"
#include "scenarios/cast/protocol_settings.h"

namespace distlab::cast {

NodeActor::NodeActor(Host& host, const Script& script, std::vector<scenario::Action> actions,
                     tunnel::MessageFaults& message_faults)
    : host_(host),
      script_(script),
      node_settings_(script.scenario.nodes.at(host.name())),
      actions_(std::move(actions)),
      message_faults_(message_faults) {
  if (node_settings_.carrier == scenario::CarrierKind::relay) join_mesh();
  node_ = std::make_unique<node::Node>(host_, config(), [this](tl::expected<void, NetError> up) {
    if (up) {
      run_workload();
    } else {
      complain(host_, "node cannot start: " + std::string(to_string(up.error())));
    }
  });
}

NodeActor::~NodeActor() = default;

// macula:join_mesh/1
void NodeActor::join_mesh() {
  mesh::MembershipSettings settings = membership_settings(script_.scenario, node_settings_);
  settings.client.credentials = script_.certificates.trusted();
  if (script_.qlog)
    settings.client.qlog = [this](const mesh::RelayAddress& relay) { return script_.qlog(host_.name(), relay.name); };
  membership_ = std::make_unique<mesh::Membership>(host_, std::move(settings));
}

node::NodeConfig NodeActor::config() {
  node::NodeConfig config = node_config(script_.scenario, node_settings_);
  if (membership_) {
    config.carrier = [this](Host& on) -> std::unique_ptr<carrier::Carrier> {
      const auto cookie_of = [this](std::string_view peer) { return node_->net_kernel().cookies().of(peer); };
      auto made = std::make_unique<tunnel::RelayCarrier>(on, tunnel_settings(node_settings_.membership),
                                                         membership_->slot(), cookie_of, &message_faults_);
      carrier_ = made.get();
      return made;
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
  if (membership_) membership_->kill_client("killed");
}

void NodeActor::start_client() {
  if (membership_) membership_->register_client();
}

void NodeActor::finish() {
  if (carrier_ != nullptr) carrier_->record_metrics();
}

}  // namespace distlab::cast
