#include "real/lab/port.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace distlab::lab {
namespace {

constexpr size_t batch = 32;  // packets read with one system call
// Room for a burst between two looks at the socket. The kernel gives what net.core.rmem_max allows.
constexpr int receive_buffer = 8 << 20;

}  // namespace

std::string to_text(const EthernetAddress& address) {
  return fmt::format("{:02x}", fmt::join(address, ":"));
}

Port::Port(Fd tun, size_t mtu) : fd_(std::move(tun)), mtu_(mtu), buffer_(mtu) {}

Port::Port(Fd packet_socket, int interface, const EthernetAddress& destination, size_t mtu)
    : fd_(std::move(packet_socket)),
      interface_(interface),
      destination_(destination),
      mtu_(mtu),
      buffer_(mtu * batch) {}

size_t Port::receive(const std::function<void(std::span<const uint8_t>)>& each, size_t limit) {
  return kind() == Kind::tun ? receive_tun(each, limit) : receive_veth(each, limit);
}

size_t Port::receive_tun(const std::function<void(std::span<const uint8_t>)>& each, size_t limit) {
  for (size_t count = 0; count < limit; ++count) {
    const ssize_t length = ::read(fd_.get(), buffer_.data(), buffer_.size());
    if (length <= 0) return count;
    each({buffer_.data(), static_cast<size_t>(length)});
  }
  return limit;
}

size_t Port::receive_veth(const std::function<void(std::span<const uint8_t>)>& each, size_t limit) {
  std::array<mmsghdr, batch> messages{};
  std::array<iovec, batch> vectors{};
  size_t count = 0;
  while (count < limit) {
    const size_t wanted = std::min(batch, limit - count);
    for (size_t i = 0; i < wanted; ++i) {
      vectors[i] = {&buffer_[i * mtu_], mtu_};
      messages[i].msg_hdr = {};
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int got = ::recvmmsg(fd_.get(), messages.data(), static_cast<unsigned>(wanted), MSG_DONTWAIT, nullptr);
    if (got <= 0) break;
    for (size_t i = 0; i < static_cast<size_t>(got); ++i) each({&buffer_[i * mtu_], messages[i].msg_len});
    count += static_cast<size_t>(got);
    if (static_cast<size_t>(got) < wanted) break;
  }
  return count;
}

bool Port::send(std::span<const uint8_t> packet) {
  if (kind() == Kind::tun)
    return ::write(fd_.get(), packet.data(), packet.size()) == static_cast<ssize_t>(packet.size());
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_protocol = htons(ETH_P_IP);
  to.sll_ifindex = interface_;
  to.sll_halen = sizeof destination_;
  std::copy(destination_.begin(), destination_.end(), std::begin(to.sll_addr));
  return ::sendto(fd_.get(), packet.data(), packet.size(), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to),
                  sizeof to) == static_cast<ssize_t>(packet.size());
}

Result<Fd> open_tun(const std::string& interface) {
  Fd tun(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!tun) {
    return failure("opening /dev/net/tun", errno);
  }
  ifreq request{};
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (::ioctl(tun.get(), TUNSETIFF, &request) != 0) {
    return failure(fmt::format("creating the TUN device {}", interface), errno);
  }
  // It ends with its namespace, not with its file: a hundred that end one by one take two seconds.
  if (::ioctl(tun.get(), TUNSETPERSIST, 1) != 0) {
    return failure(fmt::format("keeping the TUN device {}", interface), errno);
  }
  return tun;
}

Result<Fd> open_packet_socket(const std::string& interface) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_IP);
  address.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
  if (address.sll_ifindex == 0) return failure(fmt::format("looking for interface {}", interface), errno);
  // Without a protocol until it is bound, or it would hear all interfaces meanwhile.
  Fd socket(::socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return failure("opening a packet socket", errno);
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer) != 0) {
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return failure(fmt::format("binding a packet socket to {}", interface), errno);
  }
  return socket;
}

}  // namespace distlab::lab
