#include "sim/linux_tcp.h"

#include <array>

#include <ns3/boolean.h>
#include <ns3/config.h>
#include <ns3/ipv4-header.h>
#include <ns3/ipv4-interface.h>
#include <ns3/node.h>
#include <ns3/nstime.h>
#include <ns3/packet.h>
#include <ns3/string.h>
#include <ns3/tcp-header.h>
#include <ns3/uinteger.h>

namespace distlab::sim {
namespace {

bool is_reset_with_ack(const ns3::Packet& packet) {
  constexpr size_t flags_at = 13;  // RFC 9293, section 3.1
  std::array<uint8_t, flags_at + 1> start{};
  if (packet.CopyData(start.data(), start.size()) < start.size()) return false;
  constexpr uint8_t both = ns3::TcpHeader::RST | ns3::TcpHeader::ACK;
  return (start[flags_at] & both) == both;
}

}  // namespace

void configure_tcp_as_linux() {
  using ns3::Config::SetDefault;
  SetDefault("ns3::TcpSocket::SegmentSize", ns3::UintegerValue(1448));      // 1500 - 20 - 20 - 12 (timestamps)
  SetDefault("ns3::TcpSocket::SndBufSize", ns3::UintegerValue(2'621'440));  // what 4 MiB of tcp_wmem hold
  SetDefault("ns3::TcpSocket::RcvBufSize", ns3::UintegerValue(3'145'728));  // half of 6 MiB of tcp_rmem
  SetDefault("ns3::TcpSocket::InitialCwnd", ns3::UintegerValue(10));
  SetDefault("ns3::TcpSocket::ConnTimeout", ns3::TimeValue(ns3::Seconds(1)));
  SetDefault("ns3::TcpSocket::ConnCount", ns3::UintegerValue(7));  // the first SYN counts
  SetDefault("ns3::TcpSocket::DataRetries", ns3::UintegerValue(15));
  SetDefault("ns3::TcpSocket::DelAckTimeout", ns3::TimeValue(ns3::MilliSeconds(40)));
  SetDefault("ns3::TcpSocket::DelAckCount", ns3::UintegerValue(2));
  SetDefault("ns3::TcpSocket::TcpNoDelay", ns3::BooleanValue(true));
  SetDefault("ns3::TcpSocket::PersistTimeout", ns3::TimeValue(ns3::MilliSeconds(200)));
  SetDefault("ns3::TcpSocketBase::MinRto", ns3::TimeValue(ns3::MilliSeconds(200)));
  SetDefault("ns3::TcpSocketBase::ClockGranularity", ns3::TimeValue(ns3::MilliSeconds(1)));
  SetDefault("ns3::TcpL4Protocol::SocketType", ns3::StringValue("ns3::TcpCubic"));
}

NS_OBJECT_ENSURE_REGISTERED(LinuxTcp);

ns3::TypeId LinuxTcp::GetTypeId() {
  static const ns3::TypeId id = ns3::TypeId("distlab::sim::LinuxTcp")
                                    .SetParent<ns3::TcpL4Protocol>()
                                    .SetGroupName("distlab")
                                    .AddConstructor<LinuxTcp>();
  return id;
}

ns3::IpL4Protocol::RxStatus LinuxTcp::Receive(ns3::Ptr<ns3::Packet> packet, const ns3::Ipv4Header& ip,
                                              ns3::Ptr<ns3::Ipv4Interface> interface) {
  if (is_reset_with_ack(*packet)) {
    ns3::TcpHeader header;
    packet->RemoveHeader(header);
    header.SetFlags(ns3::TcpHeader::RST);
    if (ns3::Node::ChecksumEnabled()) {
      header.EnableChecksums();
      header.InitializeChecksum(ip.GetSource(), ip.GetDestination(), PROT_NUMBER);
    }
    packet->AddHeader(header);
  }
  return ns3::TcpL4Protocol::Receive(packet, ip, interface);
}

}  // namespace distlab::sim
