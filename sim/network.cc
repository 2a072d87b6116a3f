#include "sim/network.h"

#include <algorithm>
#include <cassert>
#include <unordered_map>

#include <fmt/format.h>
#include <ns3/boolean.h>
#include <ns3/internet-stack-helper.h>
#include <ns3/ipv4-interface-address.h>
#include <ns3/ipv4-static-routing-helper.h>
#include <ns3/ipv4-static-routing.h>
#include <ns3/ipv4.h>
#include <ns3/mac48-address.h>

#include "sim/linux_tcp.h"
#include "sim/machine_device.h"
#include "sim/ns3_time.h"
#include "sim/pcap.h"

namespace distlab::sim {

struct Network::Machine : PacketSink {
  Machine(Network& network, std::string host_name, Site& at) : net(network), name(std::move(host_name)), site(at) {}

  void receive(const Frame& frame) override {
    if (net.on_delivery) net.on_delivery(name, frame);
    if (device) return device->deliver(frame);
    if (capture) capture->write(ns3_now(), *frame.packet);
    net.packet_.resize(frame.bytes);
    frame.packet->CopyData(net.packet_.data(), frame.bytes);
    to_port(net.packet_);
  }

  Network& net;
  std::string name;
  Site& site;
  Ipv4 address;
  ns3::Ptr<ns3::Node> node;
  ns3::Ptr<MachineDevice> device;  // null for a port
  Deliver to_port;
  std::unique_ptr<PcapWriter> capture;
  std::unique_ptr<Wire> out, in;
  std::multimap<std::pair<Transport, uint16_t>, Ipv4> bound;  // ports processes listen on
};

// A site router and its two sides, towards the machines and towards the wide area.
struct Network::Site {
  struct Up : PacketSink {  // from a machine
    explicit Up(Site& of) : site(of) {}
    void receive(const Frame& frame) override {
      if (site.contains(frame.destination)) {
        site.deliver(frame);
      } else {
        site.out->send(frame);
      }
    }
    Site& site;
  };
  struct Away : PacketSink {  // from the uplink into the wide area
    explicit Away(Site& of) : site(of) {}
    void receive(const Frame& frame) override { site.net.across(frame, site); }
    Site& site;
  };
  struct Arrived : PacketSink {  // from a path, to the uplink of the destination
    explicit Arrived(Site& of) : site(of) {}
    void receive(const Frame& frame) override { site.in->send(frame); }
    Site& site;
  };
  struct Down : PacketSink {  // from the uplink, to a machine
    explicit Down(Site& of) : site(of) {}
    void receive(const Frame& frame) override { site.deliver(frame); }
    Site& site;
  };

  Site(Network& network, std::string site_name, size_t site_index, LinkProperties access_properties)
      : net(network), name(std::move(site_name)), index(site_index), access(access_properties) {}

  uint32_t prefix() const { return 0x0a000000u | static_cast<uint32_t>(index) << 8; }
  bool contains(Ipv4 address) const { return (address.bits & 0xffffff00u) == prefix(); }
  void deliver(const Frame& frame) {
    const uint32_t number = frame.destination.bits & 0xff;
    if (contains(frame.destination) && number >= 1 && number <= machines.size()) {
      machines[number - 1]->in->send(frame);
    }
  }

