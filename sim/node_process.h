// A node of the scenario as a process: the node, its workload driver and, if its distribution travels
// through relays, its mesh client.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/mesh/membership.h"
#include "models/node/node.h"
#include "models/tunnel/message_faults.h"
#include "models/tunnel/relay_carrier.h"
#include "models/workload/workload.h"
#include "scenarios/scenario.h"
#include "sim/certificates.h"
#include "sim/process.h"

namespace distlab::sim {

class NodeProcess final : public Process {
 public:
  // `actions` are those of this node, with exact times. The certificates must outlive it.
  NodeProcess(const Surroundings& around, std::string key, const Certificates& certificates,
              std::vector<scenario::Action> actions);
  ~NodeProcess() override;

  // Of a node with the carrier `relay`, and only while its models are there.
  void kill_client();
  void start_client();
  void finish();  // the run ends: records what only counts
  void harm_message(const std::string& peer, scenario::MessageHarm harm, uint64_t nth);

 private:
  void boot() override;
  void drop() override;
  void join_mesh();
  node::NodeConfig node_config();
  void run_workload();
  std::optional<workload::Action> translate(const scenario::Action& action);

  const scenario::Node& config_;
  const Certificates& certificates_;
  std::vector<scenario::Action> actions_;
  tunnel::MessageFaults message_faults_;
  // In the order of their lives: the node's carrier uses the client.
  std::unique_ptr<mesh::Membership> membership_;
  std::unique_ptr<node::Node> node_;
  tunnel::RelayCarrier* carrier_ = nullptr;  // of the node
  std::unique_ptr<workload::Driver> driver_;
};

}  // namespace distlab::sim
