// Sockets in hosts of a lab, a network that carries packets between ports, and pings.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "real/lab/lab.h"

namespace distlab::lab {

Fd open_socket(Lab& lab, HostId host, int type, int protocol = 0);  // non-blocking
bool bind_to(const Fd& socket, const std::string& address, uint16_t port);
bool connect_to(const Fd& socket, const std::string& address, uint16_t port);  // true: or under way
std::string read_some(const Fd& socket);                                       // empty: nothing there

// One ICMP echo from the host. True when the answer is back before the limit.
bool ping(Lab& lab, HostId host, const std::string& address, int limit_ms = 5000);

// Carries packets by destination address and looks at each.
class Hub {
 public:
  void add(const std::string& address, Port port) { ports_.emplace(address, std::move(port)); }
  // Once; true if there was something to carry.
  bool carry();
  // Until it holds; false after 10 s.
  bool carry_until(const std::function<bool()>& condition);
  void wait();  // for a packet, 1 ms at most

  size_t packets = 0;
  size_t largest = 0;
  size_t wrong_checksums = 0;  // of IPv4, UDP, TCP or ICMP
  size_t unknown = 0;          // destinations
  size_t refused = 0;

 private:
  std::map<std::string, Port> ports_;
};

}  // namespace distlab::lab
