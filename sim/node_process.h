// A node of the scenario as a process.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/tunnel/message_faults.h"
#include "scenarios/cast/node_actor.h"
#include "scenarios/scenario.h"
#include "sim/process.h"

namespace distlab::sim {

class NodeProcess final : public Process {
 public:
  // `actions` are those of this node, with exact times.
  NodeProcess(const Surroundings& around, std::string key, std::vector<scenario::Action> actions);
  ~NodeProcess() override;

  // As of cast::NodeActor, and only while it is there.
  void kill_client();
  void start_client();
  void finish();
  // Waits for its message through all lives of the process.
  void harm_message(const std::string& peer, scenario::MessageHarm harm, uint64_t nth);

 private:
  void boot() override;
  void drop() override;

  const std::vector<scenario::Action> actions_;
  tunnel::MessageFaults message_faults_;
  std::unique_ptr<cast::NodeActor> actor_;
};

}  // namespace distlab::sim
