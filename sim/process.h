// An operating-system process on a simulated machine: started, killed, frozen, started again. Each
// life has a host and models of its own; what the models are is for the derived class to say.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "scenarios/scenario.h"
#include "sim/ns3_host.h"
#include "sim/qlog.h"

namespace distlab::sim {

// What all processes of a run have in common; must outlive them.
struct Surroundings {
  const scenario::Scenario& scenario;
  Network& network;
  uint64_t seed = 1;
  std::set<std::string> quiet_kinds;
  Ns3Host::Recorder recorder;
  QlogFolder& qlog;
};

class Process {
 public:
  // `key`: of a node or a relay of the scenario.
  Process(const Surroundings& around, std::string key);
  virtual ~Process() = default;  // derived destructors destroy their models
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  const std::string& key() const { return key_; }
  bool alive() const { return host_ != nullptr; }
  void start();   // nothing if it is alive; who is on its way out is killed first
  void kill();    // SIGKILL; nothing if it is not
  void freeze();  // SIGSTOP
  void thaw();    // SIGCONT

 protected:
  virtual void boot() = 0;                        // makes the models, on host(), once the process has started up
  virtual void drop() = 0;                        // destroys them without a word
  virtual bool leaving() const { return false; }  // asked to end, and not gone yet

  Ns3Host& host() { return *host_; }
  const Surroundings& around() const { return around_; }
  void record(std::string_view kind);
  void log_error(std::string text);

 private:
  const Surroundings& around_;
  const std::string key_;
  uint32_t lives_ = 0;
  std::unique_ptr<Ns3Host> host_;
};

}  // namespace distlab::sim
