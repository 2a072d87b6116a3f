// A link direction with ns-3's event queue behind it: packets offered at one end arrive at the
// other. Everything between two machines is a chain of wires; there are no ns-3 nodes in between,
// because only the machines need an IP stack (facts, ns-3: "bare middleboxes" are the cheapest
// faithful layout, and these are cheaper still).
#pragma once

#include <vector>

#include <ns3/packet.h>

#include "models/host/endpoint.h"
#include "sim/link.h"

namespace distlab::sim {

// An IPv4 packet under way, with what routing needs read once at the sender.
struct Frame {
  ns3::Ptr<ns3::Packet> packet;  // begins with the IPv4 header
  Ipv4 source, destination;
  uint32_t bytes = 0;
};

class PacketSink {
 public:
  virtual ~PacketSink() = default;
  virtual void receive(const Frame& frame) = 0;
};

class Wire {
 public:
  Wire(uint64_t seed, const std::string& name, LinkProperties properties, PacketSink& to)
      : link_(seed, name, properties), to_(to) {}

  void send(const Frame& frame);
  void set_held(bool held);  // letting go delivers what was held, in order
  LinkDirection& link() { return link_; }

  // Held packets beyond this are dropped: a stalled path buffers much, but not without end.
  static constexpr size_t max_held = 100'000;

 private:
  void arrive(const Frame& frame, uint64_t epoch);

  LinkDirection link_;
  PacketSink& to_;
  std::vector<Frame> held_;
};

}  // namespace distlab::sim
