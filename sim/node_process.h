// A node of the scenario as an operating-system process on a simulated machine: started, killed,
// frozen, started again. Each life has a host, a node and a workload driver of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/node/node.h"
#include "models/workload/workload.h"
#include "scenarios/scenario.h"
#include "sim/ns3_host.h"

namespace distlab::sim {

class NodeProcess {
 public:
  // `scenario` and `network` must outlive it. `actions` are those of this node, with exact times.
  NodeProcess(const scenario::Scenario& scenario, std::string key, Network& network, uint64_t seed,
              std::set<std::string> quiet_kinds, Ns3Host::Recorder recorder, std::vector<scenario::Action> actions);
  ~NodeProcess();

  const std::string& key() const { return key_; }
  bool alive() const { return host_ != nullptr; }
  void start();   // nothing if it is alive
  void kill();    // SIGKILL; nothing if it is not
  void freeze();  // SIGSTOP
  void thaw();    // SIGCONT

 private:
  void boot();
  void run_workload();
  std::optional<workload::Action> translate(const scenario::Action& action) const;
  void record(std::string_view kind);

  const scenario::Scenario& scenario_;
  const scenario::Node& config_;
  std::string key_;
  Network& network_;
  uint64_t seed_;
  std::set<std::string> quiet_kinds_;
  Ns3Host::Recorder recorder_;
  std::vector<scenario::Action> actions_;
  uint32_t lives_ = 0;
  // Declared in the order of their lives: models die before the host.
  std::unique_ptr<Ns3Host> host_;
  std::unique_ptr<node::Node> node_;
  std::unique_ptr<workload::Driver> driver_;
};

}  // namespace distlab::sim
