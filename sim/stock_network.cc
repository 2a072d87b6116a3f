#include "sim/stock_network.h"

#include <cassert>
#include <utility>

#include <ns3/data-rate.h>
#include <ns3/drop-tail-queue.h>
#include <ns3/internet-stack-helper.h>
#include <ns3/ipv4-interface-address.h>
#include <ns3/ipv4-static-routing-helper.h>
#include <ns3/ipv4-static-routing.h>
#include <ns3/ipv4.h>
#include <ns3/mac48-address.h>
#include <ns3/point-to-point-channel.h>
#include <ns3/point-to-point-net-device.h>
#include <ns3/queue-size.h>

#include "sim/ns3_time.h"

namespace distlab::sim {
namespace {

constexpr uint64_t any_rate = 100'000'000'000;  // PointToPoint wants one; so high that it costs no time

ns3::Ptr<ns3::Node> make_node() {
  auto node = ns3::CreateObject<ns3::Node>();
  ns3::InternetStackHelper stack;
  stack.SetIpv6StackInstall(false);
  const ns3::Ipv4StaticRoutingHelper routing;
  stack.SetRoutingHelper(routing);
  stack.Install(node);
  return node;
}

ns3::Ptr<ns3::Ipv4StaticRouting> routes_of(const ns3::Ptr<ns3::Node>& node) {
  return ns3::Ipv4StaticRoutingHelper().GetStaticRouting(node->GetObject<ns3::Ipv4>());
}

// Returns the number of the new interface.
uint32_t plug(const ns3::Ptr<ns3::Node>& node, const ns3::Ptr<ns3::PointToPointChannel>& channel,
              const scenario::LinkProperties& link, Ipv4 address) {
  auto device = ns3::CreateObject<ns3::PointToPointNetDevice>();
  device->SetAddress(ns3::Mac48Address::Allocate());
  device->SetDataRate(ns3::DataRate(link.rate_bps == 0 ? any_rate : link.rate_bps));
  auto queue = ns3::CreateObject<ns3::DropTailQueue<ns3::Packet>>();
  queue->SetMaxSize(ns3::QueueSize(ns3::QueueSizeUnit::PACKETS, link.queue));
  device->SetQueue(queue);
  node->AddDevice(device);
  device->Attach(channel);
  const auto ip = node->GetObject<ns3::Ipv4>();
  const uint32_t interface = ip->AddInterface(device);
  ip->AddAddress(interface, {ns3::Ipv4Address(address.bits), ns3::Ipv4Mask("255.255.255.255")});
  ip->SetUp(interface);
  return interface;
}

ns3::Ptr<ns3::PointToPointChannel> make_channel(Duration delay) {
  auto channel = ns3::CreateObject<ns3::PointToPointChannel>();
  channel->SetAttribute("Delay", ns3::TimeValue(ns3_delay(delay)));
  return channel;
}

}  // namespace

StockNetwork::StockNetwork(const scenario::Scenario& scenario, std::function<void()> on_delivery)
    : on_delivery_(std::move(on_delivery)) {
  const auto core = make_node();
  uint32_t index = 0;
  for (const auto& [name, site] : scenario.sites) {
    ++index;
    Router& router = routers_[name];
    router.node = make_node();
    router.prefix = cast::network_of(scenario, name).bits;
    const auto channel = make_channel(site.uplink.delay + scenario.default_path.delay / 2);
    const uint32_t up = plug(router.node, channel, site.uplink, Ipv4{router.prefix | 254u});
    const uint32_t down = plug(core, channel, site.uplink, Ipv4{0xc0a80000u | index});
    routes_of(router.node)->SetDefaultRoute(ns3::Ipv4Address(0xc0a80000u | index), up);
    routes_of(core)->AddNetworkRouteTo(ns3::Ipv4Address(router.prefix), ns3::Ipv4Mask("255.255.255.0"), down);
  }
  for (const cast::Machine& machine : cast::machines(scenario)) {
    add_machine(machine, scenario.sites.at(machine.site).lan);
  }
}

void StockNetwork::add_machine(const cast::Machine& machine, const scenario::LinkProperties& lan) {
  Router& router = routers_.at(machine.site);
  const auto node = make_node();
  const auto channel = make_channel(lan.delay);
  const uint32_t out = plug(node, channel, lan, machine.address);
  const uint32_t in = plug(router.node, channel, lan, Ipv4{router.prefix | 254u});
  routes_of(node)->SetDefaultRoute(ns3::Ipv4Address(router.prefix | 254u), out);
  routes_of(router.node)->AddHostRouteTo(ns3::Ipv4Address(machine.address.bits), in);
  // MacRx: PointToPointNetDevice has received a whole packet.
  node->GetDevice(1)->TraceConnectWithoutContext(
      "MacRx", ns3::Callback<void, ns3::Ptr<const ns3::Packet>>([this](const auto&) { on_delivery_(); }));
  machines_[machine.address] = node;
}

}  // namespace distlab::sim
