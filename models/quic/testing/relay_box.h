// A box between client and server, as a NAT is: it forwards datagrams and can change the address
// under which the server sees the client.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

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
  // Sees, and may change, every datagram of both directions.
  void set_change(std::function<void(std::vector<uint8_t>&)> change) { change_ = std::move(change); }

 private:
  struct Side : UdpHandler {
    Side(RelayBox& owner, bool inner) : box(owner), inside(inner) {}
    void on_datagram(Endpoint remote, Bytes datagram) override {
      std::vector<uint8_t> bytes(datagram.begin(), datagram.end());
      if (box.change_) box.change_(bytes);
      if (inside) {
        box.client_ = remote;
        box.outside_.socket->send_to(box.server_, bytes);
      } else if (box.client_) {
        box.inside_.socket->send_to(*box.client_, bytes);
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
  std::function<void(std::vector<uint8_t>&)> change_;
};

}  // namespace distlab::quic::testing
