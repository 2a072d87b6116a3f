// Lab's ports.
#include <algorithm>

#include <fmt/format.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "real/lab/ethtool.h"
#include "real/lab/lab.h"

namespace distlab::lab {
namespace {
// Packets a TUN device keeps until they are read: a burst, or a reader that was late.
constexpr int tun_queue = 1000;

}  // namespace

// In the host's namespace, since a TUN device belongs to the one its file was opened in.
Result<Port> Lab::attach_tun(const Attachment& attachment, const std::string& interface) {
  Result<Fd> tun = tl::make_unexpected(std::string());
  if (Result<void> visited = within(attachment.host, [&] { tun = open_tun(interface); }); !visited) {
    return tl::make_unexpected(visited.error());
  }
  if (!tun) return tl::make_unexpected(tun.error());
  std::vector<std::string>& ip = at(attachment.host).ip;
  ip.push_back(fmt::format("link set {} mtu {} txqueuelen {} up", interface, attachment.mtu, tun_queue));
  ip.push_back(fmt::format("addr add {}/32 dev {}", attachment.address, interface));
  ip.push_back(fmt::format("route replace default dev {} src {}", interface, attachment.address));
  return Port(std::move(*tun), attachment.mtu);
}

Lab::FarEnd Lab::add_far_end(const Attachment& attachment, const std::string& interface) {
  FarEnd far_end{fmt::format("port{}", far_ends_++), next_ethernet_address()};
  // The far end's own address is another one, so that the kernel there takes the frames for somebody
  // else's and leaves them to the packet socket.
  const auto half = [&](const std::string& name, const EthernetAddress& address) {
    return fmt::format("index {} name {} address {} mtu {} arp off", next_index(), name, to_text(address),
                       attachment.mtu);
  };
  outside_.ip.push_back(fmt::format("link add {} netns {} type veth peer {}", half(interface, far_end.host_address),
                                    network_path(attachment.host), half(far_end.interface, next_ethernet_address())));
  outside_.ip.push_back(fmt::format("link set {} up", far_end.interface));
  std::vector<std::string>& ip = at(attachment.host).ip;
  ip.push_back(fmt::format("link set {} up", interface));
  ip.push_back(fmt::format("addr add {}/32 dev {}", attachment.address, interface));
  ip.push_back(
      fmt::format("route replace default via {} dev {} onlink src {}", next_hop, interface, attachment.address));
  return far_end;
}

// What leaves the host must be packets as they are on a wire: whole, with checksums, one at a time.
Result<Port> Lab::open_far_end(const Attachment& attachment, const std::string& interface, const FarEnd& far_end) {
  Result<void> ready =
      switch_off(at(attachment.host).control.get(), interface, Offload::segments)
          .and_then([&] { return switch_off(at(attachment.host).control.get(), interface, Offload::checksums); })
          .and_then([&] { return switch_off(outside_.control.get(), far_end.interface, Offload::segments); });
  if (ready) ready = wait_for_carrier(at(attachment.host), interface);
  if (ready) ready = wait_for_carrier(outside_, far_end.interface);
  if (!ready) return tl::make_unexpected(ready.error());
  Result<Fd> socket = open_packet_socket(far_end.interface);
  if (!socket) return tl::make_unexpected(socket.error());
  const int index = static_cast<int>(::if_nametoindex(far_end.interface.c_str()));
  return Port(std::move(*socket), index, far_end.host_address, attachment.mtu);
}

Result<std::vector<Port>> Lab::attach(const std::vector<Attachment>& attachments) {
  std::vector<std::optional<Port>> ports(attachments.size());
  struct Waiting {
    size_t number;
    std::string interface;
    FarEnd far_end;
  };
  std::vector<Waiting> waiting;
  for (size_t i = 0; i < attachments.size(); ++i) {
    const Attachment& attachment = attachments[i];
    const std::string interface = next_interface(attachment.host);
    if (attachment.kind != Attachment::Kind::veth) {
      Result<Port> port = attach_tun(attachment, interface);
      if (port) ports[i] = std::move(*port);
      if (!port && attachment.kind == Attachment::Kind::tun) {
        return tl::make_unexpected(fmt::format("{} (in {})", port.error(), at(attachment.host).name));
      }
    }
    if (!ports[i]) waiting.push_back({i, interface, add_far_end(attachment, interface)});
  }
  if (Result<void> applied = apply(); !applied) return tl::make_unexpected(applied.error());
  for (const Waiting& wait : waiting) {
    Result<Port> port = open_far_end(attachments[wait.number], wait.interface, wait.far_end);
    if (!port) return tl::make_unexpected(port.error());
    ports[wait.number] = std::move(*port);
  }
  std::vector<Port> result;
  result.reserve(ports.size());
  for (std::optional<Port>& port : ports) result.push_back(std::move(*port));
  return result;
}

}  // namespace distlab::lab
