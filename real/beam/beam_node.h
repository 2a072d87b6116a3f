// A node of the scenario that a real BEAM plays: one life of it. Here are its child `erl`, the agent that carries
// its distribution over relays, and the link to the probe inside it.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "models/tunnel/message_faults.h"
#include "real/asio_host.h"
#include "real/beam/erl_process.h"
#include "real/beam/probe_link.h"
#include "scenarios/cast/agent_actor.h"
#include "scenarios/cast/script.h"
#include "scenarios/scenario.h"

namespace distlab::beam {

struct BeamSettings {
  std::string applications;            // see ErlSurroundings
  std::map<std::string, Ipv4> hosts;   // machines by name
  std::chrono::nanoseconds origin{0};  // CLOCK_MONOTONIC when the run begins
  std::set<std::string> quiet_kinds;
  std::vector<scenario::Action> actions;  // of this node, with exact times
};

class BeamNode {
 public:
  struct Handlers {  // from the loop
    std::function<void(Time, const Event&)> record;
    std::function<void()> ready;  // the BEAM is there, and does what the scenario says
    std::function<void(const std::string& why)> failed;
  };
  // Starts `erl` at once: booting takes it as long as it takes. What it does begins with boot(). All that is
  // referred to must outlive the node; the host's name is the node's key.
  BeamNode(real::AsioLoop& loop, Host& host, const cast::Script& script, tunnel::MessageFaults& message_faults,
           BeamSettings settings, Handlers handlers);
  ~BeamNode();
  BeamNode(const BeamNode&) = delete;
  BeamNode& operator=(const BeamNode&) = delete;

  // The scenario says that the node has booted: from now on it has a network, and a workload as soon as it is there.
  void boot();
  void kill_client();
  void start_client();
  // The run ends: `done` when all it has seen is recorded, or after two seconds; at once if it has not come up.
  void finish(std::function<void()> done);

 private:
  ErlSurroundings surroundings();
  void hello(const ProbeHello& hello);
  void begin();
  void record(const ProbeEvent& event);
  void fail(const std::string& why);

  real::AsioLoop& loop_;
  Host& host_;
  const cast::Script& script_;
  const scenario::Node& node_;
  const BeamSettings settings_;
  const Handlers handlers_;
  std::unique_ptr<cast::AgentActor> agent_;  // null: it has the carrier tcp
  ProbeLink probe_;
  std::unique_ptr<ErlProcess> erl_;
  bool there_ = false, booted_ = false, ending_ = false;
  std::function<void()> finished_;
  Timer limit_, starting_;
};

}  // namespace distlab::beam
