// The carrier `relay`: distribution in encrypted tunnels over a relay's publish and subscribe
// (macula_dist_relay; seed 002; facts relay-distribution.md section 1.2).
//
//   A: CALL _dist.tunnel.<B> {from_node, target_node}
//   B: makes a tunnel id; answers {tunnel_id, send_topic, recv_topic} at once; subscribes; takes the tunnel
//   A: subscribes; both bridge.     Topics: B to A _dist.data.<id>.in, A to B _dist.data.<id>.out
//
// Nobody proves who he is in the request: what comes after the reply, the handshake of distribution under
// the cookie's key, is the only proof.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/carrier/carrier.h"
#include "models/host/host.h"
#include "models/mesh/client.h"
#include "models/tunnel/bridge.h"
#include "models/tunnel/message_faults.h"
#include "models/tunnel/settings.h"

namespace distlab::tunnel {

struct CarrierSettings {
  TunnelSettings tunnel;
  // Of a tunnel with this node. Asked once per tunnel: a later change of the cookie does not matter to it.
  std::function<std::string(const std::string& peer)> cookie;
};

class RelayCarrier final : public carrier::Carrier {
 public:
  // Both must outlive it.
  RelayCarrier(Host& host, mesh::ClientSlot& slot, CarrierSettings settings);
  ~RelayCarrier() override;

  // Always succeeds; the node is reachable as soon as a client of the slot has a session.
  void listen(const std::string& node_name, Accepted accepted, Listening done) override;
  // Steps of DialError: "client" (there is none), "request" (no answer in time, unknown to the relay,
  // refused), "reply" (not understood), "limit".
  std::unique_ptr<carrier::Dial> dial(const std::string& node_name, std::function<void()> progress,
                                      Dialled done) override;

  // Of live tunnels by id, as get_tunnel_metrics/0.
  std::map<std::string, Metrics> tunnel_metrics() const;
  void record_metrics();  // as events, of all live tunnels

  void harm_message(const std::string& peer, Harm harm, uint64_t nth) { faults_.add(peer, harm, nth); }

 private:
  class RelayDial;
  class Acceptance;

  void advertise(mesh::Client* client);
  mesh::CallResult requested(const mesh::Json& args);
  std::unique_ptr<ByteStream> bridge(Route route, const Key& key, const std::vector<std::vector<uint8_t>>& early);
  Key key_for(const std::string& peer) const;
  bool full() const { return bridges_.size() + acceptances_.size() >= settings_.tunnel.max_tunnels; }

  Host& host_;
  mesh::ClientSlot& slot_;
  const CarrierSettings settings_;
  MessageFaults faults_;
  std::string self_;
  Accepted accepted_;
  mesh::ClientSlot::Watcher watcher_ = 0;
  Timer listening_;
  std::map<std::string, std::unique_ptr<Bridge>> bridges_;  // by "<id>/<in or out>": both ends may be ours
  std::list<std::unique_ptr<Acceptance>> acceptances_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);  // for calls that end after it
};

}  // namespace distlab::tunnel
