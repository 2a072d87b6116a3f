// The gateway for an unmodified BEAM: an EPMD and distribution listeners that stand for its peers.
//
// The BEAM looks its peers' hosts up in a file (ERL_INETRC) that gives each an address of 127.0.0.0/8 of its
// own. There an EPMD answers with the port of a listener, and whoever connects to it is carried to the peer.
// The BEAM itself registers with an EPMD at 127.0.0.1, as it always does; all of them have one port
// (ERL_EPMD_PORT). A name in a request of EPMD has no host, so it is the address that tells the peers apart.
//
// Source: facts otp-distribution.md section 1, measured; inet_tcp_dist and erl_epmd of OTP 25.2.3.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/carrier/carrier.h"
#include "models/epmd/server.h"
#include "models/gateway/pipes.h"

namespace distlab::gateway {

class Outgoing;

struct EpmdFrontSettings {
  std::string node;                // of our BEAM: "alice@home.example"
  std::vector<std::string> peers;  // "bob@office.example"
  uint16_t epmd_port = 0;          // 0: any that is free
};

class EpmdFront {
 public:
  // The host must outlive it.
  EpmdFront(Host& host, EpmdFrontSettings settings);
  ~EpmdFront();
  EpmdFront(const EpmdFront&) = delete;
  EpmdFront& operator=(const EpmdFront&) = delete;

  // From here on peers can be reached, and can reach the BEAM when it has registered. Once; the carrier must
  // outlive the front.
  void serve(carrier::Carrier& carrier);

  bool listening() const { return own_ != nullptr && own_->listening(); }  // false: a port was taken
  uint16_t epmd_port() const { return own_->local().port; }
  const std::map<std::string, Ipv4>& hosts() const { return hosts_; }  // of peers, by name; our own too
  bool registered() const { return beam_port_ != 0; }
  size_t connections() const { return pipes_.count(); }

  // The file ERL_INETRC names: hosts and nothing else.
  std::string inetrc() const;

 private:
  void assign_addresses();
  bool open();
  using Known = std::map<std::string, std::vector<epmd::Alive2Request>>;  // by host
  bool open_listeners(Known& known);
  std::unique_ptr<epmd::Server> epmd_at(Ipv4 address, uint16_t port, std::vector<epmd::Alive2Request> known);
  void registered(const std::string& name, const epmd::Alive2Request* request);
  void listen_if_ready();
  void called(std::unique_ptr<ByteStream> stream, const std::string& peer);

  Host& host_;
  carrier::Carrier* carrier_ = nullptr;
  const EpmdFrontSettings settings_;
  std::map<std::string, Ipv4> hosts_;
  std::unique_ptr<epmd::Server> own_;                 // where the BEAM registers
  std::vector<std::unique_ptr<epmd::Server>> epmds_;  // of the other hosts
  std::vector<std::unique_ptr<TcpListener>> listeners_;
  uint16_t beam_port_ = 0;  // where our BEAM listens
  bool listens_ = false;
  uint64_t last_ = 0;
  std::map<uint64_t, std::unique_ptr<Outgoing>> outgoing_;
  Pipes pipes_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

// {host, Address, Names}. and so on, as inet_parse reads it. An address must be there only once: of two
// entries the second replaces the first.
std::string inetrc_of(const std::map<std::string, Ipv4>& hosts);

}  // namespace distlab::gateway
