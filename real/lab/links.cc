// Lab's links, and what is done to them. Here it is only written down; apply() does it.
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

#include "real/lab/lab.h"

namespace distlab::lab {
namespace {

constexpr uint64_t held_bps = 8;  // a byte per second, the least that tc takes
constexpr uint64_t unlimited_bps = 100'000'000'000;
constexpr uint32_t held_packets = 100'000;  // as in the simulated network

}  // namespace

std::string Lab::next_interface(HostId host) {
  return fmt::format("eth{}", at(host).interfaces++);
}

// Each is of this lab only, so counting is enough. 02: not of a manufacturer.
EthernetAddress Lab::next_ethernet_address() {
  const uint32_t number = ++ethernet_addresses_;
  const auto byte = [number](unsigned shift) { return static_cast<uint8_t>(number >> shift & 0xffU); };
  return {0x02, 0x00, byte(24), byte(16), byte(8), byte(0)};
}

// `ip` opens what has a slash in it, so a namespace needs no name.
std::string Lab::network_path(HostId host) const {
  return fmt::format("/proc/self/fd/{}", at(host).network.get());
}

LinkId Lab::link(const LinkEnd& a, const LinkEnd& b, uint32_t mtu) {
  Link link;
  link.mtu = mtu;
  // One address for both ends: without ARP a sender addresses frames to itself, and so to the other.
  const std::string ethernet = to_text(next_ethernet_address());
  const auto make_end = [&](const LinkEnd& spec) {
    End end{.host = spec.host, .interface = next_interface(spec.host), .address = spec.address};
    std::vector<std::string>& ip = at(spec.host).ip;
    ip.push_back(fmt::format("link set {} up", end.interface));
    if (!spec.address.empty()) ip.push_back(fmt::format("addr add {}/32 dev {}", spec.address, end.interface));
    return end;
  };
  const auto half = [&](const End& end) {
    return fmt::format("index {} name {} netns {} address {} mtu {} arp off", next_index(), end.interface,
                       network_path(end.host), ethernet, mtu);
  };
  link.a = make_end(a);
  link.b = make_end(b);
  outside_.ip.push_back(fmt::format("link add {} type veth peer {}", half(link.a), half(link.b)));
  links_.push_back(std::move(link));
  const LinkId id{links_.size() - 1};
  unsettled_.insert(id);
  superpackets_.insert(id);
  return id;
}

std::string Lab::route_command(const End& end, const std::string& destination) {
  return fmt::format("route replace {} via {} dev {} onlink{}", destination, next_hop, end.interface,
                     end.address.empty() ? "" : " src " + end.address);
}

void Lab::route(LinkId link, Side side, const std::string& destination) {
  End& from = end(at(link), side);
  from.routes.push_back(destination);
  at(from.host).ip.push_back(route_command(from, destination));
}

void Lab::shape(LinkId link, Direction direction, const Shape& shape) {
  sending_end(at(link), direction).wanted = shape;
  reshape(link, direction);
}

// The queue of a rate that is next to nothing holds packets. Afterwards tbf remains, at a rate that is
// no limit, since its queue would go with it.
void Lab::hold(LinkId link, Direction direction, bool on) {
  End& from = sending_end(at(link), direction);
  if (from.held == on) return;
  from.held = on;
  from.was_held = true;
  nudges_.emplace(link, direction);
  reshape(link, direction);
}

void Lab::reshape(LinkId id, Direction direction) {
  const Link& link = at(id);
  End& from = sending_end(at(id), direction);
  Shape shape = from.wanted;
  if (from.held || (from.was_held && shape.rate_bps == 0)) {
    shape.rate_bps = from.held ? held_bps : unlimited_bps;
    shape.queue = held_packets;
  }
  const std::vector<std::string> commands = tc_commands(from.interface, link.mtu, from.at_present, shape);
  from.at_present = shape;
  std::vector<std::string>& tc = at(from.host).tc;
  tc.insert(tc.end(), commands.begin(), commands.end());
}

// A frame that the other end ignores. tbf begins with the right to send one packet of full size at
// once, which this one uses up; and it looks at a changed rate only when a packet comes.
Result<void> Lab::nudge(const Link& link, const End& from) const {
  constexpr size_t ethernet_header = 14;
  constexpr size_t protocol_at = 12;
  std::vector<uint8_t> frame(link.mtu + ethernet_header);
  frame[protocol_at] = 0x88;  // 0x88b5: for local experiments (IEEE 802)
  frame[protocol_at + 1] = 0xb5;
  bool sent = false;
  int error = 0;
  Result<void> entered = within(from.host, [&] {
    const Fd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = static_cast<int>(::if_nametoindex(from.interface.c_str()));
    sent = ::sendto(socket.get(), frame.data(), frame.size(), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to),
                    sizeof to) >= 0;
    error = errno;
  });
  if (!entered) return entered;
  // ENETDOWN and ENOBUFS: the interface is down or loses what comes; then nothing is held either.
  if (sent || error == ENETDOWN || error == ENOBUFS) return {};
  return failure(fmt::format("sending a frame through {} (in {})", from.interface, at(from.host).name), error);
}

// The kernel forgets routes with their interface.
void Lab::set_up(LinkId id, Side side, bool up) {
  End& which = end(at(id), side);
  if (which.up == up) return;
  which.up = up;
  unsettled_.insert(id);
  Host& host = at(which.host);
  host.ip.push_back(fmt::format("link set {} {}", which.interface, up ? "up" : "down"));
  for (const std::string& destination : which.routes) {
    const std::string hole = fmt::format("blackhole {} metric 4294967295", destination);
    if (host.role == Role::router) host.ip.push_back(fmt::format("route {} {}", up ? "del" : "add", hole));
    if (up) host.ip.push_back(route_command(which, destination));
  }
}

void Lab::drop(LinkId link, Direction direction, bool on) {
  End& receiver = receiving_end(at(link), direction);
  receiver.dropped = on;
  at(receiver.host).rules_changed = true;
}

void Lab::drop(const Drop& drop, bool on) {
  if (on) {
    drops_.insert(drop);
  } else {
    drops_.erase(drop);
  }
  at(drop.host).rules_changed = true;
}

// All rules of a host, which take the place of those before in one transaction.
std::vector<std::string> Lab::rules(HostId host) const {
  // Before connection tracking and routing.
  std::vector<std::string> lines{"add table ip distlab", "delete table ip distlab", "add table ip distlab",
                                 "add chain ip distlab drops { type filter hook prerouting priority -300 ; }"};
  for (const Link& link : links_) {
    for (const End* end : {&link.a, &link.b}) {
      if (end->host == host && end->dropped) {
        lines.push_back(fmt::format("add rule ip distlab drops iifname \"{}\" drop", end->interface));
      }
    }
  }
  for (const Drop& drop : drops_) {
    if (drop.host != host) continue;
    std::string match;
    if (!drop.source.empty()) match += fmt::format("ip saddr {} ", drop.source);
    if (!drop.destination.empty()) match += fmt::format("ip daddr {} ", drop.destination);
    lines.push_back(fmt::format("add rule ip distlab drops {}drop", match));
  }
  return lines;
}

}  // namespace distlab::lab
