#include "models/host/test_net.h"

#include <algorithm>
#include <cassert>

namespace distlab::test_net {
namespace {

constexpr size_t udp_receive_buffer = 212'992;  // Linux: net.core.rmem_default
constexpr size_t largest_datagram = 65'507;     // 65535 less the IPv4 and UDP headers

bool is_loopback(Ipv4 address) {
  return address.bits >> 24 == 127;
}

bool reliable(Packet::Kind kind) {
  return kind == Packet::Kind::data || kind == Packet::Kind::fin || kind == Packet::Kind::ack;
}

}  // namespace

EventQueue::Key EventQueue::push(Time at, std::function<void()> fn) {
  assert(at >= now_);
  const Key key{at, next_sequence_++};
  events_.emplace_hint(events_.end(), key, std::move(fn));
  return key;
}

void EventQueue::run_next() {
  auto event = events_.extract(events_.begin());
  now_ = event.key().first;
  event.mapped()();
}

void EventQueue::advance_to(Time at) {
  assert(!due_by(at));
  now_ = at;
}

void Network::add_machine(Ipv4 address) {
  machines_.try_emplace(address);
}

// The machine a process reaches at an address: 127/8 is its own, unless a test made a machine there.
Ipv4 Network::machine_of(const TestHost& process, Ipv4 address) const {
  return is_loopback(address) && !machines_.contains(address) ? process.address() : address;
}

bool Network::taken(Ipv4 machine, Endpoint local, bool udp) const {
  const auto clash = [&](Ipv4 other_machine, Endpoint other) {
    return other_machine == machine && other.port == local.port &&
           (other.address == local.address || other.address == any_address || local.address == any_address);
  };
  if (udp) {
    return std::any_of(udp_.begin(), udp_.end(),
                       [&](const auto& s) { return clash(s.second->machine, s.second->local); });
  }
  return std::any_of(listeners_.begin(), listeners_.end(),
                     [&](const auto& l) { return clash(l.second->machine, l.second->local); });
}

uint16_t Network::ephemeral_port(Ipv4 machine, bool udp) {
  uint16_t& next = machines_.at(machine).next_port;
  for (int tries = 0; tries <= 65535 - 49152; ++tries) {
    const uint16_t port = next;
    next = next == 65535 ? 49152 : static_cast<uint16_t>(next + 1);
    if (!taken(machine, {any_address, port}, udp)) return port;
  }
  return 0;
}

tl::expected<Endpoint, NetError> Network::bind(const TestHost& process, Endpoint local, bool udp) {
  if (local.address != any_address && machine_of(process, local.address) != process.address()) {
    return tl::unexpected(NetError::unreachable);
  }
  if (local.port == 0) {
    local.port = ephemeral_port(process.address(), udp);
    if (local.port == 0) return tl::unexpected(NetError::limit);
  } else if (taken(process.address(), local, udp)) {
    return tl::unexpected(NetError::address_in_use);
  }
  return local;
}

void Network::process_died(TestHost& process) {
  std::vector<std::shared_ptr<TcpEnd>> ends;
  for (const auto& [id, end] : ends_) {
    if (end->process == &process) ends.push_back(end);
  }
  for (const auto& end : ends) {
    if (end->listener == 0) close(*end);  // the others go with their listener
  }
  std::vector<std::shared_ptr<Listener>> listeners;
  for (const auto& [id, listener] : listeners_) {
    if (listener->process == &process) listeners.push_back(listener);
  }
  for (const auto& listener : listeners) close(*listener);
  std::erase_if(udp_, [&](const auto& socket) { return socket.second->process == &process; });
}

// --- Links ------------------------------------------------------------------------------------

void Network::send(Packet packet, Time arrival) {
  if (!machines_.contains(packet.to_machine)) return;  // nobody answers, as beyond a silent router
  queue_.push(arrival, [this, packet = std::move(packet)]() mutable { gate(std::move(packet)); });
}

// Faults act where the link ends, so that they also catch what is on its way.
void Network::gate(Packet packet) {
  Link& at = link(packet.from_machine, packet.to_machine);
  if (!at.black_hole && !at.held) return arrive(packet);
  if (at.black_hole && !reliable(packet.kind)) return;
  if (packet.kind == Packet::Kind::ack) {
    watch_for_give_up(packet.to_end);
  } else if (reliable(packet.kind)) {
    watch_for_give_up(packet.from_end);
  }
  at.waiting.push_back(std::move(packet));
}

// At once and in order, before anything that is still on its way.
void Network::flush(Ipv4 from, Ipv4 to) {
  Link& at = link(from, to);
  if (at.held || at.black_hole) return;
  for (Packet& packet : std::exchange(at.waiting, {})) arrive(packet);
}

void Network::arrive(Packet& packet) {
  switch (packet.kind) {
    case Packet::Kind::syn:
      return arrive_syn(packet);
    case Packet::Kind::syn_ack:
      return arrive_syn_ack(packet);
    case Packet::Kind::ack:
      return arrive_ack(packet);
    case Packet::Kind::data:
      return arrive_data(packet);
    case Packet::Kind::fin:
      return arrive_fin(packet);
    case Packet::Kind::rst:
      return arrive_rst(packet);
    case Packet::Kind::datagram:
      return arrive_datagram(packet);
  }
}

// --- UDP --------------------------------------------------------------------------------------

tl::expected<std::shared_ptr<UdpEnd>, NetError> Network::open_udp(TestHost& process, Endpoint local,
                                                                  UdpHandler& handler) {
  const auto bound = bind(process, local, true);
  if (!bound) return tl::unexpected(bound.error());
  auto socket = std::make_shared<UdpEnd>();
  socket->id = next_id_++;
  socket->process = &process;
  socket->machine = process.address();
  socket->local = *bound;
  socket->handler = &handler;
  udp_.emplace(socket->id, socket);
  return socket;
}

bool Network::send_to(UdpEnd& socket, Endpoint remote, Bytes datagram) {
  if (!udp_.contains(socket.id) || datagram.size() > largest_datagram) return false;
  Packet packet;
  packet.kind = Packet::Kind::datagram;
  packet.from_machine = socket.machine;
  packet.to_machine = machine_of(*socket.process, remote.address);
  packet.from = socket.local;
  if (packet.from.address == any_address) {
    packet.from.address =
        is_loopback(remote.address) && packet.to_machine == socket.machine ? remote.address : socket.machine;
  }
  packet.to = remote;
  packet.bytes.assign(datagram.begin(), datagram.end());
  const Link& over = link(packet.from_machine, packet.to_machine);
  Duration delay = delay_of(packet.from_machine, packet.to_machine);
  if (over.udp_hook) {
    const auto extra = over.udp_hook(packet.from, packet.to, datagram);
    if (!extra) return true;
    delay += *extra;
  }
  send(std::move(packet), queue_.now() + delay);
  return true;
}

void Network::arrive_datagram(Packet& packet) {
  for (const auto& [id, socket] : udp_) {
    if (socket->machine != packet.to_machine || socket->local.port != packet.to.port) continue;
    if (socket->local.address != any_address && socket->local.address != packet.to.address) continue;
    if (socket->received_bytes + packet.bytes.size() > udp_receive_buffer) return;
    socket->received_bytes += packet.bytes.size();
    socket->received.emplace_back(packet.from, std::move(packet.bytes));
    socket->process->post([this, socket = socket] { deliver_datagram(*socket); });
    return;
  }
}

void Network::deliver_datagram(UdpEnd& socket) {
  if (!udp_.contains(socket.id) || socket.received.empty()) return;
  const auto [from, bytes] = std::move(socket.received.front());
  socket.received.pop_front();
  socket.received_bytes -= bytes.size();
  socket.handler->on_datagram(from, bytes);
}

Duration Network::delay_of(Ipv4 from, Ipv4 to) {
  const Link& over = link(from, to);
  if (over.delay) return *over.delay;
  return from == to ? Duration{0} : default_delay_;
}

}  // namespace distlab::test_net
