#include "sim/relay_process.h"

#include <utility>

#include "sim/protocol_settings.h"

namespace distlab::sim {
namespace {

// The same in every life of a relay that keeps it.
std::vector<uint8_t> reset_key(uint64_t seed, const std::string& relay) {
  std::vector<uint8_t> key(32);
  RandomStream(seed, relay, "reset_key").fill(key);
  return key;
}

}  // namespace

RelayProcess::RelayProcess(const Surroundings& around, std::string key, const Certificates& certificates)
    : Process(around, std::move(key)),
      config_(around.scenario.relays.at(Process::key())),
      certificates_(certificates) {}

RelayProcess::~RelayProcess() {
  RelayProcess::drop();
}

void RelayProcess::boot() {
  mesh::RelaySettings settings = relay_settings(config_);
  settings.name = key();
  settings.credentials = certificates_.of_relay(key());
  settings.qlog = [this](std::string_view) { return around().qlog.file(key(), "session"); };
  if (config_.keeps_reset_key) settings.reset_key = reset_key(around().seed, key());
  relay_ = std::make_unique<mesh::Relay>(host(), std::move(settings));
  if (!relay_->listening()) log_error("relay cannot start: its UDP port is taken");
}

void RelayProcess::drop() {
  relay_.reset();
  leaving_ = false;
}

void RelayProcess::shut_down() {
  if (!relay_) return kill();
  leaving_ = true;
  relay_->shutdown("shutdown", [this] { kill(); });
}

void RelayProcess::wedge(bool on) {
  if (relay_) relay_->wedge(on);
}

}  // namespace distlab::sim
