// ns-3's TCP, made to behave as a Linux kernel's where Erlang distribution can tell the difference.
#pragma once

#include <ns3/tcp-l4-protocol.h>

namespace distlab::sim {

// The attributes: initial RTO 1 s, RTO at least 200 ms, an initial window of 10 segments, 15
// retries, a SYN given up after 127 s, CUBIC, SACK, no Nagle (RFC 6298, 6928, 8312; tcp(7)).
// Call before the first socket is made.
void configure_tcp_as_linux();

// ns-3 3.37 ignores the RST+ACK that answers a SYN to a closed port ("Ignore ACK in SYN_SENT" in
// TcpSocketBase::ProcessSynSent), so a refused connection would only time out. Its other states
// answer RST+ACK with another RST. It does understand a bare RST: this protocol hands it one.
class LinuxTcp : public ns3::TcpL4Protocol {
 public:
  static ns3::TypeId GetTypeId();
  ns3::IpL4Protocol::RxStatus Receive(ns3::Ptr<ns3::Packet> packet, const ns3::Ipv4Header& ip,
                                      ns3::Ptr<ns3::Ipv4Interface> interface) override;
  using ns3::TcpL4Protocol::Receive;
};

}  // namespace distlab::sim
