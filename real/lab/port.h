// A host's network interface from the other side: what the host sends is read here, what is written
// here the host receives. Whole IPv4 packets with right checksums, no link layer.
//
// Two kinds with one face. tun: the kernel's device for this; needs /dev/net/tun to be open to this
// user. veth: the far end of a pair of virtual Ethernet devices lies in the lab's own network
// namespace and is read and written through a packet socket; any user can have it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "real/lab/fd.h"

namespace distlab::lab {

using EthernetAddress = std::array<uint8_t, 6>;
std::string to_text(const EthernetAddress& address);  // "02:00:00:00:00:01"

class Port {
 public:
  enum class Kind { tun, veth };

  Port(Fd tun, size_t mtu);
  // The destination is the Ethernet address of the host's end.
  Port(Fd packet_socket, int interface, const EthernetAddress& destination, size_t mtu);

  Kind kind() const { return interface_ == 0 ? Kind::tun : Kind::veth; }
  int fd() const { return fd_.get(); }  // non-blocking; readable when the host has sent something

  // Calls `each` with what the host has sent so far, at most `limit` packets; returns how many. The
  // bytes are there during the call only.
  size_t receive(const std::function<void(std::span<const uint8_t> packet)>& each, size_t limit = 64);
  // To the host. False: it was not taken (the host's interface is down, or the kernel has no room).
  bool send(std::span<const uint8_t> packet);

 private:
  size_t receive_tun(const std::function<void(std::span<const uint8_t>)>& each, size_t limit);
  size_t receive_veth(const std::function<void(std::span<const uint8_t>)>& each, size_t limit);

  Fd fd_;
  int interface_ = 0;  // of the far end; 0 for tun
  EthernetAddress destination_{};
  size_t mtu_;
  std::vector<uint8_t> buffer_;  // one packet, or a batch of them
};

// The two ways to open one; used by Lab, in the namespaces they belong to.
Result<Fd> open_tun(const std::string& interface);            // creates it here, in the caller's namespace
Result<Fd> open_packet_socket(const std::string& interface);  // of an interface in the caller's namespace

}  // namespace distlab::lab
