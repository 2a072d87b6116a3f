// A box between client and server, as a NAT is: it forwards datagrams and can change the address
// under which the server sees the client.
#pragma once

#include <memory>
#include <optional>

#include "models/host/test_host.h"

namespace distlab::quic::testing {

class RelayBox {
 public:
  RelayBox(TestWorld& world, Ipv4 address, Endpoint server)
      : host_(world.add_host("box", address)), server_(server), inside_(*this, true), outside_(*this, false) {
    inside_.socket = host_.open_udp({any_address, server.port}, inside_).value();
    rebind();
  }
  Endpoint entrance() const { return {host_.address(), inside_.socket->local().port}; }
  Endpoint exit() const { return {host_.address(), outside_.socket->local().port}; }
  void rebind() { outside_.socket = host_.open_udp({any_address, 0}, outside_).value(); }
  void set_inwards(bool on) { inwards_ = on; }

 private:
  struct Side : UdpHandler {
    Side(RelayBox& owner, bool inner) : box(owner), inside(inner) {}
    void on_datagram(Endpoint remote, Bytes datagram) override {
      if (inside) {
        box.client_ = remote;
        box.outside_.socket->send_to(box.server_, datagram);
      } else if (box.client_ && box.inwards_) {
        box.inside_.socket->send_to(*box.client_, datagram);
      }
    }
    RelayBox& box;
    bool inside;
    std::unique_ptr<UdpSocket> socket;
  };

  TestHost& host_;
  Endpoint server_;
  Side inside_, outside_;
  std::optional<Endpoint> client_;
  bool inwards_ = true;
};

}  // namespace distlab::quic::testing
