#include "sim/node_process.h"

#include <utility>

#include "scenarios/cast/node_settings.h"

namespace distlab::sim {

NodeProcess::NodeProcess(const Surroundings& around, std::string key, std::vector<scenario::Action> actions)
    : Process(around, std::move(key)), actions_(std::move(actions)) {}

NodeProcess::~NodeProcess() {
  NodeProcess::drop();
}

void NodeProcess::boot() {
  actor_ = std::make_unique<cast::NodeActor>(host(), script(), actions_, message_faults_);
}

void NodeProcess::drop() {
  actor_.reset();
}

void NodeProcess::finish() {
  if (actor_) actor_->finish();
}

void NodeProcess::kill_client() {
  if (actor_) actor_->kill_client();
}

void NodeProcess::start_client() {
  if (actor_) actor_->start_client();
}

void NodeProcess::harm_message(const std::string& peer, scenario::MessageHarm harm, uint64_t nth) {
  message_faults_.add(peer, cast::message_fault(harm, nth));
}

}  // namespace distlab::sim
