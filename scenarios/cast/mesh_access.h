// A node's way through relays, whoever plays the node: its mesh client, and the carrier of its tunnels.
#pragma once

#include <memory>

#include "models/host/host.h"
#include "models/mesh/membership.h"
#include "models/tunnel/message_faults.h"
#include "models/tunnel/relay_carrier.h"
#include "scenarios/cast/script.h"
#include "scenarios/scenario.h"

namespace distlab::cast {

// macula:join_mesh/1
class MeshAccess {
 public:
  // The host's name is the node's key. All must outlive it.
  MeshAccess(Host& host, const Script& script, tunnel::MessageFaults& message_faults);
  MeshAccess(const MeshAccess&) = delete;
  MeshAccess& operator=(const MeshAccess&) = delete;

  // Once; the carrier must not outlive us.
  std::unique_ptr<tunnel::RelayCarrier> make_carrier(Host& on, tunnel::CookieLookup cookie_of);
  tunnel::RelayCarrier* carrier() { return carrier_; }  // null: not made yet
  mesh::Membership& membership() { return *membership_; }

  void kill_client();
  void start_client();
  void finish();  // the run ends: records what only counts

 private:
  const scenario::Node& node_;
  tunnel::MessageFaults& message_faults_;
  std::unique_ptr<mesh::Membership> membership_;
  tunnel::RelayCarrier* carrier_ = nullptr;
};

}  // namespace distlab::cast
