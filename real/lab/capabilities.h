// What this kernel lets this user do, found by doing it in a lab of its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace distlab::lab {

struct Capability {
  std::string name;  // "lab", "tun", "veth", "tbf", "netem", "nft"
  bool available = false;
  std::string reason;  // one line: why not, and where we know it, what to do
};

struct Capabilities {
  Capability lab;    // private worlds at all; without it, nothing of the rest
  Capability tun;    // ports that are TUN devices
  Capability veth;   // links and the other kind of port
  Capability tbf;    // rates and queues of links
  Capability netem;  // delay, jitter, loss, duplicates and reordering of links
  Capability nft;    // drops

  std::vector<const Capability*> all() const { return {&lab, &tun, &veth, &tbf, &netem, &nft}; }
};

// Takes about a tenth of a second. The caller has one thread, as for enter().
Capabilities capabilities();

}  // namespace distlab::lab
