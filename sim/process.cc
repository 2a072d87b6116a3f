#include "sim/process.h"

#include <utility>

#include "models/host/event_kinds.h"
#include "scenarios/cast/parts.h"

namespace distlab::sim {

Process::Process(const Surroundings& around, std::string key) : around_(around), key_(std::move(key)) {}

void Process::start() {
  if (alive() && leaving()) kill();
  if (alive()) return;
  const scenario::Scenario& scenario = script().scenario;
  const uint32_t life = lives_++;
  host_ = std::make_unique<Ns3Host>(
      around_.network, key_, scenario::host_of(scenario, key_),
      Ns3Host::Options{.seed = cast::life_seed(script().seed, life), .quiet_kinds = around_.quiet_kinds},
      around_.recorder);
  record(kinds::process_started);
  host_->start_timer(scenario::boot_time(scenario, key_, script().seed, life), [this] { boot(); });
}

void Process::kill() {
  if (!alive()) return;
  record(kinds::process_killed);
  drop();
  host_.reset();
}

void Process::freeze() {
  if (!alive() || host_->frozen()) return;
  record(kinds::process_frozen);
  host_->freeze();
}

void Process::thaw() {
  if (!alive() || !host_->frozen()) return;
  record(kinds::process_thawed);
  host_->thaw();
}

void Process::record(std::string_view kind) {
  host_->record({kind, key_, {}});
}

}  // namespace distlab::sim
