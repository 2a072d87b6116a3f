// How a tunnel that a peer asked for is accepted: the short-lived process of
// macula_dist_relay:dist_accept_setup/4, from the request to the bridge.
//
// Source: facts relay-distribution.md section 1.2 step 5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/host/host.h"
#include "models/mesh/client.h"
#include "models/tunnel/bridge.h"
#include "models/tunnel/loopback.h"
#include "models/tunnel/settings.h"

namespace distlab::tunnel {

class AcceptSetup {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    // The number of the bridge of this configuration on this socket. `since`: the request came.
    virtual uint64_t start_bridge(BridgeConfig config, std::unique_ptr<LoopbackEnd> socket, Time since) = 0;
    virtual void socket_ready(uint64_t bridge) = 0;             // harmless if it is gone
    virtual void accept(std::unique_ptr<ByteStream> dist) = 0;  // net_kernel's
    // From the loop, once; may destroy the set-up. An empty failure: the bridge runs.
    virtual void setup_over(uint64_t setup, std::string_view failure) = 0;
  };

  // There must be a client in the slot. The others must outlive the set-up. `number`: the owner's, for it.
  AcceptSetup(Host& host, const TunnelSettings& settings, mesh::ClientSlot& slot, BridgeConfig config, Owner& owner,
              uint64_t number);
  ~AcceptSetup();
  AcceptSetup(const AcceptSetup&) = delete;
  AcceptSetup& operator=(const AcceptSetup&) = delete;

  void begin();  // listens to the tunnel's topic, and waits for net_kernel

  const std::string& peer() const { return peer_; }
  Time started_at() const { return started_at_; }

 private:
  void listen();
  void buffer(Bytes payload);
  void controller();
  void start_bridge();
  void stop_listening();
  void finish(std::string_view failure);
  Duration draw(Duration mean);

  Host& host_;
  const TunnelSettings& settings_;
  mesh::ClientSlot& slot_;
  const std::string peer_;
  BridgeConfig config_;
  Owner& owner_;
  const uint64_t number_;
  const Time started_at_;
  LoopbackPair pair_;
  std::optional<uint64_t> bridge_;  // it listens from the start

  mesh::Client* client_;  // the one we began with; null: dead
  mesh::SubscriptionId subscription_ = mesh::SubscriptionId::none;
  mesh::ClientSlot::Watcher watcher_;
  size_t buffered_ = 0;

  bool over_ = false;
  Timer step_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace distlab::tunnel
