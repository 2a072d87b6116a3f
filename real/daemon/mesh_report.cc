#include "real/daemon/mesh_report.h"

#include "models/host/event_kinds.h"

namespace distlab::daemon {
namespace {

using Json = nlohmann::json;

double number(auto value) {
  return static_cast<double>(value);
}

}  // namespace

Json mesh_json(const mesh::Membership& membership) {
  const mesh::ClientStats stats = membership.total();
  return {{"published", stats.published},  {"delivered", stats.delivered}, {"connects", stats.connects},
          {"failures", stats.failures},    {"errors", stats.errors},       {"lost_frames", stats.lost_frames},
          {"lost_bytes", stats.lost_bytes}};
}

Json tunnels_json(const std::vector<tunnel::TunnelSnapshot>& tunnels) {
  Json out = Json::array();
  for (const tunnel::TunnelSnapshot& one : tunnels) {
    out.push_back({{"id", one.id},
                   {"peer", one.peer},
                   {"direction", one.direction == tunnel::Direction::out ? "out" : "in"},
                   {"state", to_string(one.state)},
                   {"bytes_in", one.metrics.bytes_in},
                   {"bytes_out", one.metrics.bytes_out},
                   {"messages_in", one.metrics.msgs_in},
                   {"messages_out", one.metrics.msgs_out},
                   {"lost_bytes", one.metrics.lost},
                   {"decrypt_failures", one.metrics.decrypt_failures}});
  }
  return out;
}

void add_mesh_metrics(MetricsText& out, mesh::Membership& membership, const std::string& relay) {
  const mesh::ClientStats stats = membership.total();
  out.gauge("distlab_mesh_connected", "Whether there is a session with a relay, as far as the client knows.",
            relay.empty() ? 0 : 1);
  out.counter("distlab_mesh_connects_total", "Sessions with relays.", number(stats.connects));
  out.counter("distlab_mesh_failures_total", "Attempts that came to none.", number(stats.failures));
  out.counter("distlab_mesh_errors_total", "Complaints of relays.", number(stats.errors));
  out.counter("distlab_mesh_published_total", "Messages given to the mesh client.", number(stats.published));
  out.counter("distlab_mesh_delivered_total", "Messages that came from the mesh.", number(stats.delivered));
  out.counter("distlab_mesh_dropped_total", "Messages that were not sent, by reason.");
  out.sample(number(stats.dropped_disconnected), {{"reason", "disconnected"}});
  out.sample(number(stats.dropped_oversize), {{"reason", "oversize"}});
  out.counter("distlab_mesh_lost_frames_total", "Frames written into a session that was dead.",
              number(stats.lost_frames));
  out.counter("distlab_mesh_lost_bytes_total", "Their bytes.", number(stats.lost_bytes));
  const mesh::RelayClient* const client = membership.client();
  out.gauge("distlab_mesh_mailbox", "Messages that wait in the mesh client.",
            client != nullptr ? number(client->mailbox()) : 0);
}

void add_tunnel_metrics(MetricsText& out, const tunnel::RelayCarrier& carrier, const EventLog& events) {
  tunnel::TunnelMetrics sum;
  for (const tunnel::TunnelSnapshot& one : carrier.tunnel_metrics()) {
    sum.bytes_in += one.metrics.bytes_in;
    sum.bytes_out += one.metrics.bytes_out;
    sum.msgs_in += one.metrics.msgs_in;
    sum.msgs_out += one.metrics.msgs_out;
  }
  out.gauge("distlab_tunnels", "Tunnels that live.", number(carrier.tunnels()));
  out.gauge("distlab_tunnels_being_accepted", "Tunnels that are being set up by a peer.",
            number(carrier.being_accepted()));
  out.counter("distlab_tunnels_opened_total", "Tunnels opened, either way.",
              number(events.count(kinds::tunnel_opened)));
  out.counter("distlab_tunnels_failed_total", "Tunnels that were not opened.",
              number(events.count(kinds::tunnel_failed)));
  out.gauge("distlab_tunnel_live_bytes", "Plaintext carried by the tunnels that live.");
  out.sample(number(sum.bytes_in), {{"way", "in"}});
  out.sample(number(sum.bytes_out), {{"way", "out"}});
  out.gauge("distlab_tunnel_live_messages", "Messages of the tunnels that live.");
  out.sample(number(sum.msgs_in), {{"way", "in"}});
  out.sample(number(sum.msgs_out), {{"way", "out"}});
}

}  // namespace distlab::daemon
