#include "sim/relay_process.h"

namespace distlab::sim {

RelayProcess::~RelayProcess() {
  RelayProcess::drop();
}

void RelayProcess::boot() {
  actor_ = std::make_unique<cast::RelayActor>(host(), script());
}

void RelayProcess::drop() {
  actor_.reset();
  leaving_ = false;
}

void RelayProcess::shut_down() {
  if (!actor_) return kill();
  leaving_ = true;
  actor_->shut_down([this] { kill(); });
}

void RelayProcess::wedge(bool on) {
  if (actor_) actor_->wedge(on);
}

}  // namespace distlab::sim
