#include "sim/traffic.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <ns3/inet-socket-address.h>
#include <ns3/packet.h>
#include <ns3/simulator.h>
#include <ns3/socket.h>
#include <ns3/tcp-socket-factory.h>
#include <ns3/udp-socket-factory.h>

#include "sim/build.h"
#include "sim/network.h"
#include "sim/ns3_time.h"
#include "sim/simulator.h"
#include "sim/stock_network.h"

namespace distlab::sim {
namespace {

using Socket = ns3::Ptr<ns3::Socket>;

ns3::InetSocketAddress to_ns3(Endpoint endpoint) {
  return {ns3::Ipv4Address(endpoint.address.bits), endpoint.port};
}

class Replay {
 public:
  Replay(const scenario::Scenario& scenario, uint64_t seed, const TrafficLog& log, ReplayNetwork network)
      : log_(log), simulator_(seed), duration_(scenario.duration) {
    if (network == ReplayNetwork::ours) {
      build_ours(scenario, seed);
    } else {
      stock_.emplace(scenario, [this] { ++result_.packets; });
      machines_ = stock_->machines();
    }
    listen();
  }

  ReplayResult run() {
    schedule_next();
    simulator_.run_until(run_start + duration_);
    return result_;
  }

 private:
  void build_ours(const scenario::Scenario& scenario, uint64_t seed) {
    ours_.emplace(seed);
    build_network(scenario, *ours_);
    const auto add = [this](const std::string& host) { machines_[*ours_->address(host)] = ours_->node(host); };
    for (const auto& [key, relay] : scenario.relays) add(relay.host);
    for (const auto& [key, node] : scenario.nodes) add(node.host());
    ours_->on_delivery = [this](const std::string&, const Frame&) { ++result_.packets; };
  }

  // One step is scheduled at a time: a million events waiting would cost the scheduler time that the
  // run itself did not need.
  void schedule_next() {
    while (next_ < log_.steps.size() && !machines_.contains(log_.steps[next_].remote.address)) ++next_;
    if (next_ == log_.steps.size()) return;
    const TrafficLog::Step& step = log_.steps[next_++];
    // A moment later, so that what the step answers has arrived, and its connection is accepted.
    const Time at = run_start + step.at + Duration{1};
    ns3::Simulator::Schedule(ns3_delay(std::max(at - ns3_now(), Duration{0})), [this, &step] {
      apply(step);
      schedule_next();
    });
  }

  void listen() {
    std::set<Endpoint> served;
    for (const TrafficLog::Step& step : log_.steps) {
      if (step.kind != TrafficLog::Step::Kind::dial || !machines_.contains(step.remote.address)) continue;
      if (!served.insert(step.remote).second) continue;
      const Socket socket = make_socket(step.remote.address);
      socket->Bind(ns3::InetSocketAddress(ns3::Ipv4Address::GetAny(), step.remote.port));
      socket->Listen();
      socket->SetAcceptCallback(
          ns3::Callback<bool, Socket, const ns3::Address&>([](const Socket&, const ns3::Address&) { return true; }),
          ns3::Callback<void, Socket, const ns3::Address&>(
              [this, at = step.remote](const Socket& s, const ns3::Address& from) {
                const auto peer = ns3::InetSocketAddress::ConvertFrom(from);
                add(s, at, {Ipv4{peer.GetIpv4().Get()}, peer.GetPort()});
              }));
    }
  }

  Socket make_socket(Ipv4 address, const ns3::TypeId& factory = ns3::TcpSocketFactory::GetTypeId()) {
    return ns3::Socket::CreateSocket(machines_.at(address), factory);
  }

  // A UDP socket stays where it was once bound, whoever its process talks to.
  const Socket& udp_socket(Endpoint local) {
    Socket& socket = udp_sockets_[local];
    if (!socket) {
      socket = make_socket(local.address, ns3::UdpSocketFactory::GetTypeId());
      socket->Bind(ns3::InetSocketAddress(ns3::Ipv4Address::GetAny(), local.port));
      socket->SetRecvCallback(ns3::Callback<void, Socket>([this](const Socket& s) { drain(s); }));
    }
    return socket;
  }

  void add(const Socket& socket, Endpoint local, Endpoint remote) {
    socket->SetRecvCallback(ns3::Callback<void, Socket>([this](const Socket& s) { drain(s); }));
    sockets_[{local, remote}] = socket;
    drain(socket);  // what came together with the connection
  }

  void drain(const Socket& socket) {
    while (const ns3::Ptr<ns3::Packet> packet = socket->Recv()) {
      if (packet->GetSize() == 0) break;
      result_.bytes_received += packet->GetSize();
    }
  }

  void apply(const TrafficLog::Step& step) {
    if (step.kind == TrafficLog::Step::Kind::dial) {
      const Socket socket = make_socket(step.local.address);
      socket->Bind(ns3::InetSocketAddress(ns3::Ipv4Address::GetAny(), step.local.port));
      add(socket, step.local, step.remote);
      socket->Connect(to_ns3(step.remote));
      return;
    }
    if (step.kind == TrafficLog::Step::Kind::datagram) {
      udp_socket(step.remote);  // somebody is there
      udp_socket(step.local)->SendTo(ns3::Create<ns3::Packet>(step.bytes), 0, to_ns3(step.remote));
      return;
    }
    const auto found = sockets_.find({step.local, step.remote});
    if (found == sockets_.end()) return;
    found->second->Send(ns3::Create<ns3::Packet>(step.bytes));
  }

  const TrafficLog& log_;
  Simulator simulator_;
  std::optional<Network> ours_;
  std::optional<StockNetwork> stock_;
  Duration duration_;
  std::map<Ipv4, ns3::Ptr<ns3::Node>> machines_;
  std::map<std::pair<Endpoint, Endpoint>, Socket> sockets_;
  std::map<Endpoint, Socket> udp_sockets_;
  size_t next_ = 0;
  ReplayResult result_;
};

}  // namespace

ReplayResult replay(const scenario::Scenario& scenario, uint64_t seed, const TrafficLog& log, ReplayNetwork network) {
  return Replay(scenario, seed, log, network).run();
}

}  // namespace distlab::sim
