#include "sim/machine_device.h"

#include <ns3/ipv4-header.h>

#include "sim/ns3_time.h"
#include "sim/pcap.h"

namespace distlab::sim {
namespace {

constexpr uint16_t ethertype_ipv4 = 0x0800;

}  // namespace

bool MachineDevice::Send(ns3::Ptr<ns3::Packet> packet, const ns3::Address&, uint16_t protocol) {
  if (protocol != ethertype_ipv4) return false;
  ns3::Ipv4Header header;
  packet->PeekHeader(header);
  if (capture_ != nullptr) capture_->write(ns3_now(), *packet);
  out_->send({packet, Ipv4{header.GetSource().Get()}, Ipv4{header.GetDestination().Get()}, packet->GetSize()});
  return true;
}

bool MachineDevice::SendFrom(ns3::Ptr<ns3::Packet> packet, const ns3::Address&, const ns3::Address& to,
                             uint16_t protocol) {
  return Send(packet, to, protocol);
}

void MachineDevice::deliver(const Frame& frame) {
  if (capture_ != nullptr) capture_->write(ns3_now(), *frame.packet);
  receive_(this, frame.packet, ethertype_ipv4, address_);
}

}  // namespace distlab::sim
