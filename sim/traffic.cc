#include "sim/traffic.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include <ns3/inet-socket-address.h>
#include <ns3/packet.h>
#include <ns3/simulator.h>
#include <ns3/socket.h>
#include <ns3/tcp-socket-factory.h>

#include "sim/build.h"
#include "sim/network.h"
#include "sim/ns3_time.h"
#include "sim/simulator.h"

namespace distlab::sim {
namespace {

using Socket = ns3::Ptr<ns3::Socket>;

ns3::InetSocketAddress to_ns3(Endpoint endpoint) {
  return {ns3::Ipv4Address(endpoint.address.bits), endpoint.port};
}

class Replay {
 public:
  Replay(const scenario::Scenario& scenario, uint64_t seed, const TrafficLog& log)
      : log_(log), simulator_(seed), network_(seed), duration_(scenario.duration) {
    build_network(scenario, network_);
    for (const auto& [key, node] : scenario.nodes) by_address_[*network_.address(node.host())] = node.host();
    network_.on_delivery = [this](const std::string&, const Frame&) { ++result_.packets; };
    listen();
  }

  ReplayResult run() {
    for (const TrafficLog::Step& step : log_.steps) {
      if (!by_address_.contains(step.remote.address)) continue;
      // A moment later, so that what the step answers has arrived, and its connection is accepted.
      ns3::Simulator::Schedule(ns3_delay(step.at + Duration{1}), [this, &step] { apply(step); });
    }
    simulator_.run_until(run_start + duration_);
    return result_;
  }

 private:
  void listen() {
    std::set<Endpoint> served;
    for (const TrafficLog::Step& step : log_.steps) {
      if (step.kind != TrafficLog::Step::Kind::dial || !by_address_.contains(step.remote.address)) continue;
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

  Socket make_socket(Ipv4 address) {
    return ns3::Socket::CreateSocket(network_.node(by_address_.at(address)), ns3::TcpSocketFactory::GetTypeId());
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
    const auto found = sockets_.find({step.local, step.remote});
    if (found == sockets_.end()) return;
    found->second->Send(ns3::Create<ns3::Packet>(step.bytes));
  }

  const TrafficLog& log_;
  Simulator simulator_;
  Network network_;
  Duration duration_;
  std::map<Ipv4, std::string> by_address_;
  std::map<std::pair<Endpoint, Endpoint>, Socket> sockets_;
  ReplayResult result_;
};

}  // namespace

ReplayResult replay(const scenario::Scenario& scenario, uint64_t seed, const TrafficLog& log) {
  return Replay(scenario, seed, log).run();
}

}  // namespace distlab::sim
