#include "models/tunnel/accept_setup.h"

#include <cassert>
#include <utility>

namespace distlab::tunnel {

AcceptSetup::AcceptSetup(Host& host, const TunnelSettings& settings, mesh::ClientSlot& slot, BridgeConfig config,
                         Owner& owner, uint64_t number)
    : host_(host),
      settings_(settings),
      slot_(slot),
      peer_(config.peer),
      config_(std::move(config)),
      owner_(owner),
      number_(number),
      started_at_(host.now()),
      pair_(host, loopback_settings(settings)),
      client_(slot.current()),
      watcher_(slot.watch([this](mesh::Client* now) {
        if (now == client_) return;
        client_ = nullptr;
        subscription_ = mesh::SubscriptionId::none;
      })),
      step_(host) {
  assert(client_ != nullptr);
  pair_.dist->set_reading(false);
}

AcceptSetup::~AcceptSetup() {
  slot_.unwatch(watcher_);
  stop_listening();
}

void AcceptSetup::begin() {
  if (settings_.resubscribe_on_accept) {
    listen();
  } else {
    bridge_ = owner_.start_bridge(std::move(config_), std::move(pair_.bridge), started_at_);
  }
  const Duration delay = draw(settings_.controller_delay);
  if (delay > settings_.controller_timeout) {
    step_.start(settings_.controller_timeout, [this] { finish("controller_timeout"); });
  } else {
    step_.start(delay, [this] { controller(); });
  }
}

void AcceptSetup::listen() {
  const Topics topics = topics_of(config_.id, config_.direction);
  subscription_ = client_->subscribe(topics.receive, [this, alive = std::weak_ptr<int>(alive_)](Bytes payload) {
    if (!alive.expired()) buffer(payload);
  });
}

void AcceptSetup::buffer(Bytes payload) {
  if (over_) return;
  buffered_ += payload.size();
  if (buffered_ <= settings_.max_accept_buffer) {
    config_.flushed.emplace_back(payload.begin(), payload.end());
    return;
  }
  over_ = true;
  step_.start(Duration::zero(), [this] { finish("limit: max_accept_buffer"); });
}

// macula_dist_relay:negotiate_with_kernel/10, once net_kernel has answered.
void AcceptSetup::controller() {
  owner_.accept(std::move(pair_.dist));
  if (bridge_) return finish({});
  stop_listening();
  const Duration gap = draw(settings_.resubscribe_gap);
  if (gap == Duration::zero()) return start_bridge();
  step_.start(gap, [this] { start_bridge(); });
}

void AcceptSetup::start_bridge() {
  // The bridge would crash in init/1, on a call to the dead client.
  if (client_ == nullptr) return finish("client_down");
  bridge_ = owner_.start_bridge(std::move(config_), std::move(pair_.bridge), started_at_);
  finish({});
}

void AcceptSetup::stop_listening() {
  if (client_ != nullptr && subscription_ != mesh::SubscriptionId::none) client_->unsubscribe(subscription_);
  subscription_ = mesh::SubscriptionId::none;
}

void AcceptSetup::finish(std::string_view failure) {
  over_ = true;
  stop_listening();
  pair_.dist.reset();  // of a failure, which the bridge notices as soon as it reads
  if (bridge_) owner_.socket_ready(*bridge_);
  owner_.setup_over(number_, failure);
}

Duration AcceptSetup::draw(Duration mean) {
  if (mean == Duration::zero()) return mean;
  return host_.random("tunnel.accept").exponential(mean);
}

}  // namespace distlab::tunnel
