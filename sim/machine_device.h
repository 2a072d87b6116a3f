// The network card of a machine: where its ns-3 IP stack meets our wires. Point to point, no ARP.
#pragma once

#include <functional>

#include <ns3/channel.h>
#include <ns3/net-device.h>
#include <ns3/node.h>

#include "sim/wire.h"

namespace distlab::sim {

class PcapWriter;

class MachineDevice : public ns3::NetDevice {
 public:
  static constexpr uint16_t mtu = 1500;

  void set_out(Wire& out) { out_ = &out; }
  void set_capture(PcapWriter* capture) { capture_ = capture; }
  void deliver(const Frame& frame);  // from the network

  bool Send(ns3::Ptr<ns3::Packet> packet, const ns3::Address& to, uint16_t protocol) override;
  bool SendFrom(ns3::Ptr<ns3::Packet> packet, const ns3::Address& from, const ns3::Address& to,
                uint16_t protocol) override;
  void SetIfIndex(uint32_t index) override { index_ = index; }
  uint32_t GetIfIndex() const override { return index_; }
  ns3::Ptr<ns3::Channel> GetChannel() const override { return nullptr; }
  void SetAddress(ns3::Address address) override { address_ = address; }
  ns3::Address GetAddress() const override { return address_; }
  bool SetMtu(uint16_t) override { return false; }
  uint16_t GetMtu() const override { return mtu; }
  bool IsLinkUp() const override { return true; }
  void AddLinkChangeCallback(ns3::Callback<void>) override {}
  bool IsBroadcast() const override { return true; }
  ns3::Address GetBroadcast() const override { return address_; }
  bool IsMulticast() const override { return false; }
  ns3::Address GetMulticast(ns3::Ipv4Address) const override { return address_; }
  ns3::Address GetMulticast(ns3::Ipv6Address) const override { return address_; }
  bool IsBridge() const override { return false; }
  bool IsPointToPoint() const override { return true; }
  ns3::Ptr<ns3::Node> GetNode() const override { return node_; }
  void SetNode(ns3::Ptr<ns3::Node> node) override { node_ = node; }
  bool NeedsArp() const override { return false; }
  void SetReceiveCallback(ReceiveCallback receive) override { receive_ = receive; }
  void SetPromiscReceiveCallback(PromiscReceiveCallback) override {}
  bool SupportsSendFrom() const override { return false; }

 private:
  Wire* out_ = nullptr;
  PcapWriter* capture_ = nullptr;
  ns3::Ptr<ns3::Node> node_;
  ns3::Address address_;
  ReceiveCallback receive_;
  uint32_t index_ = 0;
};

}  // namespace distlab::sim
