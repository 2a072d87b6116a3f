// A node of the scenario: the node, its workload driver and, if its distribution travels through relays,
// its mesh client. One actor is one life of the process, from where net_kernel starts; destroying it is
// the process dying without a word.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/host/host.h"
#include "models/node/node.h"
#include "models/tunnel/message_faults.h"
#include "models/workload/workload.h"
#include "scenarios/cast/mesh_access.h"
#include "scenarios/cast/script.h"
#include "scenarios/scenario.h"

namespace distlab::cast {

class NodeActor {
 public:
  // The host's name is the node's key. `actions`: of this node, with exact times. `message_faults` may be
  // shared by all lives of the process, so that a fault that waits for its message outlives a restart. All
  // that is referred to must outlive the actor.
  NodeActor(Host& host, const Script& script, std::vector<scenario::Action> actions,
            tunnel::MessageFaults& message_faults);
  NodeActor(const NodeActor&) = delete;
  NodeActor& operator=(const NodeActor&) = delete;
  ~NodeActor();

  // Of a node with the carrier `relay`; nothing for others.
  void kill_client();
  void start_client();
  void finish();  // the run ends: records what only counts

 private:
  node::NodeConfig config();
  void run_workload();

  Host& host_;
  const Script& script_;
  const scenario::Node& node_settings_;
  const std::vector<scenario::Action> actions_;
  // In the order of their lives: the node's carrier uses the client.
  std::unique_ptr<MeshAccess> mesh_;  // null: it has the carrier tcp
  std::unique_ptr<node::Node> node_;
  std::unique_ptr<workload::Driver> driver_;
};

}  // namespace distlab::cast
