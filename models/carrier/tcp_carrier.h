// The carrier `tcp`: plain TCP through EPMD, as inet_tcp_dist and erl_epmd of OTP 25.2.3.
//
// A node listens on a TCP port of its own and registers it with the EPMD of its machine, at
// 127.0.0.1. A peer's port is asked from the EPMD at the peer's address, on the same EPMD port.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "models/carrier/carrier.h"
#include "models/host/host.h"

namespace distlab::carrier {

struct TcpOptions {
  Ipv4 interface = any_address;  // kernel's inet_dist_use_interface
  uint16_t port = 0;             // the first port tried for listening; 0: any free one
  uint16_t last_port = 0;        // the last (inet_dist_listen_min and _max); 0: `port` only
  uint16_t epmd_port = 4369;     // ERL_EPMD_PORT
  // -erl_epmd_port: our listening port and every peer's. EPMD is told of us if there is one, and
  // never asked.
  std::optional<uint16_t> erl_epmd_port = {};
  bool long_names = true;  // -name; false: -sname
};

class TcpCarrier final : public Carrier {
 public:
  TcpCarrier(Host& host, TcpOptions options = {});  // the host must outlive it
  ~TcpCarrier() override;

  // Errors: address_in_use (the port is taken, or the name is registered with EPMD already),
  // refused (no EPMD), and what else a dial to EPMD can end with. A carrier listens once.
  void listen(const std::string& node_name, Accepted accepted, Listening done) override;

  // Steps of DialError: "name" (not a node name, or a host name without a dot under long names, or
  // with one under short names), "address" (name lookup), "epmd" (no answer, or not registered),
  // "connect".
  std::unique_ptr<Dial> dial(const std::string& node_name, std::function<void()> progress, Dialled done) override;

  uint16_t port() const { return port_; }  // we listen on; 0 before

 private:
  class Registration;
  class TcpDial;

  Host& host_;
  const TcpOptions options_;
  uint16_t port_ = 0;
  std::unique_ptr<TcpListener> listener_;
  std::unique_ptr<Registration> registration_;
};

}  // namespace distlab::carrier
