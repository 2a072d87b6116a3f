// A relay of the scenario as a process.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "scenarios/cast/relay_actor.h"
#include "sim/process.h"

namespace distlab::sim {

class RelayProcess final : public Process {
 public:
  RelayProcess(const Surroundings& around, std::string key) : Process(around, std::move(key)) {}
  ~RelayProcess() override;

  // Says goodbye to its peers, and is gone when that has left the machine. Nothing if it is not alive.
  void shut_down();
  void wedge(bool on);

 private:
  void boot() override;
  void drop() override;
  bool leaving() const override { return leaving_; }

  std::unique_ptr<cast::RelayActor> actor_;
  bool leaving_ = false;  // from shut_down() until it is gone
};

}  // namespace distlab::sim
