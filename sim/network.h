// The simulated internet: machines in sites, sites on uplinks, and a wide area that applies the
// properties of each pair of sites.
//
//   machine --access-- site router --uplink-- wide area --path-- uplink -- site router -- machine
//
// Only machines are ns-3 nodes; the rest is wires and table look-ups, so no router has a thousand
// interfaces. Site s, machine m have the address 10.s.s.m (s over two bytes). TTLs are not
// decremented: to IP, two machines are one hop apart.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <ns3/node.h>
#include <ns3/ptr.h>

#include "models/host/byte_stream.h"
#include "models/host/endpoint.h"
#include "sim/wire.h"

namespace distlab::sim {

class MachineDevice;
class PcapWriter;
struct TrafficLog;

// Both directions of a link, as faults name it. "out" leads away from the machine or site (or from
// the first to the second site of a path).
struct Duplex {
  Wire* out = nullptr;
  Wire* in = nullptr;
};

class Network {
 public:
  explicit Network(uint64_t seed);
  ~Network();

  // Names are unique; properties are those of each direction.
  void add_site(const std::string& site, const LinkProperties& uplink, const LinkProperties& access);
  void add_machine(const std::string& host_name, const std::string& site);
  // A machine whose IP stack is elsewhere: what it sends is handed in by send(), what reaches it is handed
  // to `deliver`, whole IPv4 packets both.
  using Deliver = std::function<void(Bytes packet)>;
  void add_port(const std::string& host_name, const std::string& site, Deliver deliver);
  // From an event of ns-3. False: it is no IPv4 packet, and is dropped.
  bool send(const std::string& host_name, Bytes packet);
  void set_default_path(const LinkProperties& properties);
  void set_path(const std::string& from, const std::string& to, const LinkProperties& properties);

  ns3::Ptr<ns3::Node> node(const std::string& host_name) const;     // null for a port
  std::optional<Ipv4> address(const std::string& host_name) const;  // the hosts file of every machine

  // A kernel's rule for ports: the wildcard address and a specific one exclude each other, which
  // ns-3 does not see. False: taken.
  enum class Transport { tcp, udp };
  bool bind(const std::string& host_name, Transport transport, Endpoint local);
  void unbind(const std::string& host_name, Transport transport, Endpoint local);

  Duplex access(const std::string& host_name);
  Duplex uplink(const std::string& site);
  Duplex path(const std::string& site_a, const std::string& site_b);

  // Nothing passes between the groups (sites); sites in no group are unaffected.
  void partition(const std::vector<std::set<std::string>>& groups);
  void heal() { group_of_.clear(); }
  // Packets from the first to the second site vanish (a one-way cut).
  void cut(const std::string& from, const std::string& to, bool on);

  // Called for every packet that reaches a machine: the trace hash is made of these.
  std::function<void(const std::string& host_name, const Frame&)> on_delivery;
  TrafficLog* traffic_log = nullptr;  // what processes write to their streams, if anybody asks
  void capture(const std::string& host_name, std::unique_ptr<PcapWriter> writer);

 private:
  struct Machine;
  struct Site;
  class Core;
  friend class MachineDevice;

  Site& site(const std::string& name);
  Machine& plug_in(const std::string& host_name, const std::string& site_name);
  const Machine& machine(const std::string& host_name) const;
  Wire& path_wire(Site& from, Site& to);
  void across(const Frame& frame, Site& from);

  uint64_t seed_;
  LinkProperties default_path_;
  std::map<std::string, std::unique_ptr<Machine>> machines_;
  std::map<std::string, Site*> sites_;
  std::vector<std::unique_ptr<Site>> by_index_;  // of the address
  std::map<std::pair<std::string, std::string>, LinkProperties> path_properties_;
  std::map<std::string, size_t> group_of_;
  std::set<std::pair<size_t, size_t>> cuts_;
  std::vector<uint8_t> packet_;  // on its way to a port
};

}  // namespace distlab::sim