  Network& net;
  std::string name;
  size_t index;
  LinkProperties access;
  std::vector<Machine*> machines;
  Up up{*this};
  Away away{*this};
  Arrived arrived{*this};
  Down down{*this};
  std::unique_ptr<Wire> out, in;
  std::unordered_map<size_t, std::unique_ptr<Wire>> paths;  // to the site of this index; only looked up
};

Network::Network(uint64_t seed) : seed_(seed) {
  by_index_.push_back(nullptr);
}

Network::~Network() = default;

void Network::add_site(const std::string& name, const LinkProperties& uplink, const LinkProperties& access) {
  assert(!sites_.contains(name) && by_index_.size() < 65536);
  auto site = std::make_unique<Site>(*this, name, by_index_.size(), access);
  site->out = std::make_unique<Wire>(seed_, name + " uplink out", uplink, site->away);
  site->in = std::make_unique<Wire>(seed_, name + " uplink in", uplink, site->down);
  sites_[name] = site.get();
  by_index_.push_back(std::move(site));
}

Network::Machine& Network::plug_in(const std::string& host_name, const std::string& site_name) {
  assert(!machines_.contains(host_name));
  Site& at = site(site_name);
  auto machine = std::make_unique<Machine>(*this, host_name, at);
  at.machines.push_back(machine.get());
  assert(at.machines.size() <= 254);
  machine->address = Ipv4{at.prefix() | static_cast<uint32_t>(at.machines.size())};
  machine->out = std::make_unique<Wire>(seed_, host_name + " access out", at.access, at.up);
  machine->in = std::make_unique<Wire>(seed_, host_name + " access in", at.access, *machine);
  return *(machines_[host_name] = std::move(machine));
}

void Network::add_machine(const std::string& host_name, const std::string& site_name) {
  Machine* const machine = &plug_in(host_name, site_name);
  machine->node = ns3::CreateObject<ns3::Node>();
  machine->device = ns3::CreateObject<MachineDevice>();
  machine->device->SetAddress(ns3::Mac48Address::Allocate());
  machine->device->set_out(*machine->out);
  machine->node->AddDevice(machine->device);

  ns3::InternetStackHelper stack;
  stack.SetIpv6StackInstall(false);
  stack.SetTcp("distlab::sim::LinuxTcp");
  const ns3::Ipv4StaticRoutingHelper routing;
  stack.SetRoutingHelper(routing);
  stack.Install(machine->node);
  const ns3::Ptr<ns3::Ipv4> ip = machine->node->GetObject<ns3::Ipv4>();
  const uint32_t interface = ip->AddInterface(machine->device);
  ip->AddAddress(interface, {ns3::Ipv4Address(machine->address.bits), ns3::Ipv4Mask("255.255.255.255")});
  ip->SetUp(interface);
  routing.GetStaticRouting(ip)->SetDefaultRoute(ns3::Ipv4Address(machine->site.prefix() | 254u), interface);
}

void Network::add_port(const std::string& host_name, const std::string& site_name, Deliver deliver) {
  plug_in(host_name, site_name).to_port = std::move(deliver);
}

bool Network::send(const std::string& host_name, Bytes packet) {
  constexpr size_t header = 20, source = 12, destination = 16;
  if (packet.size() < header || packet[0] >> 4 != 4) return false;
  const auto address = [&](size_t at) {
    return Ipv4{uint32_t{packet[at]} << 24 | uint32_t{packet[at + 1]} << 16 | uint32_t{packet[at + 2]} << 8 |
                packet[at + 3]};
  };
  const Machine& from = machine(host_name);
  const auto size = static_cast<uint32_t>(packet.size());
  const auto copy = ns3::Create<ns3::Packet>(packet.data(), size);
  if (from.capture) from.capture->write(ns3_now(), *copy);
  from.out->send({copy, address(source), address(destination), size});
  return true;
}

void Network::set_default_path(const LinkProperties& properties) {
  default_path_ = properties;
}

void Network::set_path(const std::string& from, const std::string& to, const LinkProperties& properties) {
  path_properties_[{from, to}] = properties;
}

ns3::Ptr<ns3::Node> Network::node(const std::string& host_name) const {
  return machine(host_name).node;
}

std::optional<Ipv4> Network::address(const std::string& host_name) const {
  const auto found = machines_.find(host_name);
  if (found == machines_.end()) return std::nullopt;
  return found->second->address;
}

bool Network::bind(const std::string& host_name, Transport transport, Endpoint local) {
  auto& bound = machines_.at(host_name)->bound;
  const auto [first, last] = bound.equal_range({transport, local.port});
  for (auto it = first; it != last; ++it) {
    if (it->second == local.address || it->second == any_address || local.address == any_address) return false;
  }
  bound.emplace(std::pair{transport, local.port}, local.address);
  return true;
}

void Network::unbind(const std::string& host_name, Transport transport, Endpoint local) {
  auto& bound = machines_.at(host_name)->bound;
  const auto [first, last] = bound.equal_range({transport, local.port});
  const auto found = std::find_if(first, last, [&](const auto& entry) { return entry.second == local.address; });
  assert(found != last);
  bound.erase(found);
}

Duplex Network::access(const std::string& host_name) {
  const Machine& m = machine(host_name);
  return {m.out.get(), m.in.get()};
}

Duplex Network::uplink(const std::string& name) {
  return {site(name).out.get(), site(name).in.get()};
}

Duplex Network::path(const std::string& site_a, const std::string& site_b) {
  return {&path_wire(site(site_a), site(site_b)), &path_wire(site(site_b), site(site_a))};
}

void Network::partition(const std::vector<std::set<std::string>>& groups) {
  group_of_.clear();
  for (size_t i = 0; i < groups.size(); ++i) {
    for (const std::string& name : groups[i]) group_of_[name] = i;
  }
}

void Network::cut(const std::string& from, const std::string& to, bool on) {
  const auto pair = std::make_pair(site(from).index, site(to).index);
  if (on) {
    cuts_.insert(pair);
  } else {
    cuts_.erase(pair);
  }
}

void Network::capture(const std::string& host_name, std::unique_ptr<PcapWriter> writer) {
  Machine& m = *machines_.at(host_name);
  m.capture = std::move(writer);
  if (m.device) m.device->set_capture(m.capture.get());
}

Network::Site& Network::site(const std::string& name) {
  return *sites_.at(name);
}

const Network::Machine& Network::machine(const std::string& host_name) const {
  return *machines_.at(host_name);
}

Wire& Network::path_wire(Site& from, Site& to) {
  std::unique_ptr<Wire>& wire = from.paths[to.index];
  if (!wire) {
    const auto given = path_properties_.find({from.name, to.name});
    wire = std::make_unique<Wire>(seed_, fmt::format("path {}->{}", from.name, to.name),
                                  given == path_properties_.end() ? default_path_ : given->second, to.arrived);
  }
  return *wire;
}

void Network::across(const Frame& frame, Site& from) {
  const size_t index = frame.destination.bits >> 8 & 0xffff;
  if (frame.destination.bits >> 24 != 10 || index == 0 || index >= by_index_.size()) return;  // no route
  Site& to = *by_index_[index];
  if (!cuts_.empty() && cuts_.contains({from.index, to.index})) return;
  if (!group_of_.empty()) {
    const auto a = group_of_.find(from.name), b = group_of_.find(to.name);
    if (a != group_of_.end() && b != group_of_.end() && a->second != b->second) return;
  }
  path_wire(from, to).send(frame);
}

}  // namespace distlab::sim
