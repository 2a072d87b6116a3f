// An operating-system process on a simulated machine: started, killed, frozen, started again. Each
// life has a host and an actor of its own; which actor is for the derived class to say.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "scenarios/cast/script.h"
#include "sim/ns3_host.h"

namespace distlab::sim {

// What all processes of a run have in common; must outlive them.
struct Surroundings {
  cast::Script script;
  Network& network;
  std::set<std::string> quiet_kinds;
  Ns3Host::Recorder recorder;
};

class Process {
 public:
  // `key`: of a node or a relay of the scenario.
  Process(const Surroundings& around, std::string key);
  virtual ~Process() = default;  // derived destructors destroy their actor, which uses the host
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  const std::string& key() const { return key_; }
  bool alive() const { return host_ != nullptr; }
  void start();   // nothing if it is alive; who is on its way out is killed first
  void kill();    // SIGKILL; nothing if it is not
  void freeze();  // SIGSTOP
  void thaw();    // SIGCONT

 protected:
  virtual void boot() = 0;                        // makes the actor, on host(), once the process has started up
  virtual void drop() = 0;                        // destroys it without a word
  virtual bool leaving() const { return false; }  // asked to end, and not gone yet

  Ns3Host& host() { return *host_; }
  const cast::Script& script() const { return around_.script; }

 private:
  void record(std::string_view kind);

  const Surroundings& around_;
  const std::string key_;
  uint32_t lives_ = 0;
  std::unique_ptr<Ns3Host> host_;
};

}  // namespace distlab::sim
