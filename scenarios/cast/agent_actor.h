// The agent of a BEAM node whose distribution travels through relays: its mesh client and tunnels, and the
// gateway by which the BEAM reaches them over loopback. One agent is one life of the node's process.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/gateway/epmd_front.h"
#include "models/gateway/macula_front.h"
#include "models/host/host.h"
#include "models/node/cookies.h"
#include "models/tunnel/message_faults.h"
#include "scenarios/cast/mesh_access.h"
#include "scenarios/cast/script.h"

namespace distlab::cast {

class AgentActor final : private gateway::MaculaMesh {
 public:
  // The host's name is the node's key; all must outlive the agent.
  AgentActor(Host& host, const Script& script, tunnel::MessageFaults& message_faults);
  AgentActor(const AgentActor&) = delete;
  AgentActor& operator=(const AgentActor&) = delete;
  ~AgentActor() override;

  // The node has booted. An unmodified BEAM is a member of the mesh from here on, one with the carrier macula from
  // when it joins.
  void boot();

  bool listening() const;
  const gateway::EpmdFront* epmd() const { return epmd_front_.get(); }        // null: it has the carrier macula
  const gateway::MaculaFront* macula() const { return macula_front_.get(); }  // null: it is unmodified

  void set_cookie(const std::string& peer, const std::string& cookie) override;  // without a peer: its own
  void kill_client();
  void start_client();
  void finish();  // the run ends: records what only counts

 private:
  tl::expected<carrier::Carrier*, std::string> join(const gateway::JoinRequest& request) override;
  void leave() override;
  std::vector<gateway::TunnelLine> tunnels() override;
  std::string relay() override;
  void enter();

  Host& host_;
  const Script& script_;
  const scenario::Node& node_;
  tunnel::MessageFaults& message_faults_;
  node::Cookies cookies_;
  // In the order of their lives: fronts use the carrier, which uses the client.
  std::unique_ptr<MeshAccess> mesh_;
  std::unique_ptr<tunnel::RelayCarrier> carrier_;
  std::unique_ptr<gateway::EpmdFront> epmd_front_;
  std::unique_ptr<gateway::MaculaFront> macula_front_;
};

// A tunnel as a BEAM is told of it.
std::vector<gateway::TunnelLine> tunnel_lines(const std::vector<tunnel::TunnelSnapshot>& tunnels);

}  // namespace distlab::cast
