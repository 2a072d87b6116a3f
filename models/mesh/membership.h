// A node's membership in the mesh, as macula:join_mesh/1 sets it up: it starts the client process,
// registers it in the slot, and starts another when it dies, if anybody does.
//
//   Membership membership(host, documented(client_settings));
//   Tunnels tunnels(host, membership.slot(), ...);
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "models/host/host.h"
#include "models/mesh/client.h"
#include "models/mesh/relay_client.h"

namespace distlab::mesh {

struct MembershipSettings {
  ClientSettings client;
  // How long after its death a client process is started anew; nothing: never. register_client() does it.
  std::optional<Duration> restart_after = std::chrono::seconds{1};
};

// What the documentation of the modelled system promises: a lost QUIC connection is the death of the
// client process, its bridges see that as DOWN, and soon there is another. It does not say how soon: 1 s
// is our choice.
MembershipSettings documented(ClientSettings client);
// What its code does (facts relay-distribution.md section 1.4): the process sees a FIN at once, but not the
// end of the QUIC connection, which only PING reveals; it dials again by itself. Nothing re-creates it.
MembershipSettings macula_3_13(ClientSettings client);

class Membership {
 public:
  Membership(Host& host, MembershipSettings settings);
  ~Membership();
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

  ClientSlot& slot() { return slot_; }
  const ClientSlot& slot() const { return slot_; }
  RelayClient* client() { return client_.get(); }  // null: dead and not replaced yet

  void kill_client(const std::string& reason);  // harmless if there is none
  // A new client process. One that lives dies of it: the node has one identity.
  void register_client();

  struct Stats {
    uint64_t started = 0, died = 0;  // client processes
    ClientStats earlier;             // of dead ones, added up; mailbox_peak is the greatest
  };
  const Stats& stats() const { return stats_; }
  ClientStats total() const;  // of all client processes

 private:
  void start();
  void died();

  Host& host_;
  const MembershipSettings settings_;
  Stats stats_;
  ClientSlot slot_;
  std::unique_ptr<RelayClient> client_, dead_;
  bool wanted_ = false;  // register_client() waits for the old one's death
  Timer restart_, burial_;
};

}  // namespace distlab::mesh
