// `distlab agent`: a node on real sockets, over a mesh of relays or over TCP and EPMD.
//
// The node is distlab's own (`--node native`); beam_agent.h is for real Erlang nodes.
#pragma once

#include <memory>
#include <string>

#include "models/epmd/server.h"
#include "models/mesh/membership.h"
#include "models/node/node.h"
#include "models/tunnel/relay_carrier.h"
#include "real/daemon/daemon.h"

namespace distlab::daemon {

class AgentDaemon final : public Daemon {
 public:
  explicit AgentDaemon(AgentConfig config);
  ~AgentDaemon() override;

  static tl::expected<std::shared_ptr<const quic::ClientCredentials>, Refusal> check(const AgentConfig& config);

 private:
  tl::expected<void, Refusal> start() override;
  void stop(std::function<void()> done) override;
  void reload() override;
  void on_event(Time now, const Event& event) override;
  Json status() const override;
  void add_metrics(MetricsText& metrics) const override;
  bool serve(const ControlRequest& request, const ControlServer::Reply& reply) override;

  bool over_relays() const { return config_.node().carrier == scenario::CarrierKind::relay; }
  void join_mesh(std::shared_ptr<const quic::ClientCredentials> trusted);
  void serve_epmd();
  node::NodeConfig node_settings();
  void node_started(const tl::expected<void, NetError>& up);
  void wait_for_goodbyes(Time until, std::function<void()> done);
  bool serve_peer(const ControlRequest& request, const ControlServer::Reply& reply);
  Json tunnels() const;

  const AgentConfig config_;
  std::string relay_;  // that we have a session with; empty: none
  bool reachable_ = false;
  // In the order of their lives: the node's carrier uses the client.
  std::unique_ptr<epmd::Server> epmd_;
  std::unique_ptr<mesh::Membership> membership_;
  std::unique_ptr<node::Node> node_;
  tunnel::RelayCarrier* carrier_ = nullptr;  // of the node, if it goes over relays
  Timer goodbye_;
};

}  // namespace distlab::daemon
