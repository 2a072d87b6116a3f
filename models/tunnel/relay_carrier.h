// The carrier `relay`: distribution through tunnels over a mesh of relays.
//
// A node listens by advertising `_dist.tunnel.<node>` with its mesh client, and dials by calling that
// procedure of the peer. Neither needs an address or an open port.
//
// Source: facts relay-distribution.md sections 1.2 to 1.4; macula_dist_relay of v3.13.0.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/carrier/carrier.h"
#include "models/host/host.h"
#include "models/mesh/client.h"
#include "models/tunnel/accept_setup.h"
#include "models/tunnel/bridge.h"
#include "models/tunnel/message_faults.h"
#include "models/tunnel/settings.h"

namespace distlab::tunnel {

// auth:get_cookie/1. Asked with our own name for our own cookie.
using CookieLookup = std::function<std::string(std::string_view node)>;

struct TunnelSnapshot {
  std::string id;
  std::string peer;
  Direction direction = Direction::out;
  BridgeState state = BridgeState::running;
  TunnelMetrics metrics;
};

class RelayCarrier final : public carrier::Carrier, private AcceptSetup::Owner {
 public:
  // Host, slot and faults (which may be null) must outlive the carrier. A client must leave the slot
  // before it is destroyed. Destroying the carrier is the death of its node: nothing is recorded.
  RelayCarrier(Host& host, TunnelSettings settings, mesh::ClientSlot& slot, CookieLookup cookie_of,
               MessageFaults* faults = nullptr);
  ~RelayCarrier() override;
  RelayCarrier(const RelayCarrier&) = delete;
  RelayCarrier& operator=(const RelayCarrier&) = delete;

  // Never fails: without a client the node is there and nobody reaches it. A carrier listens once.
  void listen(const std::string& node_name, Accepted accepted, Listening done) override;

  // Steps of DialError: "client" (there is none: unreachable), "limit" (max_tunnels: limit), and
  // "request: <why>", where <why> is the CallError's code or what the peer said: timed_out, not_found
  // (unknown_procedure), refused (the peer's answer), unreachable (the rest).
  // `progress` is never called: macula_dist:do_setup/6 leaves the timer alone, so that the whole of a
  // set-up must fit into net_setuptime, whatever dist_timeout says (facts section 0).
  std::unique_ptr<carrier::Dial> dial(const std::string& node_name, std::function<void()> progress,
                                      Dialled done) override;

  // get_tunnel_metrics/0 and /1, and more; in the order in which the bridges started.
  std::vector<TunnelSnapshot> tunnel_metrics() const;
  std::optional<TunnelSnapshot> tunnel_metrics(std::string_view id) const;
  void record_metrics() const;  // of live tunnels, as events: at the end of a run
  size_t tunnels() const { return bridges_.size(); }
  size_t being_accepted() const { return setups_.size(); }

 private:
  class RelayDial;

  // AcceptSetup::Owner
  uint64_t start_bridge(BridgeConfig config, std::unique_ptr<LoopbackEnd> socket, Time since) override;
  void socket_ready(uint64_t bridge) override;
  void accept(std::unique_ptr<ByteStream> dist) override;
  void setup_over(uint64_t setup, std::string_view failure) override;

  void advertise(mesh::Client* client);
  void requested(const mesh::Json& args, const mesh::Client::Reply& reply);
  void refuse(const std::string& peer, std::string code, const mesh::Client::Reply& reply);
  std::unique_ptr<ByteStream> open(const std::string& peer, Time since, std::string id);
  BridgeConfig bridge_config(std::string id, std::string peer, Direction direction);
  bool full() const;

  Host& host_;
  const TunnelSettings settings_;
  mesh::ClientSlot& slot_;
  const CookieLookup cookie_of_;
  MessageFaults* const faults_;

  std::string node_name_;
  Accepted accepted_;
  mesh::Client* advertised_with_ = nullptr;
  std::optional<mesh::ClientSlot::Watcher> watcher_;
  bool refusing_ = false;  // since the last request that was granted

  std::map<uint64_t, std::unique_ptr<Bridge>> bridges_;
  std::map<uint64_t, std::unique_ptr<AcceptSetup>> setups_;
  std::vector<std::unique_ptr<AcceptSetup>> dead_setups_;
  uint64_t last_ = 0;
  Timer listening_, burial_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace distlab::tunnel
