// What an agent tells of its mesh client and its tunnels: for `status`, for `tunnels`, for Prometheus.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "models/mesh/membership.h"
#include "models/tunnel/relay_carrier.h"
#include "real/daemon/event_log.h"
#include "real/daemon/metrics.h"

namespace distlab::daemon {

nlohmann::json mesh_json(const mesh::Membership& membership);
nlohmann::json tunnels_json(const std::vector<tunnel::TunnelSnapshot>& tunnels);
// `relay`: that there is a session with; empty: none.
void add_mesh_metrics(MetricsText& out, mesh::Membership& membership, const std::string& relay);
void add_tunnel_metrics(MetricsText& out, const tunnel::RelayCarrier& carrier, const EventLog& events);

}  // namespace distlab::daemon
