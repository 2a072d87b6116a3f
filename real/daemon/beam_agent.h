// `distlab agent --node beam | macula`: the agent of a real Erlang node. It has the mesh client and the tunnels; the
// BEAM has the distribution, and reaches it over loopback (models/gateway).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/gateway/epmd_front.h"
#include "models/gateway/macula_front.h"
#include "models/mesh/membership.h"
#include "models/node/cookies.h"
#include "models/tunnel/relay_carrier.h"
#include "real/daemon/daemon.h"

namespace distlab::daemon {

class BeamAgent final : public Daemon, private gateway::MaculaMesh {
 public:
  explicit BeamAgent(AgentConfig config);
  ~BeamAgent() override;

  static tl::expected<void, Refusal> check(const AgentConfig& config);

 private:
  struct Input;

  tl::expected<void, Refusal> start() override;
  void stop(std::function<void()> done) override;
  void reload() override;
  void on_event(Time now, const Event& event) override;
  Json status() const override;
  void add_metrics(MetricsText& metrics) const override;
  bool serve(const ControlRequest& request, const ControlServer::Reply& reply) override;

  // gateway::MaculaMesh
  tl::expected<carrier::Carrier*, std::string> join(const gateway::JoinRequest& request) override;
  void leave() override;
  void set_cookie(const std::string& peer, const std::string& cookie) override;
  std::vector<gateway::TunnelLine> tunnels() override;
  std::string relay() override { return relay_; }

  tl::expected<void, Refusal> serve_unmodified();
  tl::expected<void, Refusal> serve_macula();
  tl::expected<void, std::string> enter();
  void tell_where(Endpoint local);
  tl::expected<void, Refusal> write_inetrc();
  std::string how_to_start_erl() const;
  size_t connections() const;

  AgentConfig config_;
  node::Cookies cookies_;
  std::string relay_;  // that we have a session with; empty: none
  // In the order of their lives: fronts use the carrier, which uses the client.
  std::unique_ptr<mesh::Membership> membership_;
  std::unique_ptr<tunnel::RelayCarrier> carrier_;
  std::unique_ptr<gateway::EpmdFront> epmd_front_;
  std::unique_ptr<gateway::MaculaFront> macula_front_;
  std::string inetrc_path_;
  std::unique_ptr<Input> input_;  // of `stdio`
  Timer goodbye_;
};

}  // namespace distlab::daemon
