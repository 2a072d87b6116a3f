#include "scenarios/cast/mesh_access.h"

#include <utility>

#include "scenarios/cast/protocol_settings.h"

namespace distlab::cast {

MeshAccess::MeshAccess(Host& host, const Script& script, tunnel::MessageFaults& message_faults)
    : node_(script.scenario.nodes.at(host.name())), message_faults_(message_faults) {
  mesh::MembershipSettings settings = membership_settings(script.scenario, node_);
  settings.client.credentials = script.certificates.trusted();
  if (script.qlog)
    settings.client.qlog = [&script, name = host.name()](const mesh::RelayAddress& relay) {
      return script.qlog(name, relay.name);
    };
  membership_ = std::make_unique<mesh::Membership>(host, std::move(settings));
}

std::unique_ptr<tunnel::RelayCarrier> MeshAccess::make_carrier(Host& on, tunnel::CookieLookup cookie_of) {
  auto made = std::make_unique<tunnel::RelayCarrier>(on, tunnel_settings(node_.membership), membership_->slot(),
                                                     std::move(cookie_of), &message_faults_);
  carrier_ = made.get();
  return made;
}

void MeshAccess::kill_client() {
  membership_->kill_client("killed");
}

void MeshAccess::start_client() {
  membership_->register_client();
}

void MeshAccess::finish() {
  if (carrier_ != nullptr) carrier_->record_metrics();
}

}  // namespace distlab::cast
